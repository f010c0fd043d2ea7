/** Golden rows at the ends of float32, and of NaN and ±Inf where they propagate. */
import { fromBits, type GoldenRow, type GoldenTable, givenRow, rowsOf } from './row.js';

const MAX = 3.4028234663852886e38;
const INFINITY = Number.POSITIVE_INFINITY;

/** A row of `onnx-dynamic`: what ONNX Runtime 1.30.0 gives on x86. */
function dynamic(input: readonly number[], scale: number, zeroPoint: number, codes: readonly number[]): GoldenRow {
  return rowsOf(input)('onnx-dynamic', codes, scale, zeroPoint, { from: 'run' });
}

const LIMITS: readonly GoldenRow[] = [
  // The scale becomes 0: x / 0 is ±Inf, and 0 / 0 is NaN, whose code is 0.
  dynamic([1e-45, 0, 1e-45, 0], 0, 255, [255, 0, 255, 0]),
  dynamic([-1e-45, 0, -1e-45, 0], 0, 255, [0, 0, 0, 0]),
  dynamic([-1e-45, 0, 1e-45, 0], 0, 255, [0, 0, 255, 0]),
  dynamic([1e-40, 0, -1e-40, 5e-41], fromBits(0x230), 127, [254, 127, 0, 191]),
  // max − min becomes Inf although every value is finite.
  dynamic([3.4e38, -3.4e38, 1, 0], INFINITY, 0, [0, 0, 0, 0]),
  dynamic([MAX, 0, 1e38], fromBits(0x7b808080), 0, [255, 0, 75]),
  givenRow('onnx-static', [0.6, 0.9, 1.4, 1.6, -0.6, -1.6, 2.6, -0.9], [1, 1, 1, 2, -1, -2, 3, -1], 1, 0, {
    options: { dtype: 'int8' },
    from: 'run',
  }),
];

const SPECIAL = [Number.NaN, INFINITY, -INFINITY, 0.5, 1.5, -0.5, 0, 1e30];

/** A row of `onnx-static` with scale 1 and zero point 3. */
function special(dtype: string, [low, high]: readonly [number, number]): GoldenRow {
  const codes = [low, high, low, 3, 5, 3, 3, high];
  return givenRow('onnx-static', SPECIAL, codes, 1, 3, { options: { dtype }, from: 'run' });
}

const NON_FINITE: readonly GoldenRow[] = [
  dynamic([1, 2, INFINITY, 0], INFINITY, 0, [0, 0, 0, 0]),
  dynamic([-INFINITY, 1, 2, 0], INFINITY, 255, [0, 255, 255, 255]),
  dynamic([-INFINITY, 1, INFINITY, 0], INFINITY, 255, [0, 255, 0, 255]),
  // The rule of the portable path (WebAssembly), which the x86 path does not follow: there a NaN may erase a maximum.
  rowsOf([1, Number.NaN, 2, 3])('onnx-dynamic', [0, 0, 0, 0], Number.NaN, 255),
  rowsOf([1, Number.NaN, -2, 127])('vllm-int8-per-token', [1, 0, -2, 127], 1),
  rowsOf([1, INFINITY, -2, 0])('vllm-int8-per-token', [0, 0, 0, 0], INFINITY),
  rowsOf([1, Number.NaN, 2, 3])('xnnpack-qd8', [127, 127, 127, 127], Number.NaN),
  special('int8', [-128, 127]),
  special('uint8', [0, 255]),
  special('int16', [-32768, 32767]),
  special('uint16', [0, 65535]),
].map((row): GoldenRow => ({ ...row, nonFinite: 'propagate' }));

/** The ends of float32, and beyond them. */
export const EDGES: GoldenTable = { limits: LIMITS, 'NaN and infinity': NON_FINITE };
