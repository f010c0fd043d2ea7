/**
 * Codes that are small floats (`Element.Minifloat`): a sign, an exponent and a mantissa of sizes that the descriptor
 * gives, rounded half to even, saturating, subnormals kept (equation 26).
 */
import { Word } from '../../scheme/descriptor';
import { real, word } from './words';

/** How far a mantissa of float32 is shifted, and a sign. */
let shift: i32 = 20;
let signShift: i32 = 24;
let signBit: i32 = 0x80;
/** Less than half a step, in the bits of float32. */
let belowHalf: i32 = 0;
/** What the bits of float32, shifted, have more in the exponent. */
let rebias: i32 = 0;
/** The first normal number. */
let normal: f32 = 0;
/** Added to a smaller one, it leaves the code in the low bits. */
let magic: f32 = 0;
/** The smallest step. */
let step: f32 = 0;
let most: f32 = 0;
let special: i32 = 0;
let infinity: i32 = 0;
let isUnsignedZero: bool = false;
/** The same in every lane, where the loops want them: a load, not a load and a splat. */
let signBits: v128 = i32x4.splat(0);
let magnitudeBits: v128 = i32x4.splat(0);
let lastBits: v128 = i32x4.splat(0);
let halves: v128 = i32x4.splat(0);
let rebiases: v128 = i32x4.splat(0);
let normals: v128 = i32x4.splat(0);
let magics: v128 = i32x4.splat(0);
let steps: v128 = i32x4.splat(0);
let mosts: v128 = i32x4.splat(0);

/** Chooses the float that the codes of `d` are. */
export function chooseFloat(d: usize): void {
  const mantissa = word(d, Word.Mantissa);
  const bias = word(d, Word.Bias);
  shift = 23 - mantissa;
  signBit = word(d, Word.SignBit);
  signShift = 31 - ctz(signBit);
  belowHalf = (1 << (shift - 1)) - 1;
  rebias = (127 - bias) << mantissa;
  normal = reinterpret<f32>((128 - bias) << 23);
  magic = reinterpret<f32>((128 - bias - mantissa + 23) << 23);
  step = reinterpret<f32>((128 - bias - mantissa) << 23);
  most = real(d, Word.Most);
  special = word(d, Word.Special);
  infinity = word(d, Word.HasInfinity) != 0 ? special : -1;
  isUnsignedZero = word(d, Word.UnsignedZero) != 0;
  signBits = i32x4.splat(signBit);
  magnitudeBits = i32x4.splat(signBit - 1);
  lastBits = i32x4.splat(1 << shift);
  halves = i32x4.splat(belowHalf);
  rebiases = i32x4.splat(rebias);
  normals = f32x4.splat(normal);
  magics = f32x4.splat(magic);
  steps = f32x4.splat(step);
  mosts = f32x4.splat(most);
}

/** Four codes in 32-bit lanes; no value is NaN. */
// @ts-ignore: decorator
@inline
export function floatCodes(v: v128): v128 {
  const magnitude = f32x4.pmin(v128.and(v, i32x4.splat(0x7fffffff)), mosts);
  // What is odd is −1 here.
  const odd = i32x4.eq(v128.and(magnitude, lastBits), lastBits);
  const even = i32x4.sub(i32x4.add(magnitude, halves), odd);
  const large = i32x4.sub(i32x4.shr_u(even, shift), rebiases);
  const small = i32x4.sub(f32x4.add(magnitude, magics), magics);
  const codes = v128.bitselect(small, large, i32x4.lt_s(magnitude, normals));
  const sign = v128.and(i32x4.shr_s(v, 31), signBits);
  if (!isUnsignedZero) return v128.or(codes, sign);
  return v128.or(codes, v128.and(sign, i32x4.ne(codes, i32x4.splat(0))));
}

/** The code of a value that is not NaN. */
export function floatCode(v: f32): i32 {
  const magnitude = min<f32>(abs(v), most);
  const bits = reinterpret<i32>(magnitude);
  const code =
    magnitude < normal
      ? reinterpret<i32>(magnitude + magic) - reinterpret<i32>(magic)
      : ((bits + belowHalf + ((bits >> shift) & 1)) >> shift) - rebias;
  if (isUnsignedZero && code == 0) return 0;
  return code | ((reinterpret<i32>(v) >>> signShift) & signBit);
}

/** What four codes in 32-bit lanes stand for. */
// @ts-ignore: decorator
@inline
export function floatValues(codes: v128): v128 {
  const magnitude = v128.and(codes, i32x4.splat(signBit - 1));
  const large = i32x4.shl(i32x4.add(magnitude, i32x4.splat(rebias)), shift);
  const small = f32x4.mul(f32x4.convert_i32x4_s(magnitude), f32x4.splat(step));
  const firstNormal = i32x4.splat((1 << 23) >> shift);
  let x = v128.bitselect(small, large, i32x4.lt_s(magnitude, firstNormal));
  const isSpecial = i32x4.ge_s(magnitude, i32x4.splat(special));
  const isInfinite = i32x4.eq(magnitude, i32x4.splat(infinity));
  const none = v128.bitselect(i32x4.splat(0x7f800000), i32x4.splat(0x7fc00000), isInfinite);
  x = v128.bitselect(none, x, isSpecial);
  x = v128.or(x, i32x4.shl(v128.and(codes, i32x4.splat(signBit)), signShift));
  if (!isUnsignedZero) return x;
  return v128.bitselect(i32x4.splat(0x7fc00000), x, i32x4.eq(codes, i32x4.splat(signBit)));
}

/** Whether any of sixteen codes, a byte each, is infinity, NaN or the zero with a sign that is none. */
// @ts-ignore: decorator
@inline
export function anySpecial(codes: v128): bool {
  if (isUnsignedZero && v128.any_true(i8x16.eq(codes, i8x16.splat(<i8>signBit)))) return true;
  if (special > signBit - 1) return false;
  return v128.any_true(i8x16.ge_u(v128.and(codes, i8x16.splat(<i8>(signBit - 1))), i8x16.splat(<i8>special)));
}

/** What four codes stand for, none of which `anySpecial` finds; M `i8` for 3 bits of mantissa, `i16` for 2, `i32` for 1. */
// @ts-ignore: decorator
@inline
export function plainFloatValues<M>(codes: v128): v128 {
  const mantissa = sizeof<M>() == 1 ? 3 : sizeof<M>() == 2 ? 2 : 1;
  const magnitude = v128.and(codes, magnitudeBits);
  const large = i32x4.shl(i32x4.add(magnitude, rebiases), 23 - mantissa);
  const small = f32x4.mul(f32x4.convert_i32x4_s(magnitude), steps);
  const x = v128.bitselect(small, large, i32x4.lt_s(magnitude, i32x4.splat(1 << mantissa)));
  return v128.or(x, i32x4.shl(v128.and(codes, signBits), signShift));
}

/** Bits of the mantissa of the float chosen. */
// @ts-ignore: decorator
@inline
export function mantissaBits(): i32 {
  return 23 - shift;
}

/** What a code stands for. */
export function floatValue(code: i32): f32 {
  return f32x4.extract_lane(floatValues(i32x4.splat(code)), 0);
}
