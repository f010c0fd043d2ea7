/**
 * Golden rows: small inputs whose outputs are known, chosen to tell the presets apart (ties, the form of the
 * reciprocal, one-sided ranges, zeros, the ends of float32, NaN and ±Inf). Every row is one row of a tensor,
 * [1, columns].
 */
import type { Integers, VectorCodeDtype } from './vectors.js';

/** A preset that has golden rows. */
export type GoldenPreset =
  | 'onnx-dynamic'
  | 'onnx-static'
  | 'torchao-int8'
  | 'vllm-int8-per-token'
  | 'xnnpack-qd8'
  | 'ggml-q8_0';

/** An input and its known output. */
export interface GoldenCase {
  /** `ties/torchao-int8`. */
  readonly name: string;
  readonly preset: GoldenPreset;
  readonly options: { readonly dtype?: VectorCodeDtype };
  /** `run`: the real software gave this output; `formula`: its published source was evaluated. */
  readonly from: 'run' | 'formula';
  /** `propagate` where the input holds NaN or ±Inf: the output is the system's own. Absent: any policy. */
  readonly nonFinite?: 'propagate';
  /** The values, each the nearest float32. */
  readonly input: readonly number[];
  /** Given scale and zero point (`onnx-static`). */
  readonly parameters?: { readonly scale: readonly number[]; readonly zeroPoint: readonly number[] };
  readonly expected: {
    /** Type of the codes. */
    readonly dtype: VectorCodeDtype;
    readonly codes: readonly number[];
    /** Bits of the stored scale: float16 for `ggml-q8_0`, else float32. The sign and payload of a NaN do not matter. */
    readonly scaleBits: readonly number[];
    /** Absent for a symmetric preset, and where the system leaves it open. */
    readonly zeroPoint?: readonly number[];
  };
}

const NAN_BITS = 0x7fc00000;
const INFINITY_BITS = 0x7f800000;
const MAX = 3.4028234663852886e38;

/** amax = 127, so that 127 steps make a scale of exactly 1: what is left is rounding. */
const TIES = [
  ...[127, -127, 0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, -3.5],
  ...[fromBits(0x3effffff), 126.5, -126.5, 63.5, 100.4, -100.6],
];
const TIES_EVEN = [127, -127, 0, 2, 2, 4, 0, -2, -2, -4, 0, 126, -126, 64, 100, -101];
const TIES_AWAY = [127, -127, 1, 2, 3, 4, -1, -2, -3, -4, 0, 127, -127, 64, 100, -101];
const TIES_127_5 = [127, -128, 1, 2, 3, 4, -1, -2, -3, -4, 1, 127, -127, 64, 101, -101];

/** amax and a value whose code tells x · (127 / amax), x · (1 / (amax / 127)) and x / (amax / 127) apart. */
const WITNESS_A = [fromBits(0x40315815), fromBits(0x401bb320)];
const WITNESS_B = [fromBits(0x407fc153), fromBits(0x3ff3ac19)];
const SCALE_A = 0x3cb2bd90;
const SCALE_B = 0x3d00e26e;

const TWO_SIDED = [-1, -0.5, 0, 0.5, 1, 2];
const UNEVEN = [0.53125, 0.546875, 0.0234375, -0.01953125, 0.17578125, 0.19921875, 0.53125, 0.64453125];
const ONE_SIDED = [3, 4, 5, 6, 7, 8];
const ZEROS = [0, 0, 0, 0];
const BLOCK = [
  ...[-3.875, -2.125, -0.375, 1.375, 3.125, 4, -1.375, 0.375, 2.125, 0.015625, -2.375, -0.625, 1.125, 2.875, -3.375],
  ...[-1.625, 0.125, 1.875, 3.625, -2.625, -0, 0.875, 2.625, -3.625, -1.875, -0.125, 1.625, 3.375, -2.875, -1.125],
  ...[0.625, 2.375],
];
const SPECIAL = [Number.NaN, Infinity, -Infinity, 0.5, 1.5, -0.5, 0, 1e30];

/** Every golden row. */
export const GOLDEN: readonly GoldenCase[] = [
  symmetric('ties', 'vllm-int8-per-token', TIES, 0x3f800000, TIES_EVEN),
  symmetric('ties', 'torchao-int8', TIES, 0x3f7efeff, TIES_127_5),
  block('ties', TIES, 0x3c00, TIES_AWAY),

  symmetric('reciprocal-a', 'vllm-int8-per-token', WITNESS_A, SCALE_A, [127, 111]),
  block('reciprocal-a', WITNESS_A, 0x2596, [127, 112]),
  given('reciprocal-a', 'int8', WITNESS_A, fromBits(SCALE_A), 0, [127, 111]),
  symmetric('reciprocal-b', 'vllm-int8-per-token', WITNESS_B, SCALE_B, [127, 60]),
  block('reciprocal-b', WITNESS_B, 0x2807, [127, 61]),
  given('reciprocal-b', 'int8', WITNESS_B, fromBits(SCALE_B), 0, [127, 61]),
  given('reciprocal-c', 'uint8', [fromBits(0x3e8c41db)], fromBits(0x3b0cceaa), 0, [127]),

  dynamic('two-sided', TWO_SIDED, 0x3c40c0c1, 85, [0, 43, 85, 127, 170, 255]),
  affine('two-sided', TWO_SIDED, 0x3c40c0c1, -43, [-128, -85, -43, -1, 42, 127]),
  dynamic('uneven', UNEVEN, 0x3b2aaaab, 8, [212, 218, 17, 0, 76, 84, 212, 255]),
  affine('uneven', UNEVEN, 0x3b2aaaab, -120, [84, 90, -111, -128, -52, -44, 84, 127]),
  dynamic('one-sided', ONE_SIDED, 0x3d008081, 0, [96, 127, 159, 191, 223, 255]),
  affine('one-sided', ONE_SIDED, 0x3d008081, -128, [-32, 0, 31, 63, 95, 127]),

  dynamic('zeros', ZEROS, 0x3f800000, 0, ZEROS),
  dynamic('negative-zeros', [-0, -0, -0, -0], 0x3f800000, 0, ZEROS),
  affine('zeros', ZEROS, 0x3f800000, 127, [127, 127, 127, 127]),
  symmetric('zeros', 'torchao-int8', ZEROS, 0x34000000, ZEROS),
  symmetric('zeros', 'vllm-int8-per-token', ZEROS, 0, ZEROS),
  block('zeros', ZEROS, 0, ZEROS),

  dynamic(
    'block',
    BLOCK,
    0x3cfcfcfd,
    125,
    unsigned('003871aae2ff5089c27e3069a1da104881baf2287d99d2084079b2ea205991ca'),
  ),
  affine('block', BLOCK, 0x3cfcfcfe, -3, signed('80b8f12a627fd00942feb0e9215a90c8013a72a8fd195288c0f9326aa0d9114a')),
  block('block', BLOCK, 0x2808, signed('85bdf42c637fd40c4300b5ec245b95cc043c73ad001c538dc4fc346ba5dc144b')),

  // The scale becomes 0: x / 0 is ±Inf, and 0 / 0 is NaN, whose code is 0.
  dynamic('underflow', [1e-45, 0, 1e-45, 0], 0, 255, [255, 0, 255, 0]),
  dynamic('underflow-negative', [-1e-45, 0, -1e-45, 0], 0, 255, [0, 0, 0, 0]),
  dynamic('underflow-both', [-1e-45, 0, 1e-45, 0], 0, 255, [0, 0, 255, 0]),
  dynamic('subnormal', [1e-40, 0, -1e-40, 5e-41], 0x230, 127, [254, 127, 0, 191]),
  // max − min becomes Inf although every value is finite.
  dynamic('overflow', [3.4e38, -3.4e38, 1, 0], INFINITY_BITS, 0, ZEROS),
  dynamic('largest', [MAX, 0, 1e38], 0x7b808080, 0, [255, 0, 75]),

  propagated(dynamic('infinity', [1, 2, Infinity, 0], INFINITY_BITS, 0, ZEROS)),
  propagated(dynamic('negative-infinity', [-Infinity, 1, 2, 0], INFINITY_BITS, 255, [0, 255, 255, 255])),
  propagated(dynamic('both-infinities', [-Infinity, 1, Infinity, 0], INFINITY_BITS, 255, [0, 255, 0, 255])),
  // The rule of the portable path (WebAssembly), which the x86 path does not follow: there a NaN may erase a maximum.
  propagated({ ...dynamic('nan', [1, Number.NaN, 2, 3], NAN_BITS, 255, ZEROS), from: 'formula' }),
  propagated(symmetric('nan', 'vllm-int8-per-token', [1, Number.NaN, -2, 127], 0x3f800000, [1, 0, -2, 127])),
  propagated(symmetric('infinity', 'vllm-int8-per-token', [1, Infinity, -2, 0], INFINITY_BITS, ZEROS)),
  propagated(affine('nan', [1, Number.NaN, 2, 3], NAN_BITS, undefined, [127, 127, 127, 127])),
  propagated(given('special-int8', 'int8', SPECIAL, 1, 3, [-128, 127, -128, 3, 5, 3, 3, 127])),
  propagated(given('special-uint8', 'uint8', SPECIAL, 1, 3, [0, 255, 0, 3, 5, 3, 3, 255])),
  propagated(given('special-int16', 'int16', SPECIAL, 1, 3, [-32768, 32767, -32768, 3, 5, 3, 3, 32767])),
  propagated(given('special-uint16', 'uint16', SPECIAL, 1, 3, [0, 65535, 0, 3, 5, 3, 3, 65535])),

  given('nearest', 'int8', [0.6, 0.9, 1.4, 1.6, -0.6, -1.6, 2.6, -0.9], 1, 0, [1, 1, 1, 2, -1, -2, 3, -1]),
];

const VIEWS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array } as const;

/** The bytes that the codes of a row are: its codes, or for `ggml-q8_0` its block with the scale before them. */
export function goldenCodes(golden: GoldenCase): Integers {
  const { codes, dtype, scaleBits } = golden.expected;
  if (golden.preset !== 'ggml-q8_0') return VIEWS[dtype].from(codes);
  const bits = scaleBits[0]!;
  return Uint8Array.from([bits & 255, bits >> 8, ...codes.map((code) => code & 255)]);
}

/** The input of a row, as float32. */
export function goldenInput(golden: GoldenCase): Float32Array {
  return Float32Array.from(golden.input);
}

/** The float32 of these bits. */
export function fromBits(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}

function symmetric(
  name: string,
  preset: 'torchao-int8' | 'vllm-int8-per-token',
  input: readonly number[],
  scale: number,
  codes: readonly number[],
): GoldenCase {
  const expected = { dtype: 'int8', codes, scaleBits: [scale] } as const;
  return { name: `${name}/${preset}`, preset, options: {}, from: 'formula', input, expected };
}

/** One block of Q8_0; what is missing to 32 values is zeros, with codes of 0. */
function block(name: string, input: readonly number[], scale: number, codes: readonly number[]): GoldenCase {
  const zeros = new Array<number>(32 - input.length).fill(0);
  const expected = { dtype: 'int8', codes: [...codes, ...zeros], scaleBits: [scale] } as const;
  return {
    name: `${name}/ggml-q8_0`,
    preset: 'ggml-q8_0',
    options: {},
    from: 'formula',
    input: [...input, ...zeros],
    expected,
  };
}

/** `onnx-dynamic`: outputs of ONNX Runtime 1.30.0 on x86. */
function dynamic(
  name: string,
  input: readonly number[],
  scale: number,
  zeroPoint: number,
  codes: readonly number[],
): GoldenCase {
  const expected = { dtype: 'uint8', codes, scaleBits: [scale], zeroPoint: [zeroPoint] } as const;
  return { name: `${name}/onnx-dynamic`, preset: 'onnx-dynamic', options: {}, from: 'run', input, expected };
}

/** `onnx-static` with one scale: outputs of ONNX Runtime 1.30.0 on x86. */
function given(
  name: string,
  dtype: VectorCodeDtype,
  input: readonly number[],
  scale: number,
  zeroPoint: number,
  codes: readonly number[],
): GoldenCase {
  const bits = new Uint32Array(Float32Array.of(scale).buffer)[0]!;
  return {
    name: `${name}/onnx-static`,
    preset: 'onnx-static',
    options: { dtype },
    from: 'run',
    input,
    parameters: { scale: [scale], zeroPoint: [zeroPoint] },
    expected: { dtype, codes, scaleBits: [bits], zeroPoint: [zeroPoint] },
  };
}

/** `xnnpack-qd8`. */
function affine(
  name: string,
  input: readonly number[],
  scale: number,
  zeroPoint: number | undefined,
  codes: readonly number[],
): GoldenCase {
  const zero = zeroPoint === undefined ? {} : { zeroPoint: [zeroPoint] };
  const expected = { dtype: 'int8', codes, scaleBits: [scale], ...zero } as const;
  return { name: `${name}/xnnpack-qd8`, preset: 'xnnpack-qd8', options: {}, from: 'formula', input, expected };
}

function propagated(golden: GoldenCase): GoldenCase {
  return { ...golden, nonFinite: 'propagate' };
}

function unsigned(hex: string): number[] {
  return [...Buffer.from(hex, 'hex')];
}

function signed(hex: string): number[] {
  return [...Int8Array.from(Buffer.from(hex, 'hex'))];
}
