/**
 * Values of a block: loading, and what a block format asks of all of them. Type parameters are compile-time choices: T
 * the input (see `load`); S `i8` for values as they are, `i16` for values made finite first (policy `saturate`): NaN
 * zero, and what is beyond `limit` the limit.
 */
import { fourExact, halfBits, halfOf } from '../load';

/** Four values at `p`. */
// @ts-ignore: decorator
@inline
export function quad<T, S>(p: usize, limit: f32): v128 {
  return limited<S>(fourExact<T>(p), limit);
}

/** Values as S says. */
// @ts-ignore: decorator
@inline
export function limited<S>(x: v128, limit: f32): v128 {
  if (sizeof<S>() == 1) return x;
  const known = v128.and(x, f32x4.eq(x, x));
  return f32x4.pmax(f32x4.pmin(known, f32x4.splat(limit)), f32x4.splat(-limit));
}

/** The four absolute values in lanes. */
// @ts-ignore: decorator
@inline
export function magnitudes(x: v128): v128 {
  return v128.and(x, i32x4.splat(i32.MAX_VALUE));
}

/** Bits of the largest of `n` magnitudes, a multiple of 16; as integers, NaN is the largest and infinity the next. */
// @ts-ignore: decorator
@inline
export function largestBits<T, S>(p: usize, n: usize, limit: f32): i32 {
  const end = p + n * sizeof<T>();
  let a = i32x4.splat(0);
  let b = a;
  if (!isFloat<T>() && sizeof<S>() == 1) {
    // Magnitudes of 16 bits are in the order of their float32.
    const magnitude = i16x8.splat(i16.MAX_VALUE);
    for (; p < end; p += 32) {
      a = i16x8.max_s(a, v128.and(v128.load(p), magnitude));
      b = i16x8.max_s(b, v128.and(v128.load(p, 16), magnitude));
    }
    a = i16x8.max_s(a, b);
    a = i16x8.max_s(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
    a = i16x8.max_s(a, v128.shuffle<i32>(a, a, 1, 0, 3, 2));
    const most = max<i32>(i16x8.extract_lane_s(a, 0), i16x8.extract_lane_s(a, 1));
    return isSigned<T>() ? most << 16 : halfBits(most);
  }
  for (; p < end; p += 16 * sizeof<T>()) {
    a = i32x4.max_s(a, magnitudes(quad<T, S>(p, limit)));
    b = i32x4.max_s(b, magnitudes(quad<T, S>(p + 4 * sizeof<T>(), limit)));
    a = i32x4.max_s(a, magnitudes(quad<T, S>(p + 8 * sizeof<T>(), limit)));
    b = i32x4.max_s(b, magnitudes(quad<T, S>(p + 12 * sizeof<T>(), limit)));
  }
  a = i32x4.max_s(a, b);
  a = i32x4.max_s(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
  return max<i32>(i32x4.extract_lane(a, 0), i32x4.extract_lane(a, 1));
}

/** The float of magnitude bits, every NaN the canonical one. */
// @ts-ignore: decorator
@inline
export function magnitudeOf(bits: i32): f32 {
  return bits > 0x7f800000 ? NaN : reinterpret<f32>(bits);
}

/** The first of `n` values whose magnitude is `amax`, with its sign; NaN for NaN, and +0 where all are zero. */
export function peak<T, S>(p: usize, n: usize, amax: f32, limit: f32): f32 {
  if (!(amax > 0)) return amax;
  const most = f32x4.splat(amax);
  const step = 4 * sizeof<T>();
  for (let i: usize = 0; i < n; i += 16) {
    const at = p + i * sizeof<T>();
    const a = f32x4.eq(magnitudes(quad<T, S>(at, limit)), most);
    const b = f32x4.eq(magnitudes(quad<T, S>(at + step, limit)), most);
    const c = f32x4.eq(magnitudes(quad<T, S>(at + 2 * step, limit)), most);
    const e = f32x4.eq(magnitudes(quad<T, S>(at + 3 * step, limit)), most);
    const found = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, e)));
    if (found == 0) continue;
    const first = at + <usize>ctz(found) * sizeof<T>();
    const sign = isFloat<T>() ? load<i32>(first) : <i32>load<i16>(first);
    return sign < 0 ? -amax : amax;
  }
  return amax;
}

/** 1 / d, and 0 where d is. */
// @ts-ignore: decorator
@inline
export function inverse(d: f32): f32 {
  return d == 0 ? 0 : <f32>1 / d;
}

/** Writes the float16 nearest to `x`, every NaN the canonical one. */
export function storeHalf(q: usize, x: f32): void {
  store<u16>(q, x == x ? <u16>halfOf(x) : 0x7e00);
}
