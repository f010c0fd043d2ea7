/**
 * From scaled values to integers, sixteen at a time.
 */

/** 1.5 · 2^23: added to |v| < 2^22 it leaves the integer nearest to v, ties to even, in the low bits. */
export const MAGIC: f32 = 12582912;
/** The largest float32 below one half: v plus it (with v's sign), truncated, is v rounded half away from zero. */
const BELOW_HALF: f32 = reinterpret<f32>(0x3effffff);

/** The integer nearest to |v| < 2^22; R `i8` ties to even, `i16` away from zero. */
// @ts-ignore: decorator
@inline
export function nearestInteger<R>(v: v128): v128 {
  return i32x4.sub(f32x4.add(whole<R>(v), f32x4.splat(MAGIC)), i32x4.splat(reinterpret<i32>(MAGIC)));
}

/** The same for any v: NaN is 0, and what no int32 holds its nearest end. */
// @ts-ignore: decorator
@inline
export function anyInteger<R>(v: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(sizeof<R>() == 1 ? f32x4.nearest(v) : whole<R>(v));
}

// @ts-ignore: decorator
@inline
function whole<R>(v: v128): v128 {
  if (sizeof<R>() == 1) return v;
  const sign = v128.and(v, i32x4.splat(i32.MIN_VALUE));
  return f32x4.trunc(f32x4.add(v, v128.or(sign, f32x4.splat(BELOW_HALF))));
}

/** Sixteen integers as signed bytes, saturated. */
// @ts-ignore: decorator
@inline
export function bytes(a: v128, b: v128, c: v128, e: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, e));
}

/** The sum of sixteen signed bytes. */
// @ts-ignore: decorator
@inline
export function sumOf(codes: v128): i32 {
  let sum = i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(codes));
  sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  return i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1);
}
