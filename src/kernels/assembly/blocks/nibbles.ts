/**
 * Q4_0, Q4_1, Q5_0 and Q5_1: codes of 4 or 5 bits (ggml `quantize_row_q4_0_ref` and its like). Byte j holds the low bits
 * of the codes j and j + 16; the fifth bits lie together, bit i of a 32-bit number being that of code i. B is `i8` for 4
 * bits, `i16` for 5.
 */
import { bytes, MAGIC } from './integers';
import { inverse, peak, quad, storeHalf } from './values';

/** Codes about the middle one, which is that of zero. */
export function centred<T, S, B>(p: usize, q: usize, amax: f32, limit: f32): void {
  const half: f32 = sizeof<B>() == 1 ? 8 : 16;
  const d = peak<T, S>(p, 32, amax, limit) / -half;
  storeHalf(q, d);
  const m = f32x4.splat(inverse(d));
  // x − (−0) is x.
  const zero = f32x4.splat(-0.0);
  const add = f32x4.splat(half + 0.5);
  const low = sixteen<T, S, B>(p, zero, m, add, limit);
  pack<B>(q + 2, low, sixteen<T, S, B>(p + 16 * sizeof<T>(), zero, m, add, limit));
}

/** Codes from the smallest value up. */
export function raised<T, S, B>(p: usize, q: usize, amax: f32, limit: f32): void {
  let least = quad<T, S>(p, limit);
  let most = least;
  for (let i: usize = 4; i < 32; i += 4) {
    const x = quad<T, S>(p + i * sizeof<T>(), limit);
    least = f32x4.pmin(least, x);
    most = f32x4.pmax(most, x);
  }
  least = f32x4.pmin(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  const min0 = f32x4.extract_lane(least, 0);
  const min1 = f32x4.extract_lane(least, 1);
  const max0 = f32x4.extract_lane(most, 0);
  const max1 = f32x4.extract_lane(most, 1);
  let min = min1 < min0 ? min1 : min0;
  const max = max1 > max0 ? max1 : max0;
  // Of zeros of both signs the first one counts.
  if (min == 0) min = firstZero<T, S>(p, limit);
  if (amax != amax) min = NaN;
  let d = (max - min) / <f32>(sizeof<B>() == 1 ? 15 : 31);
  if (d == 0) d = 0;
  storeHalf(q, d);
  storeHalf(q + 2, min);
  const from = f32x4.splat(min);
  const m = f32x4.splat(inverse(d));
  const add = f32x4.splat(0.5);
  const low = sixteen<T, S, B>(p, from, m, add, limit);
  pack<B>(q + 4, low, sixteen<T, S, B>(p + 16 * sizeof<T>(), from, m, add, limit));
}

/** The first zero of 32 values that have one, with its sign. */
function firstZero<T, S>(p: usize, limit: f32): f32 {
  for (let i: usize = 0; i < 32; i += 4) {
    const x = quad<T, S>(p + i * sizeof<T>(), limit);
    const zeros = i32x4.bitmask(f32x4.eq(x, f32x4.splat(0)));
    if (zeros != 0) return (i32x4.bitmask(x) >> ctz(zeros)) & 1 ? -0.0 : 0;
  }
  return 0;
}

/** Sixteen codes `(x − from) · m + add`, cut off, as bytes. */
// @ts-ignore: decorator
@inline
function sixteen<T, S, B>(p: usize, from: v128, m: v128, add: v128, limit: f32): v128 {
  const step = 4 * sizeof<T>();
  const a = cut(f32x4.add(f32x4.mul(f32x4.sub(quad<T, S>(p, limit), from), m), add));
  const b = cut(f32x4.add(f32x4.mul(f32x4.sub(quad<T, S>(p + step, limit), from), m), add));
  const c = cut(f32x4.add(f32x4.mul(f32x4.sub(quad<T, S>(p + 2 * step, limit), from), m), add));
  const e = cut(f32x4.add(f32x4.mul(f32x4.sub(quad<T, S>(p + 3 * step, limit), from), m), add));
  return i8x16.min_u(bytes(a, b, c, e), i8x16.splat(sizeof<B>() == 1 ? 15 : 31));
}

/** The integer below v; 0 for a negative one and for what is not finite. Others are far below 64. */
// @ts-ignore: decorator
@inline
function cut(v: v128): v128 {
  const some = f32x4.pmax(f32x4.splat(0), v);
  const few = f32x4.trunc(v128.and(some, f32x4.lt(some, f32x4.splat(64))));
  return i32x4.sub(f32x4.add(few, f32x4.splat(MAGIC)), i32x4.splat(reinterpret<i32>(MAGIC)));
}

/** Writes codes 0 to 15 and 16 to 31. */
// @ts-ignore: decorator
@inline
export function pack<B>(q: usize, low: v128, high: v128): void {
  if (sizeof<B>() == 1) {
    v128.store(q, v128.or(low, i16x8.shl(high, 4)));
    return;
  }
  const four = i8x16.splat(15);
  const fifths = i8x16.bitmask(i16x8.shl(low, 3)) | (i8x16.bitmask(i16x8.shl(high, 3)) << 16);
  store<i32>(q, fifths);
  v128.store(q + 4, v128.or(v128.and(low, four), i16x8.shl(v128.and(high, four), 4)));
}
