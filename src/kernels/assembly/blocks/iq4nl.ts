/**
 * IQ4_NL: places in a table of 16 values (ggml `quantize_row_iq4_nl_ref`: one candidate scale, then the scale of the
 * least squares with the weights x²).
 */
import { pack } from './nibbles';
import { inverse, peak, quad, storeHalf } from './values';

/** Below this largest magnitude a block counts as zeros. */
const SMALLEST: f32 = 1e-15;

/** The sums so far, one in each of two lanes. */
let sums: v128 = i32x4.splat(0);

/** The table, as signed bytes. */
// @ts-ignore: decorator
@inline
export function table(): v128 {
  return i8x16(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
}

/** A block. */
export function iq4_nl<T, S>(p: usize, q: usize, amax: f32, limit: f32): void {
  const isZero = amax < SMALLEST;
  const id: f32 = isZero ? 0 : inverse(peak<T, S>(p, 32, amax, limit) / -127);
  const m = f32x4.splat(id);
  sums = i32x4.splat(0);
  const low = places<T, S>(p, m, limit);
  add<T, S>(p, low, limit);
  const high = places<T, S>(p + 16 * sizeof<T>(), m, limit);
  add<T, S>(p + 16 * sizeof<T>(), high, limit);
  storeHalf(q, isZero ? 0 : f32x4.extract_lane(sums, 0) / f32x4.extract_lane(sums, 1));
  pack<i8>(q + 2, low, high);
}

/** Places of sixteen values: those of the nearest numbers, ties up; NaN has that of zero. */
// @ts-ignore: decorator
@inline
function places<T, S>(p: usize, m: v128, limit: f32): v128 {
  const step = 4 * sizeof<T>();
  const a = halves(f32x4.mul(quad<T, S>(p, limit), m));
  const b = halves(f32x4.mul(quad<T, S>(p + step, limit), m));
  const c = halves(f32x4.mul(quad<T, S>(p + 2 * step, limit), m));
  const e = halves(f32x4.mul(quad<T, S>(p + 3 * step, limit), m));
  return i8x16.narrow_i16x8_s(place(i16x8.narrow_i32x4_s(a, b)), place(i16x8.narrow_i32x4_s(c, e)));
}

/** ⌊2v⌋: the middles between the table's numbers are whole halves. */
// @ts-ignore: decorator
@inline
function halves(v: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.floor(f32x4.add(v, v)));
}

/** How many of the middles, in halves, are not above. */
// @ts-ignore: decorator
@inline
function place(v: v128): v128 {
  let count = i16x8.ge_s(v, i16x8.splat(-231));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(-187)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(-148)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(-114)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(-84)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(-57)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(-32)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(-9)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(14)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(38)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(63)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(91)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(122)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(158)));
  count = i16x8.add(count, i16x8.ge_s(v, i16x8.splat(202)));
  return i16x8.neg(count);
}

/** Adds sixteen values and their places to the sums, in their order: Σ w·q·x and Σ w·q·q. */
// @ts-ignore: decorator
@inline
function add<T, S>(p: usize, found: v128, limit: f32): void {
  const numbers = i8x16.swizzle(table(), found);
  const low = i16x8.extend_low_i8x16_s(numbers);
  const high = i16x8.extend_high_i8x16_s(numbers);
  const step = 4 * sizeof<T>();
  addFour(quad<T, S>(p, limit), i32x4.extend_low_i16x8_s(low));
  addFour(quad<T, S>(p + step, limit), i32x4.extend_high_i16x8_s(low));
  addFour(quad<T, S>(p + 2 * step, limit), i32x4.extend_low_i16x8_s(high));
  addFour(quad<T, S>(p + 3 * step, limit), i32x4.extend_high_i16x8_s(high));
}

// @ts-ignore: decorator
@inline
function addFour(x: v128, integers: v128): void {
  const q = f32x4.convert_i32x4_s(integers);
  const weighted = f32x4.mul(f32x4.mul(x, x), q);
  const above = f32x4.mul(weighted, x);
  const below = f32x4.mul(weighted, q);
  const first = v128.shuffle<i32>(above, below, 0, 4, 1, 5);
  const second = v128.shuffle<i32>(above, below, 2, 6, 3, 7);
  let sum = f32x4.add(sums, first);
  sum = f32x4.add(sum, v128.shuffle<i64>(first, first, 1, 0));
  sum = f32x4.add(sum, second);
  sums = f32x4.add(sum, v128.shuffle<i64>(second, second, 1, 0));
}
