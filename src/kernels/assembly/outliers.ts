/**
 * LLM.int8() (`Op.Outliers`): rows are quantized by their absmax without outliers, and the columns that hold an outlier
 * are kept apart (equations 47 to 50). The columns are marked in a pass of their own (`Mode.Range`). A column beyond the
 * row, which somebody may have written into the list since, is passed over.
 */
import { Dtype, Mode, NonFinite } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { addError } from './blocks/errors';
import { fourExact } from './load';
import { clearRecord, recordOf } from './measure';
import { clearRange, extend, largestLane } from './range';
import { put, putFour, single } from './transforms/values';
import { fourCodes } from './values';
import { address, word } from './words';

const INFINITY: i32 = 0x7f800000;
/** 1 / 127, by which codes are read (equation 50). */
const STEP: f32 = 1 / <f32>127;

/** Rows `First` to `Last` of `Length` values. */
export function outliers(d: usize): void {
  const dtype = word(d, Word.Dtype);
  if (word(d, Word.Mode) == Mode.Dequantize) restore(d);
  else if (dtype == Dtype.Float32) rows<f32>(d);
  else if (dtype == Dtype.Float16) rows<u16>(d);
  else rows<i16>(d);
}

// @ts-ignore: decorator
@inline
function rows<T>(d: usize): void {
  const length: usize = address(d, Word.Length);
  const last: usize = address(d, Word.Last);
  const marks = word(d, Word.Mode) == Mode.Range;
  for (let row: usize = address(d, Word.First); row < last; row++) {
    const p = address(d, Word.Values) + row * length * sizeof<T>();
    if (marks) mark<T>(d, p, length);
    else quantize<T>(d, p, length, row);
  }
}

/** Marks the columns of a row whose values are outliers; lanes write the same byte, so it does not matter which does. */
function mark<T>(d: usize, p: usize, n: usize): void {
  const limit = i32x4.splat(word(d, Word.Limit));
  const magnitude = i32x4.splat(i32.MAX_VALUE);
  const whole = n & ~3;
  for (let i: usize = 0; i < whole; i += 4) {
    const a = v128.and(fourExact<T>(p + i * sizeof<T>()), magnitude);
    if (!v128.any_true(i32x4.ge_s(a, limit))) continue;
    for (let k = i; k < i + 4; k++) markOne<T>(d, p, k);
  }
  for (let i = whole; i < n; i++) markOne<T>(d, p, i);
}

/** Marks a column; a NaN is none, nor infinity where it saturates. */
function markOne<T>(d: usize, p: usize, i: usize): void {
  const size = reinterpret<i32>(single<T>(p + i * sizeof<T>())) & i32.MAX_VALUE;
  const end = word(d, Word.NonFinite) == NonFinite.Saturate ? INFINITY - 1 : INFINITY;
  if (size < word(d, Word.Limit) || size > end) return;
  const at = address(d, Word.RangeLow) + i;
  if (load<u8>(at) == 0) store<u8>(at, 1);
}

/** The absmax of the row in hand without outliers, and whether its values that are not finite saturate. */
let absmax: f32 = 0;
let saturates: bool = false;

function quantize<T>(d: usize, p: usize, n: usize, row: usize): void {
  const q = address(d, Word.Codes) + row * n;
  const hasStatistics = word(d, Word.Statistics) != 0;
  if (hasStatistics) clearRecord(recordOf(d, row));
  if (!look<T>(d, p, n, row)) return;
  store<f32>(address(d, Word.Scale) + (row << 2), absmax);
  const m: f32 = 127 / absmax;
  if (saturates || n < 16) for (let i: usize = 0; i < n; i++) store<i8>(q + i, codeOf(valueAt<T>(p, i) * m));
  else encode<T>(p, n, q, m);
  setApart<T>(d, p, n, q, row);
  if (hasStatistics) measure<T>(d, p, n, q, row);
}

/** Sets the absmax (equation 47); false where the policy forbids codes. */
function look<T>(d: usize, p: usize, n: usize, row: usize): bool {
  const limit = word(d, Word.Limit);
  const limits = i32x4.splat(limit);
  const magnitude = i32x4.splat(i32.MAX_VALUE);
  let all = i32x4.splat(0);
  let below = i32x4.splat(0);
  const whole = n & ~3;
  for (let i: usize = 0; i < whole; i += 4) {
    const a = v128.and(fourExact<T>(p + i * sizeof<T>()), magnitude);
    all = i32x4.max_s(all, a);
    below = i32x4.max_s(below, v128.and(a, i32x4.lt_s(a, limits)));
  }
  let most = largestLane(all);
  let peak = largestLane(below);
  for (let i = whole; i < n; i++) {
    const size = reinterpret<i32>(single<T>(p + i * sizeof<T>())) & i32.MAX_VALUE;
    most = max(most, size);
    if (size < limit) peak = max(peak, size);
  }
  absmax = reinterpret<f32>(peak);
  saturates = false;
  if (most < INFINITY) return true;
  clearRange();
  extend(d, p, sizeof<T>(), n, <i32>(row * n), 1);
  const policy = word(d, Word.NonFinite);
  if (policy == NonFinite.Error) return false;
  saturates = policy == NonFinite.Saturate;
  if (policy == NonFinite.Propagate) {
    if (most > INFINITY) absmax = NaN;
    else if (limit == INFINITY) absmax = Infinity;
  }
  return true;
}

/** Value i; where the row saturates, NaN as 0 and infinities as the absmax with their sign. */
// @ts-ignore: decorator
@inline
function valueAt<T>(p: usize, i: usize): f32 {
  const x = single<T>(p + i * sizeof<T>());
  if (!saturates || abs(x) < Infinity) return x;
  return x != x ? 0 : copysign<f32>(absmax, x);
}

/** The code of a scaled value (equation 48). */
// @ts-ignore: decorator
@inline
function codeOf(v: f32): i8 {
  return v != v ? 0 : <i8>max<f32>(-127, min<f32>(127, nearest(v)));
}

/** At least 16 values; a tail is the last 16 again. */
function encode<T>(p: usize, n: usize, q: usize, multiplier: f32): void {
  const m = f32x4.splat(multiplier);
  const last = p + (n - 16) * sizeof<T>();
  for (; p < last; p += 16 * sizeof<T>()) {
    sixteen<T>(p, q, m);
    q += 16;
  }
  sixteen<T>(last, q - (p - last) / sizeof<T>(), m);
}

// @ts-ignore: decorator
@inline
function sixteen<T>(p: usize, q: usize, m: v128): void {
  const a = integers<T>(p, m);
  const b = integers<T>(p + 4 * sizeof<T>(), m);
  const c = integers<T>(p + 8 * sizeof<T>(), m);
  const e = integers<T>(p + 12 * sizeof<T>(), m);
  const codes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, e));
  v128.store(q, i8x16.max_s(codes, i8x16.splat(-127)));
}

/** Four scaled values rounded; NaN gives 0 and what is too large the ends of int32. */
// @ts-ignore: decorator
@inline
function integers<T>(p: usize, m: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(fourExact<T>(p), m)));
}

/** Codes of 0 in the outlier columns, whose values are copied (equation 49). */
function setApart<T>(d: usize, p: usize, n: usize, q: usize, row: usize): void {
  const count: usize = address(d, Word.Count);
  const columns = address(d, Word.ZeroPoint);
  const values = address(d, Word.RangeHigh) + ((row * count) << 2);
  for (let k: usize = 0; k < count; k++) {
    const i: usize = load<u32>(columns + (k << 2));
    if (i >= n) continue;
    store<u8>(q + i, 0);
    put(values + (k << 2), valueAt<T>(p, i));
  }
}

/** Error statistics; the outlier columns, in ascending order, have none. */
function measure<T>(d: usize, p: usize, n: usize, q: usize, row: usize): void {
  const record = recordOf(d, row);
  const columns = address(d, Word.ZeroPoint);
  const end = columns + (address(d, Word.Count) << 2);
  let next = columns;
  for (let i: usize = 0; i < n; i++) {
    const x = single<T>(p + i * sizeof<T>());
    let back = <f32>load<i8>(q + i) * absmax * STEP;
    if (next < end && <usize>load<u32>(next) == i) {
      back = x;
      next += 4;
    }
    addError(record, i & 3, x, back);
  }
}

/** The values of codes, and those of the outlier columns in their places (equation 50). */
function restore(d: usize): void {
  const n: usize = address(d, Word.Length);
  const count: usize = address(d, Word.Count);
  const columns = address(d, Word.ZeroPoint);
  const last: usize = address(d, Word.Last);
  const whole = n & ~3;
  for (let row: usize = address(d, Word.First); row < last; row++) {
    const q = address(d, Word.Codes) + row * n;
    const p = address(d, Word.Values) + ((row * n) << 2);
    const scale = load<f32>(address(d, Word.Scale) + (row << 2));
    const scales = f32x4.splat(scale);
    for (let i: usize = 0; i < whole; i += 4) {
      const codes = f32x4.convert_i32x4_s(fourCodes<i8>(q + i));
      putFour(p + (i << 2), f32x4.mul(f32x4.mul(codes, scales), f32x4.splat(STEP)));
    }
    for (let i = whole; i < n; i++) put(p + (i << 2), <f32>load<i8>(q + i) * scale * STEP);
    const values = address(d, Word.RangeHigh) + ((row * count) << 2);
    for (let k: usize = 0; k < count; k++) {
      const i: usize = load<u32>(columns + (k << 2));
      if (i < n) put(p + (i << 2), load<f32>(values + (k << 2)));
    }
  }
}
