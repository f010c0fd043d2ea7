/**
 * Error statistics of a unit, into its record of `Size.StatisticsDoubles` doubles: four sums of squared error, four of
 * squared signal, the largest error and the number of saturated codes (equations 15 to 18). Element i of a run adds to
 * sum i & 3, in order, so that the vector and the scalar form give the same bits. Values that are not finite are left
 * out.
 */
import { Apply, Dtype, Element, Storage, ZeroPointRule } from '../../scheme/codes';
import { Size, Word } from '../../scheme/descriptor';
import { bytesOf, fourExact, one } from './load';
import { minimum, storedScale, zeroPoint } from './parameters';
import { codeAt, fourCodes, fourValues, valueOf } from './values';
import { address, real, word } from './words';

/** Address of the record of `unit`. */
// @ts-ignore: decorator
@inline
export function recordOf(d: usize, unit: usize): usize {
  return address(d, Word.Statistics) + unit * (Size.StatisticsDoubles * 8);
}

/** Empties a record. */
export function clearRecord(record: usize): void {
  for (let i: usize = 0; i < <usize>Size.StatisticsDoubles; i++) store<f64>(record + (i << 3), 0);
}

/** Empties the record of a unit, where there is one and this is the beginning of the unit. */
export function startRecord(d: usize, unit: usize): void {
  if (word(d, Word.Statistics) != 0 && word(d, Word.Continues) == 0) clearRecord(recordOf(d, unit));
}

/** Adds `n` contiguous values at `p` and their codes at `q`, with the current parameters. */
export function measure(d: usize, record: usize, p: usize, n: usize, q: usize): void {
  const dtype = word(d, Word.Dtype);
  const whole = n & ~3;
  if (whole != 0) {
    if (dtype == Dtype.Float32) measureFrom<f32>(d, record, p, whole, q);
    else if (dtype == Dtype.Float16) measureFrom<u16>(d, record, p, whole, q);
    else measureFrom<i16>(d, record, p, whole, q);
  }
  if (whole == n) return;
  const size = bytesOf(dtype);
  const codeSize: usize = word(d, Word.Storage) <= Storage.Uint8 ? 1 : 2;
  measureEach(d, record, p + whole * size, size, n - whole, q + whole * codeSize, codeSize);
}

function measureFrom<T>(d: usize, record: usize, p: usize, n: usize, q: usize): void {
  const storage = word(d, Word.Storage);
  const element = word(d, Word.Element);
  if (element == Element.Minifloat) {
    measureFours<T, u8, f32>(d, record, p, n, q);
  } else if (element == Element.Nf4) measureFours<T, u8, u8>(d, record, p, n, q);
  else if (element == Element.Fp4) measureFours<T, u8, u16>(d, record, p, n, q);
  else if (word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum) {
    if (word(d, Word.Apply) == Apply.Unit) measureFours<T, u8, i64>(d, record, p, n, q);
    else if (storage == Storage.Int8) measureFours<T, i8, f64>(d, record, p, n, q);
    else measureFours<T, u8, f64>(d, record, p, n, q);
  } else if (storage == Storage.Int8) measureFours<T, i8, i8>(d, record, p, n, q);
  else if (storage == Storage.Uint8) measureFours<T, u8, i8>(d, record, p, n, q);
  else if (storage == Storage.Int16) measureFours<T, i16, i8>(d, record, p, n, q);
  else measureFours<T, u16, i8>(d, record, p, n, q);
}

/** The largest error of a code at an end that does not count as saturated. */
// @ts-ignore: decorator
@inline
function errorAtEnd(d: usize): f32 {
  return abs(real(d, Word.TopHalf) * storedScale);
}

function measureFours<T, W, E>(d: usize, record: usize, p: usize, n: usize, q: usize): void {
  const scale = f32x4.splat(storedScale);
  const zero = i32x4.splat(zeroPoint);
  const lo = i32x4.splat(word(d, Word.LowCode));
  const hi = i32x4.splat(word(d, Word.HighCode));
  const least = f32x4.splat(minimum);
  const half = f32x4.splat(errorAtEnd(d));
  const magnitude = i32x4.splat(0x7fffffff);
  const infinity = i32x4.splat(0x7f800000);
  let e01 = v128.load(record);
  let e23 = v128.load(record, 16);
  let s01 = v128.load(record, 32);
  let s23 = v128.load(record, 48);
  let largest = i32x4.splat(0);
  let saturated = i32x4.splat(0);
  for (let i: usize = 0; i < n; i += 4) {
    const codes = fourCodes<W>(q + i * sizeof<W>());
    let x = fourExact<T>(p + i * sizeof<T>());
    const finite = i32x4.lt_s(v128.and(x, magnitude), infinity);
    x = v128.and(x, finite);
    const back = fourValues<W, E>(q + i * sizeof<W>(), scale, zero, least);
    const e = v128.and(f32x4.sub(x, back), finite);
    const size = v128.and(e, magnitude);
    largest = i32x4.max_s(largest, size);
    const atEnd = v128.or(i32x4.eq(codes, lo), i32x4.eq(codes, hi));
    saturated = i32x4.sub(saturated, v128.and(atEnd, f32x4.gt(size, half)));
    const eLow = f64x2.promote_low_f32x4(e);
    const eHigh = f64x2.promote_low_f32x4(v128.shuffle<i32>(e, e, 2, 3, 0, 1));
    const xLow = f64x2.promote_low_f32x4(x);
    const xHigh = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1));
    e01 = f64x2.add(e01, f64x2.mul(eLow, eLow));
    e23 = f64x2.add(e23, f64x2.mul(eHigh, eHigh));
    s01 = f64x2.add(s01, f64x2.mul(xLow, xLow));
    s23 = f64x2.add(s23, f64x2.mul(xHigh, xHigh));
  }
  v128.store(record, canonical(e01));
  v128.store(record, canonical(e23), 16);
  v128.store(record, s01, 32);
  v128.store(record, s23, 48);
  raiseLargest(record, i32x4.extract_lane(largest, 0));
  raiseLargest(record, i32x4.extract_lane(largest, 1));
  raiseLargest(record, i32x4.extract_lane(largest, 2));
  raiseLargest(record, i32x4.extract_lane(largest, 3));
  const count =
    i32x4.extract_lane(saturated, 0) +
    i32x4.extract_lane(saturated, 1) +
    i32x4.extract_lane(saturated, 2) +
    i32x4.extract_lane(saturated, 3);
  store<f64>(record + 72, load<f64>(record + 72) + <f64>count);
}

/** Raises the largest error to a float32 of these bits; an error that is NaN shows, and stays. */
export function raiseLargest(record: usize, bits: i32): void {
  const before = load<f64>(record + 64);
  if (before != before) return;
  if (bits > 0x7f800000) return store<f64>(record + 64, NaN);
  const size = <f64>reinterpret<f32>(bits);
  if (size > before) store<f64>(record + 64, size);
}

/** Each NaN as the canonical one: engines and processors differ in the sign of a computed one. */
// @ts-ignore: decorator
@inline
export function canonical(sums: v128): v128 {
  return v128.bitselect(sums, f64x2.splat(NaN), f64x2.eq(sums, sums));
}

/** Adds `n` values `stride` bytes apart at `p` and their codes `step` bytes apart at `q`. */
export function measureEach(d: usize, record: usize, p: usize, stride: usize, n: usize, q: usize, step: usize): void {
  const dtype = word(d, Word.Dtype);
  const storage = word(d, Word.Storage);
  const lo = word(d, Word.LowCode);
  const hi = word(d, Word.HighCode);
  const half = errorAtEnd(d);
  for (let i: usize = 0; i < n; i++) {
    const x = one(dtype, p + i * stride);
    if (!(abs(x) < Infinity)) continue;
    const code = codeAt(storage, q + i * step);
    const e = x - valueOf(d, code);
    const at = record + ((i & 3) << 3);
    const sum = load<f64>(at) + <f64>e * <f64>e;
    store<f64>(at, sum == sum ? sum : NaN);
    store<f64>(at + 32, load<f64>(at + 32) + <f64>x * <f64>x);
    raiseLargest(record, reinterpret<i32>(abs(e)));
    if ((code == lo || code == hi) && abs(e) > half) store<f64>(record + 72, load<f64>(record + 72) + 1);
  }
}
