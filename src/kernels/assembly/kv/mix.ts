/**
 * The weighted sum of a segment's values (equations 66 and 67), from their codes.
 */
import { CacheCode, SegmentWord } from '../../../scheme/attention';
import { eight, eightBytes, firstFour, lastFour } from './codes';
import { segmentWord } from './words';

/**
 * Adds the values of the segment `s` and `head`, weighted by the exponentials at `e`, to `n` sums at `to`, and the weighted
 * minima to the sum at `bias`. `weights` has room for a float32 a token.
 */
export function mixSegment(s: usize, head: usize, e: usize, n: usize, weights: usize, bias: usize, to: usize): void {
  const code = <i32>segmentWord(s, SegmentWord.ValueCode);
  if (code == CacheCode.Float32) return add<f32>(s, head, e, n, to);
  weigh(s, head, e, weights, bias);
  if (code == CacheCode.Int8) add<i8>(s, head, weights, n, to);
  else if (code == CacheCode.Uint8) add<u8>(s, head, weights, n, to);
  else if (code == CacheCode.Int4) add<i16>(s, head, weights, n, to);
  else if (code == CacheCode.Uint4) add<u16>(s, head, weights, n, to);
  else if (code == CacheCode.Int2) add<i32>(s, head, weights, n, to);
  else if (code == CacheCode.Uint2) add<u32>(s, head, weights, n, to);
  else add<f64>(s, head, weights, n, to);
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

/** Adds rows of `n` codes, each times its weight, sixteen columns at a time. */
function add<T>(s: usize, head: usize, weights: usize, n: usize, to: usize): void {
  const row = (n >> 3) * eightBytes<T>();
  const end = weights + (segmentWord(s, SegmentWord.Tokens) << 2);
  let start = segmentWord(s, SegmentWord.Values) + head * segmentWord(s, SegmentWord.Capacity) * row;
  for (const stop = to + (n << 2); to < stop; to += 64, start += 2 * eightBytes<T>()) {
    let a = v128.load(to);
    let b = v128.load(to, 16);
    let c = v128.load(to, 32);
    let d = v128.load(to, 48);
    for (let at = weights, p = start; at < end; at += 4, p += row) {
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
}
