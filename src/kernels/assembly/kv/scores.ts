/**
 * Scores of a segment's keys (equations 60 to 62): the products of queries and codes first, then the scales of the rows.
 * Queries go in pairs where two share a head, so that codes are read once for both.
 */
import { CacheCode, SegmentWord } from '../../../scheme/attention';
import { eight, eightBytes, firstFour, lastFour } from './codes';
import { segmentWord } from './words';

/**
 * Scores of the segment `s` for the query of `n` values at `q`, to `to`, and where `isPair` holds for the next query too,
 * `stride` bytes behind. The keys are those of `head`; `folded` has room for two queries.
 */
export function scoreSegment(
  s: usize,
  head: usize,
  q: usize,
  n: usize,
  isPair: bool,
  factor: f32,
  folded: usize,
  to: usize,
  stride: usize,
): void {
  const bytes = n << 2;
  let left = q;
  if (segmentWord(s, SegmentWord.KeyCode) != CacheCode.Float32 && segmentWord(s, SegmentWord.KeyByChannel) != 0) {
    left = folded;
    fold(s, head, q, n, folded);
    if (isPair) fold(s, head, q + bytes, n, folded + bytes);
  }
  multiply(s, head, left, n, isPair, to, stride);
  finish(s, head, q, n, factor, to);
  if (isPair) finish(s, head, q + bytes, n, factor, to + stride);
}

/** A query with the scale of each channel in it (equation 61). */
function fold(s: usize, head: usize, q: usize, n: usize, folded: usize): void {
  const bytes = n << 2;
  const scale = segmentWord(s, SegmentWord.KeyScale) + head * bytes;
  for (let c: usize = 0; c < bytes; c += 16) {
    v128.store(folded + c, f32x4.mul(v128.load(q + c), v128.load(scale + c)));
  }
}

function multiply(s: usize, head: usize, q: usize, n: usize, isPair: bool, to: usize, stride: usize): void {
  const code = <i32>segmentWord(s, SegmentWord.KeyCode);
  if (code == CacheCode.Float32) products<f32>(s, head, q, n, isPair, to, stride);
  else if (code == CacheCode.Int8) products<i8>(s, head, q, n, isPair, to, stride);
  else if (code == CacheCode.Uint8) products<u8>(s, head, q, n, isPair, to, stride);
  else if (code == CacheCode.Int4) products<i16>(s, head, q, n, isPair, to, stride);
  else if (code == CacheCode.Uint4) products<u16>(s, head, q, n, isPair, to, stride);
  else if (code == CacheCode.Int2) products<i32>(s, head, q, n, isPair, to, stride);
  else if (code == CacheCode.Uint2) products<u32>(s, head, q, n, isPair, to, stride);
  else products<f64>(s, head, q, n, isPair, to, stride);
}

/** The products of queries and rows of codes. */
function products<T>(s: usize, head: usize, q: usize, n: usize, isPair: bool, to: usize, stride: usize): void {
  const row = (n >> 3) * eightBytes<T>();
  const end = to + (segmentWord(s, SegmentWord.Tokens) << 2);
  let p = segmentWord(s, SegmentWord.Keys) + head * segmentWord(s, SegmentWord.Capacity) * row;
  if (isPair) {
    for (; to < end; to += 4, p += row) two<T>(q, n, p, to, to + stride);
  } else {
    for (; to < end; to += 4, p += row) store<f32>(to, dot<T>(q, p, n));
  }
}

/** The product of a query and `n` codes, in eight partial sums (equation 60). */
// @ts-ignore: decorator
@inline
function dot<T>(q: usize, p: usize, n: usize): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  for (const end = q + (n << 2); q < end; q += 32, p += eightBytes<T>()) {
    const x = eight<T>(p);
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
    const x = eight<T>(p);
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

/** Products to scores: with the scale and the minimum of each row, or the minima of channels (equations 61 and 62). */
function finish(s: usize, head: usize, q: usize, n: usize, factor: f32, to: usize): void {
  const tokens = segmentWord(s, SegmentWord.Tokens);
  const minimum = segmentWord(s, SegmentWord.KeyMinimum);
  const end = to + (tokens << 2);
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
  const sum = total(q, n);
  for (let m = minimum + first; to < end; to += 4, scale += 4, m += 4) {
    store<f32>(to, (load<f32>(to) * load<f32>(scale) + sum * load<f32>(m)) * factor);
  }
}

/** The sum of a query, in the same order as its products. */
function total(q: usize, n: usize): f32 {
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
