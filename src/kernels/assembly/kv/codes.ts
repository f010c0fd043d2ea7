/**
 * Eight stored codes as float32, straight from their bytes. A type parameter names the codes: `f32` float32, `i8` and `u8`
 * codes of 8 bits, `i16` and `u16` of 4 bits, `i32` and `u32` of 2 bits, `f64` E4M3FN.
 */

/** Bytes of eight codes. */
// @ts-ignore: decorator
@inline
export function eightBytes<T>(): usize {
  if (isFloat<T>()) return sizeof<T>() == 4 ? 32 : 8;
  if (sizeof<T>() == 1) return 8;
  return sizeof<T>() == 2 ? 4 : 2;
}

/** Eight codes at `p` as they lie, but the last four of float32. */
// @ts-ignore: decorator
@inline
export function eight<T>(p: usize): v128 {
  if (isFloat<T>()) return sizeof<T>() == 4 ? v128.load(p) : v128.load_ext<u8>(p);
  if (sizeof<T>() == 1) return isSigned<T>() ? v128.load_ext<i8>(p) : v128.load_ext<u8>(p);
  return sizeof<T>() == 2 ? v128.load_splat<u32>(p) : v128.load_splat<u16>(p);
}

/** The first four of the eight codes `x`. */
// @ts-ignore: decorator
@inline
export function firstFour<T>(x: v128): v128 {
  if (isFloat<T>()) return sizeof<T>() == 4 ? x : float8(i32x4.extend_low_i16x8_u(x));
  if (sizeof<T>() == 1) {
    return f32x4.convert_i32x4_s(isSigned<T>() ? i32x4.extend_low_i16x8_s(x) : i32x4.extend_low_i16x8_u(x));
  }
  // A product by a power of two moves each code to the top of its lane.
  if (sizeof<T>() == 2) return shifted<T>(i32x4.mul(x, i32x4(1 << 28, 1 << 24, 1 << 20, 1 << 16)), 28);
  return shifted<T>(i32x4.mul(x, i32x4(1 << 30, 1 << 28, 1 << 26, 1 << 24)), 30);
}

/** The last four of the eight codes `x`, which lie at `p`. */
// @ts-ignore: decorator
@inline
export function lastFour<T>(x: v128, p: usize): v128 {
  if (isFloat<T>()) return sizeof<T>() == 4 ? v128.load(p, 16) : float8(i32x4.extend_high_i16x8_u(x));
  if (sizeof<T>() == 1) {
    return f32x4.convert_i32x4_s(isSigned<T>() ? i32x4.extend_high_i16x8_s(x) : i32x4.extend_high_i16x8_u(x));
  }
  if (sizeof<T>() == 2) return shifted<T>(i32x4.mul(x, i32x4(1 << 12, 1 << 8, 1 << 4, 1)), 28);
  return shifted<T>(i32x4.mul(x, i32x4(1 << 22, 1 << 20, 1 << 18, 1 << 16)), 30);
}

/** Codes in the top bits of each lane. */
// @ts-ignore: decorator
@inline
function shifted<T>(x: v128, bits: i32): v128 {
  return f32x4.convert_i32x4_s(isSigned<T>() ? i32x4.shr_s(x, bits) : i32x4.shr_u(x, bits));
}

/** E4M3FN in 32-bit lanes: exponent and mantissa stand where those of float32 do, 120 below. */
// @ts-ignore: decorator
@inline
function float8(x: v128): v128 {
  const magnitude = i32x4.shl(v128.and(x, i32x4.splat(0x7f)), 20);
  const sign = i32x4.shl(v128.and(x, i32x4.splat(0x80)), 24);
  return v128.or(f32x4.mul(magnitude, f32x4.splat(reinterpret<f32>(0x7b800000))), sign);
}
