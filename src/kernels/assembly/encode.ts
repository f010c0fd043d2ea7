/**
 * The choice of a path from values to codes: once for a run of values.
 */
import { Added, Apply, Dtype, Element, Rounding, ZeroPointRule } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { encodeBefore } from './before';
import { careful, codeBytes, fast, isFull } from './codes';
import { encodeElements } from './elements';
import { bytesOf } from './load';
import { encodeOffset, knowsRounding } from './offset';
import { dividesRagged, multiplies } from './parameters';
import { stochastic } from './stochastic';
import { word } from './words';

/** Codes of `n` contiguous values at `p`, to `q`, with the current parameters. */
export function encode(d: usize, p: usize, n: usize, q: usize, isFast: bool): void {
  if (n < 16 || !isFast || dividesRagged) return careful(d, p, bytesOf(word(d, Word.Dtype)), n, q, codeBytes(d));
  const dtype = word(d, Word.Dtype);
  if (dtype == Dtype.Float32) encodeFrom<f32>(d, p, n, q);
  else if (dtype == Dtype.Float16) encodeFrom<u16>(d, p, n, q);
  else encodeFrom<i16>(d, p, n, q);
}

function encodeFrom<T>(d: usize, p: usize, n: usize, q: usize): void {
  if (word(d, Word.Element) != Element.Integer) return encodeElements<T>(d, p, n, q);
  if (word(d, Word.Added) != Added.After) return encodeBefore<T>(d, p, n, q);
  const rounding = word(d, Word.Rounding);
  if (word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum) {
    if (knowsRounding(d)) return encodeOffset<T>(d, p, n, q);
  } else if (multiplies(d)) {
    if (rounding == Rounding.HalfEven) return encodeEven<T, f32>(d, p, n, q);
    if (rounding == Rounding.HalfAway) return encodeTo<T, f32, i16>(d, p, n, q);
    if (rounding == Rounding.Truncate) return encodeTo<T, f32, i32>(d, p, n, q);
    if (rounding == Rounding.Stochastic) return chanceTo<T, f32>(d, p, n, q);
  } else if (word(d, Word.Apply) == Apply.Divide) {
    if (rounding == Rounding.HalfEven) return encodeEven<T, f64>(d, p, n, q);
    if (rounding == Rounding.HalfAway) return encodeTo<T, f64, i16>(d, p, n, q);
    if (rounding == Rounding.Truncate) return encodeTo<T, f64, i32>(d, p, n, q);
    if (rounding == Rounding.Stochastic) return chanceTo<T, f64>(d, p, n, q);
  } else if (rounding == Rounding.HalfEven && codeBytes(d) == 1) {
    return fast<T, i16, i8, i8>(d, p, n, q);
  }
  careful(d, p, bytesOf(word(d, Word.Dtype)), n, q, codeBytes(d));
}

// @ts-ignore: decorator
@inline
function encodeEven<T, A>(d: usize, p: usize, n: usize, q: usize): void {
  if (isFull(d)) fast<T, A, i8, u8>(d, p, n, q);
  else encodeTo<T, A, i8>(d, p, n, q);
}

// @ts-ignore: decorator
@inline
function encodeTo<T, A, R>(d: usize, p: usize, n: usize, q: usize): void {
  if (codeBytes(d) == 1) fast<T, A, R, i8>(d, p, n, q);
  else fast<T, A, R, i16>(d, p, n, q);
}

// @ts-ignore: decorator
@inline
function chanceTo<T, A>(d: usize, p: usize, n: usize, q: usize): void {
  if (codeBytes(d) == 1) stochastic<T, A, i8>(d, p, n, q);
  else stochastic<T, A, i16>(d, p, n, q);
}
