/**
 * The vector path for a zero point that is added before rounding, in float32 or in float64, to codes of 8 bits with one
 * parameter. A is the type of the arithmetic; T and R are as in `codes`. What is not here goes value by value.
 */
import { Added, Apply, Rounding } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { careful, codeBytes, flipMask, highest, integers, lowest, zeroOffset } from './codes';
import { bytesOf, four } from './load';
import { multiplier, wideMultiplier, zeroPoint } from './parameters';
import { word } from './words';

/** 1.5 · 2^52: added to |v| < 2^51 it leaves the integer nearest to v, ties to even, in the low 32 bits. */
const WIDE_MAGIC: f64 = 6755399441055744;
/** What `zeroOffset` takes off for the magic number of float32, which is not there in float64. */
const MAGIC_BITS: i32 = 0x4b400000;

/** Codes of at least 16 contiguous values at `p`, which are finite and not large. */
// @ts-ignore: decorator
@inline
export function encodeBefore<T>(d: usize, p: usize, n: usize, q: usize): void {
  const rounding = word(d, Word.Rounding);
  if (codeBytes(d) == 1) {
    if (word(d, Word.Added) == Added.BeforeWide) {
      if (rounding == Rounding.HalfEven) return before<T, f64, i8>(d, p, n, q);
    } else if (word(d, Word.Apply) != Apply.Divide) {
      if (rounding == Rounding.HalfEven) return before<T, f32, i8>(d, p, n, q);
      if (rounding == Rounding.HalfAway) return before<T, f32, i16>(d, p, n, q);
    }
  }
  careful(d, p, bytesOf(word(d, Word.Dtype)), n, q, codeBytes(d));
}

function before<T, A, R>(d: usize, p: usize, n: usize, q: usize): void {
  const isWide = sizeof<A>() == 8;
  const m = isWide ? f64x2.splat(wideMultiplier) : f32x4.splat(multiplier);
  const b = isWide ? f64x2.splat(<f64>zeroPoint) : f32x4.splat(<f32>zeroPoint);
  const z = i32x4.splat(zeroOffset<i8>(d, isWide ? MAGIC_BITS : 0));
  const lo = lowest<i8>(d);
  const hi = highest<i8>(d);
  const flip = flipMask<i8>(d);
  const end = p + n * sizeof<T>();
  const last = end - 16 * sizeof<T>();
  while (p <= last) {
    sixteenBefore<T, A, R>(p, q, m, b, z, lo, hi, flip);
    p += 16 * sizeof<T>();
    q += 16;
  }
  if (p < end) sixteenBefore<T, A, R>(last, q - (p - last) / sizeof<T>(), m, b, z, lo, hi, flip);
}

// @ts-ignore: decorator
@inline
function sixteenBefore<T, A, R>(
  p: usize, q: usize, m: v128, b: v128, z: v128, lo: v128, hi: v128, flip: v128,
): void {
  const step = 4 * sizeof<T>();
  const c0 = i32x4.add(summed<A, R>(four<T>(p), m, b), z);
  const c1 = i32x4.add(summed<A, R>(four<T>(p + step), m, b), z);
  const c2 = i32x4.add(summed<A, R>(four<T>(p + 2 * step), m, b), z);
  const c3 = i32x4.add(summed<A, R>(four<T>(p + 3 * step), m, b), z);
  const codes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(c0, c1), i16x8.narrow_i32x4_s(c2, c3));
  v128.store(q, v128.xor(i8x16.min_s(i8x16.max_s(codes, lo), hi), flip));
}

/** Four values scaled, with the zero point added, and rounded; in float32 as the bits of integer + the magic number. */
// @ts-ignore: decorator
@inline
function summed<A, R>(x: v128, m: v128, b: v128): v128 {
  if (sizeof<A>() == 4) return integers<R>(f32x4.add(f32x4.mul(x, m), b));
  const magic = f64x2.splat(WIDE_MAGIC);
  const low = f64x2.promote_low_f32x4(x);
  const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  const a = f64x2.add(f64x2.add(f64x2.mul(low, m), b), magic);
  const c = f64x2.add(f64x2.add(f64x2.mul(high, m), b), magic);
  return v128.shuffle<i32>(a, c, 0, 2, 4, 6);
}
