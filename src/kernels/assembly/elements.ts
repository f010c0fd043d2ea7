/**
 * The vector paths for codes that are no integers: small floats (equation 26), and places in a table (27).
 */
import { Element } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { fast, scaled } from './codes';
import { four } from './load';
import { multiplier, multiplies } from './parameters';
import { fp4Codes, nf4Codes } from './tables';
import { word } from './words';

/** Codes of at least 16 contiguous values at `p`, which are finite and not large. */
// @ts-ignore: decorator
@inline
export function encodeElements<T>(d: usize, p: usize, n: usize, q: usize): void {
  const element = word(d, Word.Element);
  if (element == Element.Minifloat) {
    if (multiplies(d)) fast<T, f32, f32, i8>(d, p, n, q);
    else fast<T, f64, f32, i8>(d, p, n, q);
  } else if (element == Element.Nf4) places<T, u8>(d, p, n, q);
  else places<T, u16>(d, p, n, q);
}

/** Places in the table of NF4 (E `u8`) or FP4 (`u16`); a tail is the last four again. */
function places<T, E>(d: usize, p: usize, n: usize, q: usize): void {
  const m = f32x4.splat(multiplier);
  const divides = !multiplies(d);
  const end = p + n * sizeof<T>();
  const last = end - 4 * sizeof<T>();
  while (p < end) {
    if (p > last) {
      q -= (p - last) / sizeof<T>();
      p = last;
    }
    const x = four<T>(p);
    const v = divides ? scaled<f64>(x, m) : scaled<f32>(x, m);
    const codes = sizeof<E>() == 1 ? nf4Codes(v) : fp4Codes(v);
    const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(codes, codes), codes);
    v128.store32_lane(q, bytes, 0);
    p += 4 * sizeof<T>();
    q += 4;
  }
}
