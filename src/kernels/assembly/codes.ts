/**
 * From values to codes. `fast` is the vector path for values that are finite and, scaled, below 2^21; `careful` is
 * the path for everything else, value by value. Both give the same bits where both apply.
 *
 * Type parameters are compile-time choices: T the input (see `load`), A `f64` to divide, `i16` to divide in float16 or
 * `f32` to multiply, R `i8` half to even, `i16` half away, `i32` truncate or `f32` to a small float, W `i8` or `i16` the
 * width of a code, or `u8` where every byte is a code, so that narrowing cuts off all that is to be cut off. The paths with a zero point that is added before rounding are in `before`, those from a minimum in
 * `offset`, stochastic rounding in `stochastic`.
 */
import { Added, Apply, Element, NonFinite, Rounding, Storage } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { roundedUpBy } from './chance';
import { floatCode, floatCodes } from './floats';
import { bytesOf, eight, halfBits, halfOf, highFour, lowFour, one } from './load';
import { dividesRagged, largest, minimum, multiplier, multiplies, scale, smallest, wideMultiplier, zeroPoint } from './parameters';
import { dirty } from './range';
import { fp4Codes, nf4Codes } from './tables';
import { address, real, word } from './words';
import { rounded } from './zero-point';

/** 1.5 · 2^23: added to |v| < 2^22 it leaves the integer nearest to v, ties to even, in the low bits. */
const MAGIC: f32 = 12582912;
/** The largest float32 below one half: v plus it (with v's sign), truncated, is v rounded half away from zero. */
const BELOW_HALF: f32 = reinterpret<f32>(0x3effffff);

/** Bytes of a code. */
// @ts-ignore: decorator
@inline
export function codeBytes(d: usize): usize {
  return word(d, Word.Storage) <= Storage.Uint8 ? 1 : 2;
}

/** At least 16 values; a tail is the last 16 again. */
export function fast<T, A, R, W>(d: usize, p: usize, n: usize, q: usize): void {
  const m = f32x4.splat(multiplier);
  const z = i32x4.splat(zeroOffset<W>(d, zeroPoint));
  const lo = lowest<W>(d);
  const hi = highest<W>(d);
  const flip = flipMask<W>(d);
  const end = p + n * sizeof<T>();
  const last = end - 16 * sizeof<T>();
  // Four at a time: the engine looks for interrupts in every turn of a loop. The rounding of most schemes only, for code
  // has a price too: a lane waits for its compilation.
  while (sizeof<R>() == 1 && p + 64 * sizeof<T>() <= end) {
    sixteen<T, A, R, W>(p, q, m, m, m, m, z, z, z, z, lo, hi, flip);
    sixteen<T, A, R, W>(p + 16 * sizeof<T>(), q + 16 * sizeof<W>(), m, m, m, m, z, z, z, z, lo, hi, flip);
    sixteen<T, A, R, W>(p + 32 * sizeof<T>(), q + 32 * sizeof<W>(), m, m, m, m, z, z, z, z, lo, hi, flip);
    sixteen<T, A, R, W>(p + 48 * sizeof<T>(), q + 48 * sizeof<W>(), m, m, m, m, z, z, z, z, lo, hi, flip);
    p += 64 * sizeof<T>();
    q += 64 * sizeof<W>();
  }
  while (p < end) {
    if (p > last) {
      q -= ((p - last) / sizeof<T>()) * sizeof<W>();
      p = last;
    }
    sixteen<T, A, R, W>(p, q, m, m, m, m, z, z, z, z, lo, hi, flip);
    p += 16 * sizeof<T>();
    q += 16 * sizeof<W>();
  }
}

/** What the zero point becomes when the magic number's bits are taken off and an unsigned code is made signed. */
// @ts-ignore: decorator
@inline
export function zeroOffset<W>(d: usize, zero: i32): i32 {
  return zero - reinterpret<i32>(MAGIC) - (isUnsigned(d) ? 1 << (8 * sizeof<W>() - 1) : 0);
}

// @ts-ignore: decorator
@inline
function isUnsigned(d: usize): bool {
  const storage = word(d, Word.Storage);
  return storage == Storage.Uint8 || storage == Storage.Uint16;
}

/** Whether every byte is a code. */
// @ts-ignore: decorator
@inline
export function isFull(d: usize): bool {
  return codeBytes(d) == 1 && word(d, Word.HighCode) - word(d, Word.LowCode) == 255;
}

/** The smallest code in every lane, as a signed number. */
// @ts-ignore: decorator
@inline
export function lowest<W>(d: usize): v128 {
  const bias = isUnsigned(d) ? 1 << (8 * sizeof<W>() - 1) : 0;
  const code = word(d, Word.LowCode) - bias;
  return sizeof<W>() == 1 ? i8x16.splat(<i8>code) : i16x8.splat(<i16>code);
}

/** The largest code in every lane, as a signed number. */
// @ts-ignore: decorator
@inline
export function highest<W>(d: usize): v128 {
  const bias = isUnsigned(d) ? 1 << (8 * sizeof<W>() - 1) : 0;
  const code = word(d, Word.HighCode) - bias;
  return sizeof<W>() == 1 ? i8x16.splat(<i8>code) : i16x8.splat(<i16>code);
}

/** The bits that turn a signed code back into an unsigned one. */
// @ts-ignore: decorator
@inline
export function flipMask<W>(d: usize): v128 {
  if (!isUnsigned(d)) return i32x4.splat(0);
  return sizeof<W>() == 1 ? i8x16.splat(i8.MIN_VALUE) : i16x8.splat(i16.MIN_VALUE);
}

/** Sixteen codes with a multiplier m and a zero offset z for each four. */
// @ts-ignore: decorator
@inline
export function sixteen<T, A, R, W>(
  p: usize, q: usize, m0: v128, m1: v128, m2: v128, m3: v128, z0: v128, z1: v128, z2: v128, z3: v128,
  lo: v128, hi: v128, flip: v128,
): void {
  const x = eight<T>(p, 0);
  const y = eight<T>(p, 1);
  const v0 = scaled<A>(isFloat<T>() ? v128.load(p) : lowFour<T>(x), m0);
  const v1 = scaled<A>(isFloat<T>() ? v128.load(p, 16) : highFour<T>(x), m1);
  const v2 = scaled<A>(isFloat<T>() ? v128.load(p, 32) : lowFour<T>(y), m2);
  const v3 = scaled<A>(isFloat<T>() ? v128.load(p, 48) : highFour<T>(y), m3);
  if (isFloat<R>()) {
    const ab = i16x8.narrow_i32x4_s(floatCodes(v0), floatCodes(v1));
    v128.store(q, i8x16.narrow_i16x8_u(ab, i16x8.narrow_i32x4_s(floatCodes(v2), floatCodes(v3))));
    return;
  }
  const ab = i16x8.narrow_i32x4_s(i32x4.add(integers<R>(v0), z0), i32x4.add(integers<R>(v1), z1));
  const ce = i16x8.narrow_i32x4_s(i32x4.add(integers<R>(v2), z2), i32x4.add(integers<R>(v3), z3));
  if (sizeof<W>() == 1) {
    const codes = i8x16.narrow_i16x8_s(ab, ce);
    v128.store(q, v128.xor(isSigned<W>() ? i8x16.min_s(i8x16.max_s(codes, lo), hi) : codes, flip));
  } else {
    v128.store(q, v128.xor(i16x8.min_s(i16x8.max_s(ab, lo), hi), flip));
    v128.store(q + 16, v128.xor(i16x8.min_s(i16x8.max_s(ce, lo), hi), flip));
  }
}

// @ts-ignore: decorator
@inline
export function scaled<A>(x: v128, m: v128): v128 {
  if (sizeof<A>() == 4) return f32x4.mul(x, m);
  const v = f32x4.div(x, m);
  if (sizeof<A>() == 8) return v;
  // To the 11 bits of float16, half to even. Its range does not matter: far beyond it codes saturate, below it they are 0.
  const odd = v128.and(i32x4.shr_u(v, 13), i32x4.splat(1));
  return v128.and(i32x4.add(i32x4.add(v, i32x4.splat(0xfff)), odd), i32x4.splat(~0x1fff));
}

/** Scaled values rounded, as the bits of integer + MAGIC. */
// @ts-ignore: decorator
@inline
export function integers<R>(v: v128): v128 {
  if (sizeof<R>() == 4) v = f32x4.trunc(v);
  if (sizeof<R>() == 2) {
    const sign = v128.and(v, i32x4.splat(i32.MIN_VALUE));
    v = f32x4.trunc(f32x4.add(v, v128.or(sign, f32x4.splat(BELOW_HALF))));
  }
  return f32x4.add(v, f32x4.splat(MAGIC));
}

/** Codes of `n` values `stride` bytes apart, to codes `step` bytes apart; any value, any parameters. */
export function careful(d: usize, p: usize, stride: usize, n: usize, q: usize, step: usize): void {
  const dtype = word(d, Word.Dtype);
  const wide = codeBytes(d) == 2;
  const saturates = dirty && word(d, Word.NonFinite) == NonFinite.Saturate;
  const element = word(d, Word.Element);
  for (let i: usize = 0; i < n; i++) {
    const at = p + i * stride;
    let x = one(dtype, at);
    if (saturates && !(abs(x) < Infinity)) x = x != x ? 0 : x > 0 ? largest : smallest;
    const code = element == Element.Integer ? integerOf(d, x, at) : elementOf(d, element, x);
    if (wide) store<u16>(q + i * step, <u16>code);
    else store<u8>(q + i * step, <u8>code);
  }
}

/** A value scaled, in float32 (equations 2 and 28). */
function scaledOne(d: usize, x: f32): f32 {
  const apply = word(d, Word.Apply);
  if (multiplies(d)) {
    if (dividesRagged) return x / scale;
    // The inverse of the smallest fixed-point scale is beyond float32, but its products need not be.
    if (multiplier == Infinity && real(d, Word.Step) != 1) return <f32>(<f64>x * wideMultiplier);
    return x * multiplier;
  }
  const v: f32 = (x - minimum) / multiplier;
  if (apply == Apply.DivideHalf) return reinterpret<f32>(halfBits(halfOf(v)));
  if (apply != Apply.Unit || v != v) return v;
  return min<f32>(1, max<f32>(0, v)) * <f32>(word(d, Word.HighCode) - word(d, Word.LowCode));
}

/** The code of a value as a small float, or as a place in a table (equations 26 and 27). */
function elementOf(d: usize, element: i32, x: f32): i32 {
  const v = scaledOne(d, x);
  if (v != v) return word(d, Word.NanCode);
  if (element == Element.Minifloat) return floatCode(v);
  const four = f32x4.splat(v);
  return i32x4.extract_lane(element == Element.Nf4 ? nf4Codes(four) : fp4Codes(four), 0);
}

/**
 * The code of the value `x` at `at` as an integer: scaled, rounded, zero point added, clamped (equations 2 to 5, 25 and
 * 28). The rounded value saturates to int32 before the zero point is added, which shows only where that is an int32
 * itself.
 */
function integerOf(d: usize, x: f32, at: usize): i32 {
  const added = word(d, Word.Added);
  let v: f64;
  if (added == Added.BeforeWide) {
    v = <f64>x * wideMultiplier + <f64>zeroPoint;
  } else {
    let single = scaledOne(d, x);
    if (added == Added.Before) single += <f32>zeroPoint;
    v = <f64>single;
  }
  if (v != v) return word(d, Word.NanCode);
  v = v < <f64>i32.MIN_VALUE ? <f64>i32.MIN_VALUE : v > <f64>i32.MAX_VALUE ? <f64>i32.MAX_VALUE : v;
  const rounding = word(d, Word.Rounding);
  if (rounding == Rounding.Stochastic) v = roundedUpBy(v, word(d, Word.Seed), indexOf(d, at));
  else v = rounded(rounding, v);
  if (added == Added.After) v += <f64>zeroPoint;
  const lo = <f64>word(d, Word.LowCode);
  const hi = <f64>word(d, Word.HighCode);
  return <i32>(v < lo ? lo : v > hi ? hi : v);
}

/** Index in the tensor of the value at `at`. */
// @ts-ignore: decorator
@inline
export function indexOf(d: usize, at: usize): i32 {
  return <i32>((at - address(d, Word.Values)) / bytesOf(word(d, Word.Dtype)));
}
