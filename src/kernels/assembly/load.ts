/**
 * Loading of values as float32. A type parameter names the input: `f32` float32, `u16` float16, `i16` bfloat16
 * (`sizeof` and signedness are compile-time facts, so that each kernel is compiled once per input type).
 */
import { Dtype } from '../../scheme/codes';

/** Four values at `p` as f32x4; float16 infinities and NaNs come out finite, so only for values known to be finite. */
// @ts-ignore: decorator
@inline
export function four<T>(p: usize): v128 {
  if (isFloat<T>()) return v128.load(p);
  if (isSigned<T>()) return i32x4.shl(v128.load_ext<u16>(p), 16);
  return widen(v128.load_ext<i16>(p));
}

/** Values 8 · `half` to 8 · `half` + 7 of 16 bits at `p`; nothing for float32. */
// @ts-ignore: decorator
@inline
export function eight<T>(p: usize, half: usize): v128 {
  return isFloat<T>() ? i32x4.splat(0) : v128.load(p + (half << 4));
}

/** The first four of eight finite values of 16 bits as f32x4. */
// @ts-ignore: decorator
@inline
export function lowFour<T>(bits: v128): v128 {
  return fromHighBits<T>(v128.shuffle<i16>(i32x4.splat(0), bits, 0, 8, 1, 9, 2, 10, 3, 11));
}

/** The last four of eight finite values of 16 bits as f32x4. */
// @ts-ignore: decorator
@inline
export function highFour<T>(bits: v128): v128 {
  return fromHighBits<T>(v128.shuffle<i16>(i32x4.splat(0), bits, 4, 12, 5, 13, 6, 14, 7, 15));
}

// @ts-ignore: decorator
@inline
function fromHighBits<T>(bits: v128): v128 {
  return isSigned<T>() ? bits : scaledUp(i32x4.shr_s(bits, 3));
}

/** Four values at `p` as f32x4, infinities and NaNs kept. */
// @ts-ignore: decorator
@inline
export function fourExact<T>(p: usize): v128 {
  if (isFloat<T>() || isSigned<T>()) return four<T>(p);
  const bits = v128.load_ext<i16>(p);
  const special = i32x4.gt_s(v128.and(bits, i32x4.splat(0x7fff)), i32x4.splat(0x7bff));
  return v128.or(widen(bits), v128.and(special, i32x4.splat(0x7f800000)));
}

/**
 * float16 bits, sign-extended to 32-bit lanes, to float32: the exponent is moved by an exact multiplication, so subnormals
 * are right.
 */
// @ts-ignore: decorator
@inline
function widen(bits: v128): v128 {
  return scaledUp(i32x4.shl(bits, 13));
}

/** Sign, exponent and mantissa of float16 where float32 has them, whose missing bits of the exponent repeat the sign. */
// @ts-ignore: decorator
@inline
function scaledUp(bits: v128): v128 {
  return f32x4.mul(v128.and(bits, i32x4.splat(0x8fffffff)), f32x4.splat(reinterpret<f32>(0x77800000)));
}

/** The value at `p` as float32, exactly. */
export function one(dtype: i32, p: usize): f32 {
  if (dtype == Dtype.Float32) return load<f32>(p);
  if (dtype == Dtype.Bfloat16) return reinterpret<f32>(<i32>load<u16>(p) << 16);
  return reinterpret<f32>(halfBits(load<u16>(p)));
}

/** Bytes of a value. */
// @ts-ignore: decorator
@inline
export function bytesOf(dtype: i32): usize {
  return dtype == Dtype.Float32 ? 4 : 2;
}

/** float32 bits of float16 bits, exactly; NaN payloads are kept. */
export function halfBits(half: i32): i32 {
  const sign = (half & 0x8000) << 16;
  const magnitude = (half & 0x7fff) << 13;
  if (magnitude >= 0x0f800000) return sign | magnitude | 0x7f800000;
  return sign | reinterpret<i32>(reinterpret<f32>(magnitude) * reinterpret<f32>(0x77800000));
}

/** float16 bits of a float32, half-to-even, overflow to infinity. */
export function halfOf(x: f32): i32 {
  const bits = reinterpret<i32>(x);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 the result is subnormal: adding 0.5 puts its last place where float32 rounds half to even.
  if (magnitude < 0x38800000) return sign | (reinterpret<i32>(reinterpret<f32>(magnitude) + 0.5) - 0x3f000000);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
}
