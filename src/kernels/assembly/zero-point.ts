/**
 * The zero point of an affine scheme (equations 11, 12 and 22 to 24).
 */
import { Rounding, Storage, ZeroPointRule } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { word } from './words';

/**
 * The zero point that follows from a range, its scale and its multiplier; 0 for a symmetric scheme. It is clamped to the codes
 * that it is chosen among, or to int32 where it is stored as that; NaN becomes the largest such code, or 0.
 */
export function zeroPointOf(d: usize, bottom: f32, top: f32, wideScale: f64, multiplier: f32): i32 {
  const rule = word(d, Word.ZeroPointRule);
  if (rule == ZeroPointRule.None) return 0;
  const lowest = word(d, Word.LowZero);
  const highest = word(d, Word.HighZero);
  let z: f64;
  if (rule >= ZeroPointRule.NearestSum) {
    z = nearestEnd(rule, <f64>bottom / wideScale, <f64>top / wideScale, lowest, highest);
  } else if (rule == ZeroPointRule.RoundLast || rule == ZeroPointRule.RoundFirst) {
    const low = bottom / <f32>wideScale;
    z = <f64>(<f32>lowest - (rule == ZeroPointRule.RoundLast ? low : <f32>rounded(word(d, Word.ZeroRounding), <f64>low)));
  } else {
    const isQuotient = rule == ZeroPointRule.SignTestQuotient;
    const low = isQuotient ? bottom / <f32>wideScale : bottom * multiplier;
    const high = isQuotient ? top / <f32>wideScale : top * multiplier;
    z = <f64>bySign(low, high, <f32>lowest, <f32>highest);
  }
  const isWide = word(d, Word.ZeroPointStorage) == Storage.Int32;
  if (z != z) return isWide ? 0 : highest;
  const lo: f64 = isWide ? i32.MIN_VALUE : lowest;
  const hi: f64 = isWide ? i32.MAX_VALUE : highest;
  const clamped = z < hi ? (z > lo ? z : lo) : hi;
  return <i32>rounded(word(d, Word.ZeroRounding), clamped);
}

/** From the end that the sum of both errors points to (equation 12). */
function bySign(low: f32, high: f32, lo: f32, hi: f32): f32 {
  return lo + low + (hi + high) > 0 ? lo - low : hi - high;
}

/** From the end whose terms promise the smaller error (equation 24). */
function nearestEnd(rule: i32, low: f64, high: f64, lo: f64, hi: f64): f64 {
  const sign: f64 = rule == ZeroPointRule.NearestSum ? 1 : -1;
  const lowError = abs(lo) + sign * abs(low);
  const highError = abs(hi) + sign * abs(high);
  return lowError < highError ? lo - low : hi - high;
}

/** The integer that `v` is rounded to. */
export function rounded(rounding: i32, v: f64): f64 {
  if (rounding == Rounding.HalfEven) return nearest<f64>(v);
  if (rounding == Rounding.Floor) return floor<f64>(v);
  const whole = trunc<f64>(v);
  if (rounding == Rounding.Truncate) return whole;
  return abs(v - whole) >= 0.5 ? whole + copysign<f64>(1, v) : whole;
}
