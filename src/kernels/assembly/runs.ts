/**
 * The common part of every shape of work: contiguous runs of values that share one parameter.
 */
import { NonFinite, Source } from '../../scheme/codes';
import { Size, Word } from '../../scheme/descriptor';
import { codeBytes } from './codes';
import { encode } from './encode';
import { bytesOf } from './load';
import { measure, recordOf } from './measure';
import { bounded, derive, loadParameters } from './parameters';
import { dirty, endIsNonFinite, extend, extremes, high, low, setRange, startRange } from './range';
import { resolveParameters, storeParameters } from './stored';
import { address, word } from './words';

/** Makes ready what comes before a parameter's values are read: an empty range, or the parameters where they are given. */
export function begin(d: usize, index: usize): void {
  startRange(d);
  if (word(d, Word.Source) >= Source.Range) resolveParameters(d, index);
}

/** Sets and stores the parameters of `index` from the range collected; false where the policy forbids codes. */
export function conclude(d: usize, index: usize): bool {
  if (dirty && word(d, Word.NonFinite) == NonFinite.Error) return false;
  derive(d, high, low);
  storeParameters(d, index);
  return true;
}

/** Parameters of `index` from a range that a vector path collected; whether its values may take the fast path too. */
export function deriveFast(d: usize, highBits: i32, lowBits: i32, index: usize): bool {
  if (endIsNonFinite(highBits, lowBits)) return false;
  begin(d, index);
  setRange(highBits, lowBits, false);
  if (word(d, Word.Source) == Source.Data) conclude(d, index);
  return bounded(d, highBits, lowBits);
}

/**
 * Codes and statistics of `n` values at `p`, whose range and parameters are known. `checks` asks to look at each
 * cache tile first, because some values may not be finite or may be beyond the range.
 */
export function finish(d: usize, p: usize, n: usize, q: usize, unit: usize, checks: bool, isFast: bool): void {
  const hasStatistics = word(d, Word.Statistics) != 0;
  if (!checks && !hasStatistics) return encode(d, p, n, q, isFast);
  const size = bytesOf(word(d, Word.Dtype));
  const codeSize = codeBytes(d);
  for (let i: usize = 0; i < n; i += Size.CacheTile) {
    const count = min<usize>(Size.CacheTile, n - i);
    if (checks) {
      extremes(d, p + i * size, count);
      isFast = !endIsNonFinite(high, low) && bounded(d, high, low);
    }
    encode(d, p + i * size, count, q + i * codeSize, isFast);
    if (hasStatistics) measure(d, recordOf(d, unit), p + i * size, count, q + i * codeSize);
  }
}

/**
 * Codes of a run with given parameters or a given range: nothing is known of its values, so each cache tile is looked
 * at, and counted where it is not finite. `element` is the index of the first value.
 */
export function finishGiven(d: usize, p: usize, n: usize, q: usize, unit: usize, element: i32): void {
  const size = bytesOf(word(d, Word.Dtype));
  const codeSize = codeBytes(d);
  const stops = word(d, Word.NonFinite) == NonFinite.Error;
  for (let i: usize = 0; i < n; i += Size.CacheTile) {
    const count = min<usize>(Size.CacheTile, n - i);
    startRange(d);
    extend(d, p + i * size, size, count, element + <i32>i, 1);
    if (dirty && stops) continue;
    encode(d, p + i * size, count, q + i * codeSize, !dirty && bounded(d, high, low));
    if (word(d, Word.Statistics) != 0) measure(d, recordOf(d, unit), p + i * size, count, q + i * codeSize);
  }
}

/** Stores the range collected as float32 ends of parameter `index` (`Mode.Range`). */
export function storeRange(d: usize, index: usize): void {
  store<i32>(address(d, Word.RangeHigh) + (index << 2), high);
  store<i32>(address(d, Word.RangeLow) + (index << 2), low);
}
