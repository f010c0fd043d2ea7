/**
 * Scores of a segment's keys (equations 60 to 62), from their codes.
 */
import { CacheCode, SegmentWord } from '../../../scheme/attention';
import { eight, eightBytes, firstFour, lastFour } from './codes';
import { segmentWord } from './words';

/**
 * Scores of the segment `s` for one query of `n` values at `q`, to `to`; the keys are those of `head`. `folded` has room for
 * a query.
 */
export function scoreSegment(s: usize, head: usize, q: usize, n: usize, factor: f32, folded: usize, to: usize): void {
  const code = <i32>segmentWord(s, SegmentWord.KeyCode);
  if (code == CacheCode.Float32) plain(s, head, q, n, factor, to);
  else if (code == CacheCode.Int8) scaled<i8>(s, head, q, n, factor, folded, to);
  else if (code == CacheCode.Uint8) scaled<u8>(s, head, q, n, factor, folded, to);
  else if (code == CacheCode.Int4) scaled<i16>(s, head, q, n, factor, folded, to);
  else if (code == CacheCode.Uint4) scaled<u16>(s, head, q, n, factor, folded, to);
  else if (code == CacheCode.Int2) scaled<i32>(s, head, q, n, factor, folded, to);
  else if (code == CacheCode.Uint2) scaled<u32>(s, head, q, n, factor, folded, to);
  else scaled<f64>(s, head, q, n, factor, folded, to);
}

/** Keys that are float32. */
function plain(s: usize, head: usize, q: usize, n: usize, factor: f32, to: usize): void {
  const row = n << 2;
  let p = segmentWord(s, SegmentWord.Keys) + head * segmentWord(s, SegmentWord.Capacity) * row;
  for (const end = to + (segmentWord(s, SegmentWord.Tokens) << 2); to < end; to += 4, p += row) {
    store<f32>(to, dot<f32>(q, p, n) * factor);
  }
}

/** Keys that are codes. */
function scaled<T>(s: usize, head: usize, q: usize, n: usize, factor: f32, folded: usize, to: usize): void {
  const row = (n >> 3) * eightBytes<T>();
  const first = head * segmentWord(s, SegmentWord.Capacity);
  const end = to + (segmentWord(s, SegmentWord.Tokens) << 2);
  let p = segmentWord(s, SegmentWord.Keys) + first * row;
  let scale = segmentWord(s, SegmentWord.KeyScale);
  let minimum = segmentWord(s, SegmentWord.KeyMinimum);
  if (segmentWord(s, SegmentWord.KeyByChannel) != 0) {
    const channel = (head * n) << 2;
    fold(q, scale + channel, n, folded);
    const bias: f32 = minimum == 0 ? 0 : dot<f32>(q, minimum + channel, n);
    for (; to < end; to += 4, p += row) store<f32>(to, (dot<T>(folded, p, n) + bias) * factor);
    return;
  }
  scale += first << 2;
  if (minimum == 0) {
    for (; to < end; to += 4, p += row, scale += 4) store<f32>(to, dot<T>(q, p, n) * load<f32>(scale) * factor);
    return;
  }
  minimum += first << 2;
  const sum = total(q, n);
  for (; to < end; to += 4, p += row, scale += 4, minimum += 4) {
    store<f32>(to, (dot<T>(q, p, n) * load<f32>(scale) + sum * load<f32>(minimum)) * factor);
  }
}

/** A query with the scale of each channel in it (equation 61). */
function fold(q: usize, scale: usize, n: usize, folded: usize): void {
  for (let c: usize = 0; c < n << 2; c += 16) {
    v128.store(folded + c, f32x4.mul(v128.load(q + c), v128.load(scale + c)));
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

/** The sum of a query, in the same order. */
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
