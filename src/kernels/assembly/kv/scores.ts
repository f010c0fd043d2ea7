/**
 * Scores of a segment's keys (equations 60 to 64): the products of queries and codes first, then the scales of the rows.
 * Queries go in pairs where two share a head, so that codes are read once for both.
 */
import { CacheCode, SegmentWord, TableWord } from '../../../scheme/attention';
import { eightBytes, firstFour, floats, integers, isMixed, lastFour } from './codes';
import { toSixteen } from './sixteen';
import { segmentWord, tableWord } from './words';

/** The largest integer that a value of a query becomes: sums of `n` products with codes of 8 bits stay below 2^31. */
export function queryLimit(n: usize): f32 {
  return n <= 256 ? 32767 : 8191;
}

/**
 * Scores of the segment `s` for the query of `n` values at `q`, to `to`, and where `isPair` holds for the next query too,
 * `Stride` behind. The keys are those of `head`. The queries are at `sixteens` as integers too, with the steps at `steps`.
 */
export function scoreSegment(
  t: usize,
  s: usize,
  head: usize,
  q: usize,
  n: usize,
  isPair: bool,
  sixteens: usize,
  steps: usize,
  to: usize,
): void {
  const code = <i32>segmentWord(s, SegmentWord.KeyCode);
  const stride = tableWord(t, TableWord.Stride) << 2;
  const bytes = n << 2;
  let left = q;
  let a = load<f32>(steps);
  let b: f32 = isPair ? load<f32>(steps, 4) : 0;
  if (code != CacheCode.Float32 && segmentWord(s, SegmentWord.KeyByChannel) != 0) {
    left = tableWord(t, TableWord.Folded);
    sixteens = left + 2 * bytes;
    a = fold(s, head, q, n, left, sixteens);
    if (isPair) b = fold(s, head, q + bytes, n, left + bytes, sixteens + bytes);
  }
  if (code == CacheCode.Float32) products<f32>(s, head, left, n, isPair, to, stride);
  else if (code == CacheCode.Float8) products<f64>(s, head, left, n, isPair, to, stride);
  else if (code == CacheCode.Int8) exact<i8>(s, head, sixteens, n, isPair, a, b, to, stride);
  else if (code == CacheCode.Uint8) exact<u8>(s, head, sixteens, n, isPair, a, b, to, stride);
  else if (code == CacheCode.Int4) exact<i16>(s, head, sixteens, n, isPair, a, b, to, stride);
  else if (code == CacheCode.Uint4) exact<u16>(s, head, sixteens, n, isPair, a, b, to, stride);
  else if (code == CacheCode.Int2) exact<i32>(s, head, sixteens, n, isPair, a, b, to, stride);
  else exact<u32>(s, head, sixteens, n, isPair, a, b, to, stride);
  const factor = load<f32>(t + ((<usize>TableWord.Factor) << 2));
  finish(s, head, q, n, factor, to);
  if (isPair) finish(s, head, q + bytes, n, factor, to + stride);
}

/** A query with the scale of each channel in it (equation 62), and as integers; gives their step. */
function fold(s: usize, head: usize, q: usize, n: usize, folded: usize, sixteens: usize): f32 {
  const bytes = n << 2;
  const scale = segmentWord(s, SegmentWord.KeyScale) + head * bytes;
  for (let c: usize = 0; c < bytes; c += 16) {
    v128.store(folded + c, f32x4.mul(v128.load(q + c), v128.load(scale + c)));
  }
  return toSixteen(folded, n, queryLimit(n), sixteens);
}

/** The first row of keys of `head`. */
// @ts-ignore: decorator
@inline
function firstRow(s: usize, head: usize, row: usize): usize {
  return segmentWord(s, SegmentWord.Keys) + head * segmentWord(s, SegmentWord.Capacity) * row;
}

/** Products of rows of integers (equation 61). */
function exact<T>(
  s: usize,
  head: usize,
  q: usize,
  n: usize,
  isPair: bool,
  step: f32,
  otherStep: f32,
  to: usize,
  stride: usize,
): void {
  const row = (n >> 3) * eightBytes<T>();
  const behind = n << 2;
  const end = to + (segmentWord(s, SegmentWord.Tokens) << 2);
  if (isMixed<T>()) q += n << 1;
  for (let p = firstRow(s, head, row); to < end; to += 4, p += row) {
    let a = i32x4.splat(0);
    if (!isPair) {
      for (let at = q, x = p, stop = p + row; x < stop; at += 16, x += eightBytes<T>()) {
        a = i32x4.add(a, i32x4.dot_i16x8_s(integers<T>(x), v128.load(at)));
      }
    } else {
      let b = i32x4.splat(0);
      for (let at = q, x = p, stop = p + row; x < stop; at += 16, x += eightBytes<T>()) {
        const codes = integers<T>(x);
        a = i32x4.add(a, i32x4.dot_i16x8_s(codes, v128.load(at)));
        b = i32x4.add(b, i32x4.dot_i16x8_s(codes, v128.load(at + behind)));
      }
      store<f32>(to + stride, <f32>total(b) * otherStep);
    }
    store<f32>(to, <f32>total(a) * step);
  }
}

/** The sum of four lanes. */
// @ts-ignore: decorator
@inline
function total(x: v128): i32 {
  const pairs = i32x4.add(x, v128.shuffle<i32>(x, x, 2, 3, 2, 3));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/** Products of rows of floats (equation 60). */
function products<T>(s: usize, head: usize, q: usize, n: usize, isPair: bool, to: usize, stride: usize): void {
  const row = (n >> 3) * eightBytes<T>();
  const end = to + (segmentWord(s, SegmentWord.Tokens) << 2);
  let p = firstRow(s, head, row);
  if (isPair) {
    for (; to < end; to += 4, p += row) two<T>(q, n, p, to, to + stride);
  } else {
    for (; to < end; to += 4, p += row) store<f32>(to, dot<T>(q, p, n));
  }
}

/** The product of a query and `n` floats, in eight partial sums. */
// @ts-ignore: decorator
@inline
function dot<T>(q: usize, p: usize, n: usize): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  for (const end = q + (n << 2); q < end; q += 32, p += eightBytes<T>()) {
    const x = floats<T>(p);
    a = f32x4.add(a, f32x4.mul(v128.load(q), firstFour<T>(x)));
    b = f32x4.add(b, f32x4.mul(v128.load(q, 16), lastFour<T>(x, p)));
  }
  return sumOf(f32x4.add(a, b));
}

/** The same for two queries, one behind the other. */
// @ts-ignore: decorator
@inline
function two<T>(q: usize, n: usize, p: usize, to: usize, other: usize): void {
  const bytes = n << 2;
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  for (const end = q + bytes; q < end; q += 32, p += eightBytes<T>()) {
    const x = floats<T>(p);
    const first = firstFour<T>(x);
    const last = lastFour<T>(x, p);
    a = f32x4.add(a, f32x4.mul(v128.load(q), first));
    b = f32x4.add(b, f32x4.mul(v128.load(q, 16), last));
    c = f32x4.add(c, f32x4.mul(v128.load(q + bytes), first));
    d = f32x4.add(d, f32x4.mul(v128.load(q + bytes, 16), last));
  }
  store<f32>(to, sumOf(f32x4.add(a, b)));
  store<f32>(other, sumOf(f32x4.add(c, d)));
}

/** Products to scores: with the scale and the minimum of each row, or the minima of channels (equations 63 and 64). */
function finish(s: usize, head: usize, q: usize, n: usize, factor: f32, to: usize): void {
  const minimum = segmentWord(s, SegmentWord.KeyMinimum);
  const end = to + (segmentWord(s, SegmentWord.Tokens) << 2);
  if (segmentWord(s, SegmentWord.KeyCode) == CacheCode.Float32) {
    for (; to < end; to += 4) store<f32>(to, load<f32>(to) * factor);
    return;
  }
  if (segmentWord(s, SegmentWord.KeyByChannel) != 0) {
    const bias: f32 = minimum == 0 ? 0 : dot<f32>(q, minimum + ((head * n) << 2), n);
    for (; to < end; to += 4) store<f32>(to, (load<f32>(to) + bias) * factor);
    return;
  }
  const first = (head * segmentWord(s, SegmentWord.Capacity)) << 2;
  let scale = segmentWord(s, SegmentWord.KeyScale) + first;
  if (minimum == 0) {
    for (; to < end; to += 4, scale += 4) store<f32>(to, load<f32>(to) * load<f32>(scale) * factor);
    return;
  }
  const sum = sumOfQuery(q, n);
  for (let m = minimum + first; to < end; to += 4, scale += 4, m += 4) {
    store<f32>(to, (load<f32>(to) * load<f32>(scale) + sum * load<f32>(m)) * factor);
  }
}

/** The sum of a query, in the same order as its products. */
function sumOfQuery(q: usize, n: usize): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  for (const end = q + (n << 2); q < end; q += 32) {
    a = f32x4.add(a, v128.load(q));
    b = f32x4.add(b, v128.load(q, 16));
  }
  return sumOf(f32x4.add(a, b));
}

/** Lanes (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
function sumOf(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<i32>(x, x, 2, 3, 2, 3));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}
