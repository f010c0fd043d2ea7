/**
 * The weighted sum of a segment's values (equations 66 and 67), from their codes. Query heads go in pairs, so that codes are
 * read once for both.
 */
import { CacheCode, SegmentWord } from '../../../scheme/attention';
import { eight, eightBytes, firstFour, lastFour } from './codes';
import { segmentWord } from './words';

/**
 * Adds the values of the segment `s` and `head`, weighted by the exponentials at `e`, to `n` sums at `to`, and the weighted
 * minima to the sum at `bias`. Where `isPair` holds it does so for the next query head too: its exponentials are `stride`
 * bytes behind, its sums and its bias next to the others. `weights` has room for two float32 a token.
 */
export function mixSegment(
  s: usize,
  head: usize,
  e: usize,
  stride: usize,
  n: usize,
  isPair: bool,
  weights: usize,
  bias: usize,
  to: usize,
): void {
  const code = <i32>segmentWord(s, SegmentWord.ValueCode);
  if (code == CacheCode.Float32) return add<f32>(s, head, e, stride, n, isPair, to);
  const bytes = segmentWord(s, SegmentWord.Tokens) << 2;
  weigh(s, head, e, weights, bias);
  if (isPair) weigh(s, head, e + stride, weights + bytes, bias + 4);
  if (code == CacheCode.Int8) add<i8>(s, head, weights, bytes, n, isPair, to);
  else if (code == CacheCode.Uint8) add<u8>(s, head, weights, bytes, n, isPair, to);
  else if (code == CacheCode.Int4) add<i16>(s, head, weights, bytes, n, isPair, to);
  else if (code == CacheCode.Uint4) add<u16>(s, head, weights, bytes, n, isPair, to);
  else if (code == CacheCode.Int2) add<i32>(s, head, weights, bytes, n, isPair, to);
  else if (code == CacheCode.Uint2) add<u32>(s, head, weights, bytes, n, isPair, to);
  else add<f64>(s, head, weights, bytes, n, isPair, to);
}

/** Exponentials times the scales of the rows. */
function weigh(s: usize, head: usize, e: usize, weights: usize, bias: usize): void {
  const tokens = segmentWord(s, SegmentWord.Tokens);
  const first = (head * segmentWord(s, SegmentWord.Capacity)) << 2;
  const scale = segmentWord(s, SegmentWord.ValueScale) + first;
  const end = tokens << 2;
  for (let at: usize = 0; at < end; at += 4) store<f32>(weights + at, load<f32>(e + at) * load<f32>(scale + at));
  if (segmentWord(s, SegmentWord.ValueMinimum) == 0) return;
  const minimum = segmentWord(s, SegmentWord.ValueMinimum) + first;
  let sum = load<f32>(bias);
  for (let at: usize = 0; at < end; at += 4) sum += load<f32>(e + at) * load<f32>(minimum + at);
  store<f32>(bias, sum);
}

/** Adds rows of `n` codes, each times its weight, sixteen columns at a time; the other weights are `stride` bytes behind. */
function add<T>(s: usize, head: usize, weights: usize, stride: usize, n: usize, isPair: bool, to: usize): void {
  const row = (n >> 3) * eightBytes<T>();
  const end = weights + (segmentWord(s, SegmentWord.Tokens) << 2);
  const stop = to + (n << 2);
  let p = segmentWord(s, SegmentWord.Values) + head * segmentWord(s, SegmentWord.Capacity) * row;
  for (; to < stop; to += 64, p += 2 * eightBytes<T>()) {
    if (isPair) addTwo<T>(weights, end, stride, p, row, to, to + (n << 2));
    else addOne<T>(weights, end, p, row, to);
  }
}

// @ts-ignore: decorator
@inline
function addOne<T>(weights: usize, end: usize, p: usize, row: usize, to: usize): void {
  let a = v128.load(to);
  let b = v128.load(to, 16);
  let c = v128.load(to, 32);
  let d = v128.load(to, 48);
  for (let at = weights; at < end; at += 4, p += row) {
    const w = v128.load_splat<u32>(at);
    const x = eight<T>(p);
    const y = eight<T>(p + eightBytes<T>());
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

// @ts-ignore: decorator
@inline
function addTwo<T>(weights: usize, end: usize, stride: usize, p: usize, row: usize, to: usize, other: usize): void {
  let a = v128.load(to);
  let b = v128.load(to, 16);
  let c = v128.load(to, 32);
  let d = v128.load(to, 48);
  let e = v128.load(other);
  let f = v128.load(other, 16);
  let g = v128.load(other, 32);
  let h = v128.load(other, 48);
  for (let at = weights; at < end; at += 4, p += row) {
    const w = v128.load_splat<u32>(at);
    const v = v128.load_splat<u32>(at + stride);
    const x = eight<T>(p);
    const x0 = firstFour<T>(x);
    const x1 = lastFour<T>(x, p);
    a = f32x4.add(a, f32x4.mul(w, x0));
    b = f32x4.add(b, f32x4.mul(w, x1));
    e = f32x4.add(e, f32x4.mul(v, x0));
    f = f32x4.add(f, f32x4.mul(v, x1));
    const y = eight<T>(p + eightBytes<T>());
    const y0 = firstFour<T>(y);
    const y1 = lastFour<T>(y, p + eightBytes<T>());
    c = f32x4.add(c, f32x4.mul(w, y0));
    d = f32x4.add(d, f32x4.mul(w, y1));
    g = f32x4.add(g, f32x4.mul(v, y0));
    h = f32x4.add(h, f32x4.mul(v, y1));
  }
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
  v128.store(other, e);
  v128.store(other, f, 16);
  v128.store(other, g, 32);
  v128.store(other, h, 48);
}
