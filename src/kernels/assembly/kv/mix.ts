/**
 * The weighted sum of a segment's values (equations 68 to 70), from their codes. Query heads go in pairs, so that codes are
 * read once for both.
 */
import { CacheCode, SegmentWord, TableWord } from '../../../scheme/attention';
import { eightBytes, firstFour, floats, integers, isMixed, lastFour } from './codes';
import { toSixteen } from './sixteen';
import { segmentWord, tableWord } from './words';

/** The largest integer that a weight becomes: sums of the products of 256 tokens with codes of 8 bits stay below 2^31. */
const LIMIT: f32 = 32767;

/**
 * Adds the values of the segment `s` and `head`, weighted by the exponentials at `e`, to `n` sums at `to`, and the weighted
 * minima to the sum at `bias`. Where `isPair` holds it does so for the next query head too: its exponentials are `Stride`
 * behind, its sums and its bias next to the others.
 */
export function mixSegment(t: usize, s: usize, head: usize, e: usize, n: usize, isPair: bool, bias: usize, to: usize): void {
  const code = <i32>segmentWord(s, SegmentWord.ValueCode);
  const stride = tableWord(t, TableWord.Stride) << 2;
  if (code == CacheCode.Float32) return add<f32>(s, head, e, stride, n, isPair, to);
  const weights = tableWord(t, TableWord.Weights);
  const room: usize = ((segmentWord(s, SegmentWord.Tokens) + 7) & ~7) << 2;
  weigh(s, head, e, weights, room, bias);
  if (isPair) weigh(s, head, e + stride, weights + room, room, bias + 4);
  if (code == CacheCode.Float8) return add<f64>(s, head, weights, room, n, isPair, to);
  const count = room >> 2;
  const sixteens = weights + 2 * room;
  const a = toSixteen(weights, count, LIMIT, sixteens);
  const b: f32 = isPair ? toSixteen(weights + room, count, LIMIT, sixteens + room) : 0;
  if (code == CacheCode.Int8) exact<i8>(s, head, sixteens, room, n, isPair, a, b, to);
  else if (code == CacheCode.Uint8) exact<u8>(s, head, sixteens, room, n, isPair, a, b, to);
  else if (code == CacheCode.Int4) exact<i16>(s, head, sixteens, room, n, isPair, a, b, to);
  else if (code == CacheCode.Uint4) exact<u16>(s, head, sixteens, room, n, isPair, a, b, to);
  else if (code == CacheCode.Int2) exact<i32>(s, head, sixteens, room, n, isPair, a, b, to);
  else exact<u32>(s, head, sixteens, room, n, isPair, a, b, to);
}

/** Exponentials times the scales of the rows, and 0 behind them up to `room` bytes. */
function weigh(s: usize, head: usize, e: usize, weights: usize, room: usize, bias: usize): void {
  const first = (head * segmentWord(s, SegmentWord.Capacity)) << 2;
  const scale = segmentWord(s, SegmentWord.ValueScale) + first;
  const end = segmentWord(s, SegmentWord.Tokens) << 2;
  for (let at: usize = 0; at < end; at += 4) store<f32>(weights + at, load<f32>(e + at) * load<f32>(scale + at));
  for (let at = end; at < room; at += 4) store<f32>(weights + at, 0);
  if (segmentWord(s, SegmentWord.ValueMinimum) == 0) return;
  const minimum = segmentWord(s, SegmentWord.ValueMinimum) + first;
  let sum = load<f32>(bias);
  for (let at: usize = 0; at < end; at += 4) sum += load<f32>(e + at) * load<f32>(minimum + at);
  store<f32>(bias, sum);
}

/** The first row of values of `head`. */
// @ts-ignore: decorator
@inline
function firstRow(s: usize, head: usize, row: usize): usize {
  return segmentWord(s, SegmentWord.Values) + head * segmentWord(s, SegmentWord.Capacity) * row;
}

/** Rows of integers, eight columns and two rows at a time; the weights of the other query head are `room` bytes behind. */
function exact<T>(
  s: usize,
  head: usize,
  sixteens: usize,
  room: usize,
  n: usize,
  isPair: bool,
  step: f32,
  otherStep: f32,
  to: usize,
): void {
  const row = (n >> 3) * eightBytes<T>();
  const tokens = segmentWord(s, SegmentWord.Tokens);
  const stop = to + (n << 2);
  let start = firstRow(s, head, row);
  for (; to < stop; to += 32, start += eightBytes<T>()) {
    const last = start + (tokens - 1) * row;
    let a = i32x4.splat(0);
    let b = i32x4.splat(0);
    let c = i32x4.splat(0);
    let d = i32x4.splat(0);
    for (let p = start, at = sixteens; p <= last; p += 2 * row, at += 4) {
      const x = integers<T>(p);
      // Behind the last row is none: it goes twice, the second time with the weight 0.
      const y = integers<T>(min<usize>(p + row, last));
      const low = v128.shuffle<i16>(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
      const high = v128.shuffle<i16>(x, y, 4, 12, 5, 13, 6, 14, 7, 15);
      const w = v128.load_splat<u32>(at);
      a = i32x4.add(a, i32x4.dot_i16x8_s(low, w));
      b = i32x4.add(b, i32x4.dot_i16x8_s(high, w));
      if (!isPair) continue;
      const v = v128.load_splat<u32>(at + room);
      c = i32x4.add(c, i32x4.dot_i16x8_s(low, v));
      d = i32x4.add(d, i32x4.dot_i16x8_s(high, v));
    }
    put<T>(to, a, b, step);
    if (isPair) put<T>(to + (n << 2), c, d, otherStep);
  }
}

/** Adds eight sums of integers to those at `to`. */
// @ts-ignore: decorator
@inline
function put<T>(to: usize, a: v128, b: v128, step: f32): void {
  // Of codes in the order 0 4 1 5 2 6 3 7.
  const first = isMixed<T>() ? v128.shuffle<i32>(a, b, 0, 2, 4, 6) : a;
  const last = isMixed<T>() ? v128.shuffle<i32>(a, b, 1, 3, 5, 7) : b;
  const steps = f32x4.splat(step);
  v128.store(to, f32x4.add(v128.load(to), f32x4.mul(f32x4.convert_i32x4_s(first), steps)));
  v128.store(to, f32x4.add(v128.load(to, 16), f32x4.mul(f32x4.convert_i32x4_s(last), steps)), 16);
}

/** Rows of floats; the weights of the other query head are `stride` bytes behind. */
function add<T>(s: usize, head: usize, weights: usize, stride: usize, n: usize, isPair: bool, to: usize): void {
  const row = (n >> 3) * eightBytes<T>();
  const end = weights + (segmentWord(s, SegmentWord.Tokens) << 2);
  const stop = to + (n << 2);
  let p = firstRow(s, head, row);
  if (isPair) {
    for (; to < stop; to += 32, p += eightBytes<T>()) addTwo<T>(weights, end, stride, p, row, to, to + (n << 2));
  } else {
    for (; to < stop; to += 64, p += 2 * eightBytes<T>()) addOne<T>(weights, end, p, row, to);
  }
}

/** Sixteen columns for one query head. */
// @ts-ignore: decorator
@inline
function addOne<T>(weights: usize, end: usize, p: usize, row: usize, to: usize): void {
  let a = v128.load(to);
  let b = v128.load(to, 16);
  let c = v128.load(to, 32);
  let d = v128.load(to, 48);
  for (let at = weights; at < end; at += 4, p += row) {
    const w = v128.load_splat<u32>(at);
    const x = floats<T>(p);
    const y = floats<T>(p + eightBytes<T>());
    a = f32x4.add(a, f32x4.mul(w, firstFour<T>(x)));
    b = f32x4.add(b, f32x4.mul(w, lastFour<T>(x, p)));
    c = f32x4.add(c, f32x4.mul(w, firstFour<T>(y)));
    d = f32x4.add(d, f32x4.mul(w, lastFour<T>(y, p + eightBytes<T>())));
  }
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
}

/** Eight columns for two query heads. */
// @ts-ignore: decorator
@inline
function addTwo<T>(weights: usize, end: usize, stride: usize, p: usize, row: usize, to: usize, other: usize): void {
  let a = v128.load(to);
  let b = v128.load(to, 16);
  let c = v128.load(other);
  let d = v128.load(other, 16);
  for (let at = weights; at < end; at += 4, p += row) {
    const w = v128.load_splat<u32>(at);
    const v = v128.load_splat<u32>(at + stride);
    const values = floats<T>(p);
    const x = firstFour<T>(values);
    const y = lastFour<T>(values, p);
    a = f32x4.add(a, f32x4.mul(w, x));
    b = f32x4.add(b, f32x4.mul(w, y));
    c = f32x4.add(c, f32x4.mul(v, x));
    d = f32x4.add(d, f32x4.mul(v, y));
  }
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(other, c);
  v128.store(other, d, 16);
}
