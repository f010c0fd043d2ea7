/**
 * The presets: one row for every consumer whose bytes the library gives.
 * @module
 */
import { fail, got } from '../errors.js';
import { defineScheme } from './define.js';
import { type Granularity, perBlock, perChannel, perToken } from './granularity.js';
import { EMBEDDINGS } from './presets/embeddings.js';
import { GGML } from './presets/ggml.js';
import { MOBILE } from './presets/mobile.js';
import { ONNX } from './presets/onnx.js';
import type { Preset } from './presets/preset.js';
import { SERVERS } from './presets/servers.js';
import { TORCH } from './presets/torch.js';
import { CODE_RANGE, type CodeDtype, type NonFinitePolicy, type Scheme } from './scheme.js';

/** What may be chosen within a preset. */
export interface PresetOptions {
  /** Integer type of the codes, where the preset leaves a choice. */
  readonly dtype?: CodeDtype;
  /** A parameter for every index of this axis, or with `blockSize` the axis of the blocks; where the preset leaves a choice. */
  readonly axis?: number;
  /** A parameter for every so many values; where the preset leaves a choice. */
  readonly blockSize?: number;
  /** Scale and zero point for half as many codes, where the preset knows that; default false. */
  readonly reduceRange?: boolean;
  /** Magnitude from which on a value is an outlier, 0 for none; where the preset keeps outliers apart. */
  readonly threshold?: number;
  /** What happens to NaN and ±Inf; default `error`. */
  readonly nonFinite?: NonFinitePolicy;
}

export type { Preset };

const COMMON: Omit<Scheme, 'name'> = {
  dtype: 'int8',
  codes: CODE_RANGE.int8,
  granularity: perToken,
  parameters: 'dynamic',
  symmetric: true,
  rangeIncludesZero: true,
  arithmetic: 'float32',
  divisor: 127,
  scaleForm: 'divide',
  apply: 'divide',
  rounding: 'half-even',
  zeroPointRule: 'none',
  zeroPointRounding: 'half-even',
  zeroPointCodes: null,
  zeroPointAdded: 'after',
  zeroPointDtype: 'codes',
  floor: null,
  allZero: null,
  nonFinite: 'error',
  nan: { code: 0, poisons: true },
  scaleDtype: 'float32',
  layout: 'planar',
  format: null,
  outliers: null,
};

const ROWS = [...ONNX, ...TORCH, ...SERVERS, ...MOBILE, ...GGML, ...EMBEDDINGS] as const;

/** The table: a row for every consumer whose bytes the library gives. */
export const PRESETS: readonly Preset[] = Object.freeze([...ROWS]);

/** Name of a preset. */
export type PresetName = (typeof ROWS)[number]['name'];

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
  const { axis, blockSize, nonFinite, reduceRange = false, threshold } = options;
  const dtype = options.dtype ?? row.dtypes[0]!;
  if (!row.dtypes.includes(dtype)) {
    throw fail('ERR_QUANTLANE_DTYPE', `Expected ${row.dtypes.join(' or ')} as dtype of '${name}', got ${got(dtype)}`);
  }
  if (axis !== undefined && !row.takes.axis) throw fixed(name, 'axis');
  if (blockSize !== undefined && !row.takes.blockSize) throw fixed(name, 'blockSize');
  if (reduceRange && row.reduced === undefined) throw fixed(name, 'reduceRange');
  if (threshold !== undefined && row.rules.outliers === undefined) throw fixed(name, 'threshold');
  let granularity: Granularity = row.rules.granularity ?? COMMON.granularity;
  if (blockSize !== undefined) granularity = perBlock(blockSize, axis);
  else if (axis !== undefined) granularity = perChannel(axis);
  const codes = CODE_RANGE[dtype];
  const scheme: Scheme = {
    ...COMMON,
    nan: { code: codes[0], poisons: true },
    ...row.rules,
    ...(reduceRange ? row.reduced : {}),
    name: row.name,
    dtype,
    // A preset may leave codes of its one type out.
    codes: row.rules.codes ?? codes,
    granularity,
    ...(threshold === undefined ? {} : { outliers: { threshold } }),
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
