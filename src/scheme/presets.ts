/**
 * The presets: one row for every consumer whose bytes the library gives.
 * @module
 */
import { fail, got } from '../errors.js';
import { type Granularity, perBlock, perChannel, perTensor, perToken } from './granularity.js';
import { CODE_RANGE, type CodeDtype, defineScheme, type NonFinitePolicy, type Scheme } from './scheme.js';

/** What may be chosen within a preset. */
export interface PresetOptions {
  /** Integer type of the codes, where the preset leaves a choice. */
  readonly dtype?: CodeDtype;
  /** A parameter for every index of this axis, or with `blockSize` the axis of the blocks; where the preset leaves a choice. */
  readonly axis?: number;
  /** A parameter for every so many values; where the preset leaves a choice. */
  readonly blockSize?: number;
  /** What happens to NaN and ±Inf; default `error`. */
  readonly nonFinite?: NonFinitePolicy;
}

/** A row of the table. */
export interface Preset {
  readonly name: string;
  /** Who reads these bytes. */
  readonly consumer: string;
  /** Where the rules are written. */
  readonly source: string;
  /** Where the real system differs, or what to know. */
  readonly notes: string;
  /** Types of codes; the first is the default. */
  readonly dtypes: readonly CodeDtype[];
  /** Whether `axis` and `blockSize` may be chosen. */
  readonly takes: { readonly axis: boolean; readonly blockSize: boolean };
  /** The rules, but for what every preset has in common. */
  readonly rules: Partial<Scheme>;
}

const COMMON: Omit<Scheme, 'name'> = {
  dtype: 'int8',
  codes: CODE_RANGE.int8,
  granularity: perToken,
  parameters: 'dynamic',
  symmetric: true,
  divisor: 127,
  scaleForm: 'divide',
  apply: 'divide',
  rounding: 'half-even',
  zeroPointRule: 'none',
  floor: null,
  allZero: null,
  nonFinite: 'error',
  nan: { code: 0, poisons: true },
  scaleDtype: 'float32',
  layout: 'planar',
};

const FIXED = { axis: false, blockSize: false };

/** The table. */
export const PRESETS: readonly Preset[] = Object.freeze([
  {
    name: 'onnx-dynamic',
    consumer: 'ONNX Runtime, DynamicQuantizeLinear',
    source: 'onnxruntime 1.28-dev core/util/qmath.h GetQuantizationParameter, core/mlas/lib/quantize.cpp',
    notes: 'One range for the whole tensor, so its bytes depend on the batch.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: {
      granularity: perTensor,
      symmetric: false,
      divisor: 255,
      zeroPointRule: 'round-last',
      allZero: { on: 'extent', scale: 1, multiplier: 1 },
    },
  },
  {
    name: 'onnx-static',
    consumer: 'ONNX Runtime, QuantizeLinear',
    source: 'onnxruntime 1.28-dev core/providers/cpu/quantization/quantize_linear.cc; ONNX QuantizeLinear 21',
    notes: 'Scale and zero point are given. Per tensor, with an axis per channel, with a block size per block.',
    dtypes: ['uint8', 'int8', 'uint16', 'int16'],
    takes: { axis: true, blockSize: true },
    rules: { granularity: perTensor, parameters: 'given', symmetric: false, divisor: 1 },
  },
  {
    name: 'torchao-int8',
    consumer: 'torchao, Int8DynamicActivationInt8Weight',
    source: 'torchao 0.19.0-dev (36027d82) quantization/quant_primitives.py choose_qparams_affine, quantize_affine',
    notes: 'Scale floored at 2^-23.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      divisor: 127.5,
      apply: 'reciprocal',
      floor: { on: 'scale', value: 2 ** -23 },
      nan: { code: 0, poisons: true },
    },
  },
  {
    name: 'vllm-int8-per-token',
    consumer: 'vLLM, dynamic_scaled_int8_quant',
    source: 'vllm csrc/quantization/w8a8/int8/scaled_quant.cu',
    notes: 'A row of zeros has scale 0.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      apply: 'direct',
      allZero: { on: 'extent', scale: 0, multiplier: 0 },
      nan: { code: 0, poisons: false },
    },
  },
  {
    name: 'xnnpack-qd8',
    consumer: 'XNNPACK, qd8 dynamically quantized inputs',
    source: 'XNNPACK src/xnnpack/quantization.h xnn_f32_qd8_asymmetric_quantization_params',
    notes: 'A row of zeros has scale 1 and zero point 127.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      symmetric: false,
      divisor: 255,
      scaleForm: 'inverse',
      apply: 'direct',
      zeroPointRule: 'sign-test',
      allZero: { on: 'extent', scale: 1, multiplier: 1 },
      nan: { code: 127, poisons: true },
    },
  },
  {
    name: 'ggml-q8_0',
    consumer: 'ggml, llama.cpp: Q8_0 blocks',
    source: 'ggml src/ggml-quants.c quantize_row_q8_0_ref',
    notes: 'Blocks of 34 bytes: a float16 scale, 32 codes. Rows are multiples of 32.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      granularity: perBlock(32),
      apply: 'reciprocal',
      rounding: 'half-away',
      allZero: { on: 'scale', scale: 0, multiplier: 0 },
      nan: { code: 0, poisons: true },
      scaleDtype: 'float16',
      layout: { blockBytes: 34, codesAt: 2 },
    },
  },
] satisfies Preset[]);

/** Name of a preset. */
export type PresetName =
  | 'onnx-dynamic'
  | 'onnx-static'
  | 'torchao-int8'
  | 'vllm-int8-per-token'
  | 'xnnpack-qd8'
  | 'ggml-q8_0';

/** The row of the table with this name. */
export function findPreset(name: string): Preset {
  const found = PRESETS.find((row) => row.name === name);
  if (found !== undefined) return found;
  const names = PRESETS.map((row) => row.name).join(', ');
  throw fail('ERR_QUANTLANE_PRESET', `Expected a preset (${names}), got ${got(name)}`);
}

/**
 * The scheme of a preset.
 * @throws ERR_QUANTLANE_PRESET for an unknown name; ERR_QUANTLANE_ARGUMENT or ERR_QUANTLANE_DTYPE for an option that the
 * preset does not take
 */
export function preset(name: PresetName | (string & {}), options: PresetOptions = {}): Scheme {
  const row = findPreset(name);
  const { axis, blockSize, nonFinite } = options;
  const dtype = options.dtype ?? row.dtypes[0]!;
  if (!row.dtypes.includes(dtype)) {
    throw fail('ERR_QUANTLANE_DTYPE', `Expected ${row.dtypes.join(' or ')} as dtype of '${name}', got ${got(dtype)}`);
  }
  if (axis !== undefined && !row.takes.axis) throw fixed(name, 'axis');
  if (blockSize !== undefined && !row.takes.blockSize) throw fixed(name, 'blockSize');
  let granularity: Granularity = row.rules.granularity ?? COMMON.granularity;
  if (blockSize !== undefined) granularity = perBlock(blockSize, axis);
  else if (axis !== undefined) granularity = perChannel(axis);
  const codes = CODE_RANGE[dtype];
  const scheme: Scheme = {
    ...COMMON,
    nan: { code: codes[0], poisons: true },
    ...row.rules,
    name: row.name,
    dtype,
    codes,
    granularity,
  };
  return defineScheme(nonFinite === undefined ? scheme : { ...scheme, nonFinite });
}

function fixed(name: string, option: string): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Preset '${name}' does not take ${option}`);
}

const defaults = new Map<string, Scheme>();

/** The scheme that a caller names or gives. */
export function resolveScheme(scheme: Scheme | PresetName | (string & {})): Scheme {
  if (typeof scheme !== 'string') return defineScheme(scheme);
  const known = defaults.get(scheme);
  if (known !== undefined) return known;
  const found = preset(scheme);
  defaults.set(scheme, found);
  return found;
}
