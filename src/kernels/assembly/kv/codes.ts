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

/** Eight floats at `p` as they lie: of float32 the first four, of E4M3FN all. */
// @ts-ignore: decorator
@inline
export function floats<T>(p: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(p);
  // Sign, exponent and mantissa where the upper half of a float32 has them, the exponent 120 below.
  return v128.and(i16x8.shl(v128.load_ext<i8>(p), 4), i16x8.splat(<i16>0x87f0));
}

/** The first four of the floats `x`. */
// @ts-ignore: decorator
@inline
export function firstFour<T>(x: v128): v128 {
  if (sizeof<T>() == 4) return x;
  return raised(v128.shuffle<i16>(i32x4.splat(0), x, 0, 8, 1, 9, 2, 10, 3, 11));
}

/** The last four of the floats `x`, which lie at `p`. */
// @ts-ignore: decorator
@inline
export function lastFour<T>(x: v128, p: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(p, 16);
  return raised(v128.shuffle<i16>(i32x4.splat(0), x, 4, 12, 5, 13, 6, 14, 7, 15));
}

/** Floats times 2^120, exactly; subnormal ones too. */
// @ts-ignore: decorator
@inline
function raised(x: v128): v128 {
  return f32x4.mul(x, f32x4.splat(reinterpret<f32>(0x7b800000)));
}
