/**
 * Eight stored codes, straight from their bytes. A type parameter names the codes: `i8` and `u8` integers of 8 bits, `i16`
 * and `u16` of 4 bits, `i32` and `u32` of 2 bits, `f32` float32, `f64` E4M3FN.
 */

/** Bytes of eight codes. */
// @ts-ignore: decorator
@inline
export function eightBytes<T>(): usize {
  if (isFloat<T>()) return sizeof<T>() == 4 ? 32 : 8;
  if (sizeof<T>() == 1) return 8;
  return sizeof<T>() == 2 ? 4 : 2;
}

/** Eight integers at `p` in 16-bit lanes; those of 4 bits come in the order 0 4 1 5 2 6 3 7. */
// @ts-ignore: decorator
@inline
export function integers<T>(p: usize): v128 {
  if (sizeof<T>() == 1) return isSigned<T>() ? v128.load_ext<i8>(p) : v128.load_ext<u8>(p);
  // A product by a power of two moves each code to the top of its lane.
  if (sizeof<T>() == 2) {
    const x = i16x8.mul(v128.load_splat<u32>(p), i16x8(1 << 12, 1 << 12, 1 << 8, 1 << 8, 1 << 4, 1 << 4, 1, 1));
    return isSigned<T>() ? i16x8.shr_s(x, 12) : i16x8.shr_u(x, 12);
  }
  const x = i16x8.mul(v128.load_splat<u16>(p), i16x8(1 << 14, 1 << 12, 1 << 10, 1 << 8, 1 << 6, 1 << 4, 1 << 2, 1));
  return isSigned<T>() ? i16x8.shr_s(x, 14) : i16x8.shr_u(x, 14);
}

/** Whether `integers` gives another order than that of the codes. */
// @ts-ignore: decorator
@inline
export function isMixed<T>(): bool {
  return sizeof<T>() == 2;
}

/** Eight values in the order of `integers`, where that is another one. */
// @ts-ignore: decorator
@inline
export function mixed(x: v128): v128 {
  return v128.shuffle<i16>(x, x, 0, 4, 1, 5, 2, 6, 3, 7);
}

/** The first four of eight floats at `p`. */
// @ts-ignore: decorator
@inline
export function firstFour<T>(p: usize): v128 {
  return sizeof<T>() == 4 ? v128.load(p) : float8(v128.load_ext<u8>(p), true);
}

/** The last four of eight floats at `p`. */
// @ts-ignore: decorator
@inline
export function lastFour<T>(p: usize): v128 {
  return sizeof<T>() == 4 ? v128.load(p, 16) : float8(v128.load_ext<u8>(p), false);
}

/** E4M3FN in 16-bit lanes as float32: exponent and mantissa stand where those of float32 do, 120 below. */
// @ts-ignore: decorator
@inline
function float8(codes: v128, isFirst: bool): v128 {
  const x = isFirst ? i32x4.extend_low_i16x8_u(codes) : i32x4.extend_high_i16x8_u(codes);
  const magnitude = i32x4.shl(v128.and(x, i32x4.splat(0x7f)), 20);
  const sign = i32x4.shl(v128.and(x, i32x4.splat(0x80)), 24);
  return v128.or(f32x4.mul(magnitude, f32x4.splat(reinterpret<f32>(0x7b800000))), sign);
}
