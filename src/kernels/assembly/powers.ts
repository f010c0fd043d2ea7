/**
 * Scales that are powers of two, as an exponent byte (E8M0), and scales in E4M3FN.
 */
import { PowerRule } from '../../scheme/codes';

/** The exponent that `rule` makes of the bits of a positive finite float32; of `mantissa` bits are those of the code. */
export function exponentOf(rule: i32, bits: i32, mantissa: i32): i32 {
  if (rule == PowerRule.ExtentEven) bits += 1 << (22 - mantissa);
  const exponent = (bits >> 23) - 127;
  const fraction = bits & 0x7fffff;
  if (rule == PowerRule.ExtentCeil) return exponent + i32(fraction != 0);
  if (rule != PowerRule.ScaleCeil) return exponent;
  // Below the normal numbers the next power of two is 2^-126 from 1.5 · 2^-127 on, as hardware rounds.
  return exponent + i32(exponent == -127 ? fraction > 0x400000 : fraction != 0);
}

/** The byte of an exponent, at least 0 and below that of NaN. */
// @ts-ignore: decorator
@inline
export function biased(exponent: i32): i32 {
  return min<i32>(254, max<i32>(0, exponent + 127));
}

/** The power of two of an exponent byte; 255 is NaN. */
// @ts-ignore: decorator
@inline
export function powerOf(byte: i32): f32 {
  return reinterpret<f32>(byte == 0 ? 0x00400000 : byte == 255 ? 0x7fc00000 : byte << 23);
}

/** The exponent byte of a power of two. */
// @ts-ignore: decorator
@inline
export function scaleByte(scale: f32): i32 {
  return scale == scale ? reinterpret<i32>(scale) >> 23 : 255;
}

/** The E4M3FN nearest to a positive scale, ties to even, at least 2^-6 and at most 448. */
export function e4m3Of(scale: f32): i32 {
  if (scale != scale) return 0x7f;
  const bits = reinterpret<i32>(min<f32>(448, max<f32>(0.015625, scale)));
  return ((bits + 0x7ffff + ((bits >> 20) & 1)) >> 20) - (120 << 3);
}

/** The value of a positive E4M3FN. */
export function e4m3Value(byte: i32): f32 {
  if (byte >= 0x7f) return NaN;
  if (byte >= 8) return reinterpret<f32>((byte + (120 << 3)) << 20);
  return <f32>byte * 0.001953125;
}
