/**
 * Golden rows of the presets with planar 8-bit codes, from the published sources of each system: inputs chosen to tell
 * the presets apart. Every row is one row of a tensor, [1, columns].
 */
import type { PresetName, PresetOptions } from '#src/index.js';
import { fromBits } from './golden.js';

/** An input and its known output. */
export interface EightsCase {
  /** `ties/torch-per-token`. */
  readonly name: string;
  readonly preset: PresetName;
  readonly options: PresetOptions;
  /** The values, each the nearest float32. */
  readonly input: readonly number[];
  /** Given scale and zero point. */
  readonly parameters?: { readonly scale: readonly number[]; readonly zeroPoint?: readonly number[] };
  readonly codes: readonly number[];
  /** The nearest float32, or for a float64 scale itself. */
  readonly scale: number;
  /** Absent for a symmetric preset. */
  readonly zeroPoint?: number;
}

const { fround } = Math;
const EPSILON = 2 ** -23;

const TIES = [
  ...[127, -127, 0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, -3.5],
  ...[fromBits(0x3effffff), 126.5, -126.5, 63.5, 100.4, -100.6],
];
const EVEN = [127, -127, 0, 2, 2, 4, 0, -2, -2, -4, 0, 126, -126, 64, 100, -101];
const AWAY = [127, -127, 1, 2, 3, 4, -1, -2, -3, -4, 0, 127, -127, 64, 100, -101];
const TRUNCATED = [127, -127, 0, 1, 2, 3, 0, -1, -2, -3, 0, 126, -126, 63, 100, -100];
const WIDER = [127, -128, 1, 2, 3, 4, -1, -2, -3, -4, 1, 127, -127, 64, 101, -101];

/** amax and a value that tells x · (127 / amax), x · (1 / (amax / 127)) and x / (amax / 127) apart. */
const WITNESS_A = [fromBits(0x40315815), fromBits(0x401bb320)];
const WITNESS_B = [fromBits(0x407fc153), fromBits(0x3ff3ac19)];
const SCALE_A = fromBits(0x3cb2bd90);
const SCALE_B = fromBits(0x3d00e26e);

const TWO_SIDED = [-1, -0.5, 0, 0.5, 1, 2];
const UNEVEN = [0.53125, 0.546875, 0.0234375, -0.01953125, 0.17578125, 0.19921875, 0.53125, 0.64453125];
const UNEVEN_WIDE = (0.64453125 + 0.01953125) / 255;
const ONE_SIDED = [3, 4, 5, 6, 7, 8];
const ZEROS = [0, 0, -0, 0];
const BLOCK = [
  ...[-3.875, -2.125, -0.375, 1.375, 3.125, 4, -1.375, 0.375, 2.125, 0.015625, -2.375, -0.625, 1.125, 2.875, -3.375],
  ...[-1.625, 0.125, 1.875, 3.625, -2.625, -0, 0.875, 2.625, -3.625, -1.875, -0.125, 1.625, 3.375, -2.875, -1.125],
  ...[0.625, 2.375],
];
const BLOCK_CODES = [
  ...Int8Array.from(Buffer.from('80b8f12a627fd00942feb0e9215a90c8013a72a8fd195288c0f9326aa0d9114a', 'hex')),
];
const BLOCK_REDUCED = [...Buffer.from('001c3854707f2844603e1834506c0824405c78143e4c6804203c5874102c4864', 'hex')];

/** Every golden row. */
export const EIGHTS: readonly EightsCase[] = [
  row('ties', 'ort-nbits-a8', TIES, EVEN, 1),
  row('ties', 'torch-per-token', TIES, EVEN, 1),
  row('ties', 'tflite-int8-symmetric', TIES, AWAY, 1),
  row('ties', 'vllm-int8-group', TIES, TRUNCATED, 1),
  row('ties', 'sglang-int8-group', TIES, TRUNCATED, fround(127 * fround(1 / 127))),
  row('ties', 'torch-int8-symmetric', TIES, WIDER, 127 / 127.5),
  row('ties', 'torch-int8-per-channel', TIES, WIDER, 127 / 127.5),
  given('ties', 'vllm-int8-static', TIES, EVEN, 1),
  given(
    'ties',
    'vllm-int8-static-azp',
    TIES,
    EVEN.map((code) => Math.min(127, code + 1)),
    1,
    1,
  ),

  row('reciprocal-a', 'torch-per-token', WITNESS_A, [127, 112], SCALE_A),
  row('reciprocal-b', 'torch-per-token', WITNESS_B, [127, 61], SCALE_B),
  row('reciprocal-a', 'ort-nbits-a8', WITNESS_A, [127, 111], SCALE_A),
  row('reciprocal-b', 'ort-nbits-a8', WITNESS_B, [127, 60], SCALE_B),
  given('reciprocal-a', 'vllm-int8-static', WITNESS_A, [127, 111], SCALE_A),
  given('reciprocal-b', 'vllm-int8-static', WITNESS_B, [127, 61], SCALE_B),

  row('two-sided', 'torch-dynamic', TWO_SIDED, [0, 43, 85, 127, 170, 255], 3 / 255, 85),
  row('two-sided', 'fbgemm-dynamic', TWO_SIDED, [0, 43, 85, 127, 170, 255], 3 / 255, 85),
  reduced('two-sided', TWO_SIDED, [0, 21, 42, 63, 84, 127], 3 / 127, 42),
  row('two-sided', 'torch-int8-affine', TWO_SIDED, [-128, -85, -43, -1, 42, 127], 3 / 255, -43),
  row('two-sided', 'torchao-int8-affine', TWO_SIDED, [-128, -85, -43, -1, 42, 127], 3 / 255, -43),
  row('two-sided', 'torch-per-token-affine', TWO_SIDED, [-128, -85, -43, -1, 42, 127], fround(3 / 255), -43),
  row('two-sided', 'vllm-int8-azp', TWO_SIDED, [-128, -85, -43, -1, 42, 127], 3 / 255, -43),
  row('two-sided', 'tflite-int8-affine', TWO_SIDED, [-128, -86, -43, -1, 42, 127], 3 / 255, -43),
  row('two-sided', 'kleidiai-qai8dxp', TWO_SIDED, [-128, -86, -43, 0, 42, 127], fround(1 / fround(255 / 3)), -43),

  row('uneven', 'torch-dynamic', UNEVEN, [212, 218, 17, 0, 76, 84, 212, 255], UNEVEN_WIDE, 8),
  row('uneven', 'fbgemm-dynamic', UNEVEN, [211, 217, 16, 0, 75, 83, 211, 255], UNEVEN_WIDE, 7),
  row('uneven', 'torch-int8-affine', UNEVEN, [84, 90, -111, -128, -52, -44, 84, 127], UNEVEN_WIDE, -120),
  row('uneven', 'torchao-int8-affine', UNEVEN, [84, 90, -111, -128, -52, -44, 84, 127], UNEVEN_WIDE, -120),
  row('uneven', 'vllm-int8-azp', UNEVEN, [84, 90, -111, -128, -52, -44, 84, 127], UNEVEN_WIDE, -120),
  row('uneven', 'torch-per-token-affine', UNEVEN, [84, 90, -111, -127, -53, -44, 84, 127], fround(UNEVEN_WIDE), -120),
  row('uneven', 'tflite-int8-affine', UNEVEN, [83, 89, -112, -128, -54, -45, 83, 127], UNEVEN_WIDE, -121),
  row('uneven', 'kleidiai-qai8dxp', UNEVEN, [84, 90, -111, -128, -52, -43, 84, 127], fromBits(0x3b2aaaab), -120),

  row('one-sided', 'torch-dynamic', ONE_SIDED, [96, 127, 159, 191, 223, 255], 8 / 255, 0),
  row('one-sided', 'fbgemm-dynamic', ONE_SIDED, [96, 127, 159, 191, 223, 255], 8 / 255, 0),
  row('one-sided', 'kleidiai-qai8dxp', ONE_SIDED, [-32, 0, 31, 63, 95, 127], fromBits(0x3d008081), -128),
  row('one-sided', 'torch-per-token-affine', ONE_SIDED, [-32, -1, 31, 63, 95, 127], fround(8 / 255), -128),
  row('one-sided', 'tflite-int8-affine', ONE_SIDED, [-32, -1, 31, 63, 95, 127], 8 / 255, -128),
  row('one-sided', 'vllm-int8-azp', ONE_SIDED, [-128, -77, -26, 25, 76, 127], 5 / 255, -281),

  row('zeros', 'torch-dynamic', ZEROS, [0, 0, 0, 0], 0.1, 0),
  row('zeros', 'fbgemm-dynamic', ZEROS, [0, 0, 0, 0], 0.1, 0),
  row('zeros', 'torch-int8-symmetric', ZEROS, [0, 0, 0, 0], EPSILON),
  row('zeros', 'torch-int8-per-channel', ZEROS, [0, 0, 0, 0], EPSILON),
  row('zeros', 'torch-int8-affine', ZEROS, [-128, -128, -128, -128], EPSILON, -128),
  row('zeros', 'torch-uint8-affine', ZEROS, [0, 0, 0, 0], EPSILON, 0),
  row('zeros', 'torchao-int8-affine', ZEROS, [-128, -128, -128, -128], EPSILON, -128),
  row('zeros', 'torch-per-token', ZEROS, [0, 0, 0, 0], fround(fround(1e-5) / 127)),
  row('zeros', 'torch-per-token-affine', ZEROS, [127, 127, 127, 127], EPSILON, 127),
  row('zeros', 'kleidiai-qai8dxp', ZEROS, [127, 127, 127, 127], 1, 127),
  row('zeros', 'tflite-int8-symmetric', ZEROS, [0, 0, 0, 0], 1),
  row('zeros', 'tflite-int8-affine', ZEROS, [0, 0, 0, 0], 1, 0),
  row('zeros', 'vllm-int8-azp', ZEROS, [0, 0, 0, 0], 0, 0),
  row('zeros', 'vllm-int8-group', ZEROS, [0, 0, 0, 0], fround(fround(1e-10) / 127)),
  row('zeros', 'sglang-int8-group', ZEROS, [0, 0, 0, 0], fround(fround(1e-10) * fround(1 / 127))),
  row('zeros', 'ort-nbits-a8', ZEROS, [0, 0, 0, 0], 0),

  reduced('block', BLOCK, BLOCK_REDUCED, 7.875 / 127, 62),
  row('block', 'torch-int8-affine', BLOCK, BLOCK_CODES, fromBits(0x3cfcfcfd), -3),
  row('block', 'torch-per-token-affine', BLOCK, BLOCK_CODES, fromBits(0x3cfcfcfd), -3),
  row('block', 'tflite-int8-affine', BLOCK, BLOCK_CODES, fromBits(0x3cfcfcfd), -3),
  row('block', 'vllm-int8-azp', BLOCK, BLOCK_CODES, fromBits(0x3cfcfcfd), -3),
  row('block', 'kleidiai-qai8dxp', BLOCK, BLOCK_CODES, fromBits(0x3cfcfcfe), -3),

  // A range below the smallest scale: the zero point is that of the range before it was stretched.
  row('small', 'torch-dynamic', [-1e-3, 0, 2e-3], [69, 85, 118], fround(6.1e-5), 85),
  row('small', 'fbgemm-dynamic', [0, 2e-3], [0, 33], fround(6.1e-5), 0),
  // Values so small that 1 / scale is infinite.
  row('tiny', 'torch-dynamic', [1e-37, 0, -1e-40], [0, 0, 0], 0.1, 0),
];

function row(
  name: string,
  preset: PresetName,
  input: readonly number[],
  codes: readonly number[],
  scale: number,
  zeroPoint?: number,
): EightsCase {
  const zero = zeroPoint === undefined ? {} : { zeroPoint };
  return { name: `${name}/${preset}`, preset, options: {}, input, codes, scale, ...zero };
}

function reduced(
  name: string,
  input: readonly number[],
  codes: readonly number[],
  scale: number,
  zeroPoint: number,
): EightsCase {
  const base = row(`${name}-reduced`, 'torch-dynamic', input, codes, scale, zeroPoint);
  return { ...base, options: { reduceRange: true } };
}

function given(
  name: string,
  preset: PresetName,
  input: readonly number[],
  codes: readonly number[],
  scale: number,
  zeroPoint?: number,
): EightsCase {
  const zero = zeroPoint === undefined ? {} : { zeroPoint: [zeroPoint] };
  return { ...row(name, preset, input, codes, scale, zeroPoint), parameters: { scale: [scale], ...zero } };
}
