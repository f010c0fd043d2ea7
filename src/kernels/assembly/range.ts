/**
 * Ranges. A range that contains zero is two integers: `high`, the bits of the largest value and at least +0, and
 * `low`, the bits of the smallest and at most −0. Positive floats are ordered as signed integers and negative ones
 * as unsigned, so one integer maximum an element and end is exact, is free of order (ranges merge across lanes to
 * the same bits), and lets NaN and infinities show as the largest of all. A range of the values alone
 * (`Word.WithoutZero`) is the bits of its true ends, collected in `alone`.
 */
import { Dtype, NonFinite } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { isHigher, isLower, keyOf, keysOf, largestKey, smallestKey } from './alone';
import { bytesOf, halfBits, one } from './load';
import { setWord, word } from './words';

/** Bytes of a page. */
const PAGE: usize = 4096;

/** Bits of the largest value seen, at least +0 but for a range of the values alone. */
export let high: i32 = 0;
/** Bits of the smallest value seen, at most −0 but for a range of the values alone. */
export let low: i32 = i32.MIN_VALUE;
/** Whether a value seen was NaN or infinite. */
export let dirty: bool = false;

/** Empties a range that contains zero. */
// @ts-ignore: decorator
@inline
export function clearRange(): void {
  clearEnds(false);
  dirty = false;
}

/** Empties the range, of the kind that `d` asks for. */
// @ts-ignore: decorator
@inline
export function startRange(d: usize): void {
  clearEnds(isAlone(d));
  dirty = false;
}

/** Whether a range is that of the values alone. */
// @ts-ignore: decorator
@inline
function isAlone(d: usize): bool {
  return word(d, Word.WithoutZero) != 0;
}

/** Sets the range to given bits. */
export function setRange(highBits: i32, lowBits: i32, isDirty: bool): void {
  high = highBits;
  low = lowBits;
  dirty = isDirty;
}

/** Merges bits of another range. */
// @ts-ignore: decorator
@inline
export function mergeRange(highBits: i32, lowBits: i32): void {
  if (highBits > high) high = highBits;
  if (<u32>lowBits > <u32>low) low = lowBits;
}

/** Whether an end of a range is NaN or infinite. */
// @ts-ignore: decorator
@inline
export function endIsNonFinite(highBits: i32, lowBits: i32): bool {
  return highBits >= 0x7f800000 || (lowBits & 0x7fffffff) >= 0x7f800000;
}

/**
 * Adds `n` values `stride` bytes apart at `p` to the range. Non-finite ones follow the policy of `d`: `error` and
 * `saturate` count them and leave them out, `propagate` lets them in. `element` is the index of the first value and
 * `step` the distance of indices, for the report.
 */
export function extend(d: usize, p: usize, stride: usize, n: usize, element: i32, step: i32): void {
  const dtype = word(d, Word.Dtype);
  const alone = isAlone(d);
  const oldHigh = high;
  const oldLow = low;
  if (alone) {
    keysOf(dtype, p, stride, n);
    high = keyOf(largestKey);
    low = keyOf(smallestKey);
  } else if (stride == bytesOf(dtype)) {
    extremes(d, p, n);
  } else {
    clearEnds(false);
    for (let i: usize = 0; i < n; i++) {
      const bits = reinterpret<i32>(one(dtype, p + i * stride));
      mergeRange(bits, bits);
    }
  }
  if (endIsNonFinite(high, low)) {
    dirty = true;
    extendCarefully(d, p, stride, n, element, step);
  }
  merge(alone, oldHigh, oldLow);
}

/** Merges bits of another range of the same kind. */
// @ts-ignore: decorator
@inline
function merge(alone: bool, highBits: i32, lowBits: i32): void {
  if (!alone) return mergeRange(highBits, lowBits);
  if (isHigher(highBits, high)) high = highBits;
  if (isLower(lowBits, low)) low = lowBits;
}

/** Merges bits of another range of the kind that `d` asks for. */
export function mergeAs(d: usize, highBits: i32, lowBits: i32): void {
  merge(isAlone(d), highBits, lowBits);
}

/** Sets the range to that of `n` contiguous values, whatever they are. */
export function extremes(d: usize, p: usize, n: usize): void {
  const dtype = word(d, Word.Dtype);
  clearEnds(false);
  if (dtype == Dtype.Float32) extremes32(p, n);
  else extremes16(p, n, dtype);
}

// @ts-ignore: decorator
@inline
function clearEnds(alone: bool): void {
  // A range of the values alone begins inside out: from +∞ to −∞.
  high = alone ? 0x7f800000 | i32.MIN_VALUE : 0;
  low = alone ? 0x7f800000 : i32.MIN_VALUE;
}

/** Sets the range to that of `n` contiguous float32. */
function extremes32(p: usize, n: usize): void {
  let h0 = i32x4.splat(0);
  let h1 = h0;
  let l0 = i32x4.splat(i32.MIN_VALUE);
  let l1 = l0;
  const end = p + (n << 2);
  // Four pages at a time: the processor fetches ahead within a page only, and for each page by itself.
  while (p + 4 * PAGE <= end) {
    for (const stop = p + PAGE; p < stop; p += 64) {
      for (let page: usize = 0; page < 4 * PAGE; page += PAGE) {
        const a = v128.load(p + page);
        const b = v128.load(p + page, 16);
        const c = v128.load(p + page, 32);
        const e = v128.load(p + page, 48);
        h0 = i32x4.max_s(h0, a);
        l0 = i32x4.max_u(l0, a);
        h1 = i32x4.max_s(h1, b);
        l1 = i32x4.max_u(l1, b);
        h0 = i32x4.max_s(h0, c);
        l0 = i32x4.max_u(l0, c);
        h1 = i32x4.max_s(h1, e);
        l1 = i32x4.max_u(l1, e);
      }
    }
    p += 3 * PAGE;
  }
  while (p + 64 <= end) {
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const e = v128.load(p, 48);
    h0 = i32x4.max_s(h0, a);
    l0 = i32x4.max_u(l0, a);
    h1 = i32x4.max_s(h1, b);
    l1 = i32x4.max_u(l1, b);
    h0 = i32x4.max_s(h0, c);
    l0 = i32x4.max_u(l0, c);
    h1 = i32x4.max_s(h1, e);
    l1 = i32x4.max_u(l1, e);
    p += 64;
  }
  if (p < end && n >= 16) {
    // A range does not mind a value twice: the tail is the last four vectors again.
    for (let t: usize = end - 64; t < end; t += 16) {
      const a = v128.load(t);
      h0 = i32x4.max_s(h0, a);
      l0 = i32x4.max_u(l0, a);
    }
    p = end;
  }
  for (; p < end; p += 4) {
    const bits = load<i32>(p);
    mergeRange(bits, bits);
  }
  foldEnds(i32x4.max_s(h0, h1), i32x4.max_u(l0, l1));
}

/** Sets the range to that of `n` contiguous 16-bit floats; their order as integers is that of float32. */
function extremes16(p: usize, n: usize, dtype: i32): void {
  let h = i16x8.splat(0);
  let l = i16x8.splat(i16.MIN_VALUE);
  let h1 = h;
  let l1 = l;
  const end = p + (n << 1);
  while (p + 64 <= end) {
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const e = v128.load(p, 48);
    h = i16x8.max_s(h, a);
    l = i16x8.max_u(l, a);
    h1 = i16x8.max_s(h1, b);
    l1 = i16x8.max_u(l1, b);
    h = i16x8.max_s(h, c);
    l = i16x8.max_u(l, c);
    h1 = i16x8.max_s(h1, e);
    l1 = i16x8.max_u(l1, e);
    p += 64;
  }
  h = i16x8.max_s(h, h1);
  l = i16x8.max_u(l, l1);
  while (p + 16 <= end) {
    const a = v128.load(p);
    h = i16x8.max_s(h, a);
    l = i16x8.max_u(l, a);
    p += 16;
  }
  if (p < end && n >= 8) {
    const a = v128.load(end - 16);
    h = i16x8.max_s(h, a);
    l = i16x8.max_u(l, a);
    p = end;
  }
  let largest: i32 = 0;
  let smallest: i32 = 0x8000;
  for (; p < end; p += 2) {
    largest = max<i32>(largest, load<i16>(p));
    smallest = max<i32>(smallest, load<u16>(p));
  }
  h = i32x4.max_s(i32x4.extend_low_i16x8_s(h), i32x4.extend_high_i16x8_s(h));
  l = i32x4.max_s(i32x4.extend_low_i16x8_u(l), i32x4.extend_high_i16x8_u(l));
  largest = max(largest, largestLane(h));
  smallest = max(smallest, largestLane(l));
  if (dtype == Dtype.Bfloat16) mergeRange(largest << 16, smallest << 16);
  else mergeRange(halfBits(largest), halfBits(smallest));
}

/** Merges the four lanes of both ends. */
function foldEnds(h: v128, l: v128): void {
  mergeRange(largestLane(h), i32.MIN_VALUE);
  l = i32x4.max_u(l, v128.shuffle<i32>(l, l, 2, 3, 0, 1));
  l = i32x4.max_u(l, v128.shuffle<i32>(l, l, 1, 0, 3, 2));
  mergeRange(0, i32x4.extract_lane(l, 0));
}

/** The largest signed lane. */
// @ts-ignore: decorator
@inline
export function largestLane(v: v128): i32 {
  v = i32x4.max_s(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  v = i32x4.max_s(v, v128.shuffle<i32>(v, v, 1, 0, 3, 2));
  return i32x4.extract_lane(v, 0);
}

/** The range again, value by value, where some are not finite. */
function extendCarefully(d: usize, p: usize, stride: usize, n: usize, element: i32, step: i32): void {
  const dtype = word(d, Word.Dtype);
  const policy = word(d, Word.NonFinite);
  const poisons = word(d, Word.NanPoisons) != 0;
  const alone = isAlone(d);
  let count: i32 = 0;
  let first: i32 = -1;
  clearEnds(alone);
  for (let i: usize = 0; i < n; i++) {
    const x = one(dtype, p + i * stride);
    const bits = reinterpret<i32>(x);
    if ((bits & 0x7fffffff) < 0x7f800000) {
      merge(alone, bits, bits);
      continue;
    }
    if (count++ == 0) first = element + <i32>i * step;
    if (policy != NonFinite.Propagate) continue;
    if (x == x) merge(alone, bits, bits);
    else if (poisons) high = 0x7fc00000;
  }
  if (word(d, Word.BadCount) == 0 || <u32>first < <u32>word(d, Word.BadFirst)) setWord(d, Word.BadFirst, first);
  setWord(d, Word.BadCount, word(d, Word.BadCount) + count);
}
