/**
 * The vector path for codes from a minimum (equation 28): `(x − minimum) / scale`, cut to the codes there are, then
 * rounded; no scaled value is below zero then, so to cut off is to round down. T is the input (see `load`), R `i16` half
 * away or `i32` down, U `f32` for `Apply.Unit` and `i8` for the rest.
 */
import { Apply, Rounding } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { flipMask, integers, zeroOffset } from './codes';
import { four } from './load';
import { minimum, multiplier, zeroPoint } from './parameters';
import { word } from './words';

/** Codes of at least 16 contiguous values at `p`, which are finite and not large. */
// @ts-ignore: decorator
@inline
export function encodeOffset<T>(d: usize, p: usize, n: usize, q: usize): void {
  if (word(d, Word.Apply) == Apply.Unit) contiguous<T, i32, f32>(d, p, n, q);
  else if (word(d, Word.Rounding) == Rounding.HalfAway) contiguous<T, i16, i8>(d, p, n, q);
  else contiguous<T, i32, i8>(d, p, n, q);
}

/** Whether the vector paths know the rounding of `d`. */
// @ts-ignore: decorator
@inline
export function knowsRounding(d: usize): bool {
  const rounding = word(d, Word.Rounding);
  if (rounding == Rounding.HalfAway) return word(d, Word.Apply) != Apply.Unit;
  return rounding == Rounding.Truncate || rounding == Rounding.Floor;
}

function contiguous<T, R, U>(d: usize, p: usize, n: usize, q: usize): void {
  const m = f32x4.splat(multiplier);
  const b = f32x4.splat(minimum);
  const z = i32x4.splat(zeroOffset<i8>(d, zeroPoint));
  const flip = flipMask<i8>(d);
  const span = spanOf(d);
  const end = p + n * sizeof<T>();
  const last = end - 16 * sizeof<T>();
  while (p <= last) {
    sixteenFrom<T, R, U>(p, q, m, m, m, m, b, b, b, b, span, z, flip);
    p += 16 * sizeof<T>();
    q += 16;
  }
  if (p < end) sixteenFrom<T, R, U>(last, q - (p - last) / sizeof<T>(), m, m, m, m, b, b, b, b, span, z, flip);
}

/** The number of steps between the codes, in every lane. */
// @ts-ignore: decorator
@inline
export function spanOf(d: usize): v128 {
  return f32x4.splat(<f32>(word(d, Word.HighCode) - word(d, Word.LowCode)));
}

/** Sixteen codes with a scale m and a minimum b for each four. */
// @ts-ignore: decorator
@inline
export function sixteenFrom<T, R, U>(
  p: usize, q: usize, m0: v128, m1: v128, m2: v128, m3: v128, b0: v128, b1: v128, b2: v128, b3: v128,
  span: v128, z: v128, flip: v128,
): void {
  const step = 4 * sizeof<T>();
  const a = i32x4.add(integers<R>(steps<U>(four<T>(p), m0, b0, span)), z);
  const b = i32x4.add(integers<R>(steps<U>(four<T>(p + step), m1, b1, span)), z);
  const c = i32x4.add(integers<R>(steps<U>(four<T>(p + 2 * step), m2, b2, span)), z);
  const e = i32x4.add(integers<R>(steps<U>(four<T>(p + 3 * step), m3, b3, span)), z);
  const codes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, e));
  v128.store(q, v128.xor(codes, flip));
}

/** Values in steps from the minimum, from 0 to the last code. */
// @ts-ignore: decorator
@inline
function steps<U>(x: v128, m: v128, b: v128, span: v128): v128 {
  const zero = f32x4.splat(0);
  const v = f32x4.pmax(zero, f32x4.div(f32x4.sub(x, b), m));
  if (isFloat<U>()) return f32x4.mul(f32x4.pmin(v, f32x4.splat(1)), span);
  return f32x4.pmin(v, span);
}
