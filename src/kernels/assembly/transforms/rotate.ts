/**
 * Rotation by an orthonormal Hadamard matrix (equations 40 to 43): blocks of m · 2^k values are mixed by the matrix of
 * order m, if there is one, then go through k stages of butterflies, and are divided by √n at last. Stages come in pairs,
 * which changes the order of no operation on any value.
 */
import { Word } from '../../../scheme/descriptor';
import { fourExact } from '../load';
import { address, word } from '../words';
import { mix, prepare } from './paley';
import { putFour, put, single } from './values';

/** Rows `First` to `Last` of `Length` values, in blocks of `Group`. */
export function rotate<T>(d: usize): void {
  const length: usize = address(d, Word.Length);
  const block: usize = address(d, Word.Group);
  const order: usize = address(d, Word.Count);
  const run = block / order;
  const root = sqrt<f32>(<f32>block);
  if (order > 1) prepare(word(d, Word.Parts));
  const end = address(d, Word.Last) * length;
  for (let at: usize = address(d, Word.First) * length; at < end; at += block) {
    const p = address(d, Word.Values) + at * sizeof<T>();
    const q = address(d, Word.Codes) + (at << 2);
    if (order == 1) {
      butterflies<T>(p, q, run);
    } else {
      mix<T>(p, q, order, run);
      for (let i: usize = 0; i < order; i++) butterflies<f32>(q + ((i * run) << 2), q + ((i * run) << 2), run);
    }
    divide(q, block, root);
  }
}

/** All stages on `n` values at `p`, a power of two, to `q`. */
function butterflies<T>(p: usize, q: usize, n: usize): void {
  if (n < 4) {
    const a = single<T>(p);
    if (n == 1) return store<f32>(q, a);
    const b = single<T>(p + sizeof<T>());
    store<f32>(q, a + b);
    store<f32>(q, a - b, 4);
    return;
  }
  for (let i: usize = 0; i < n; i += 4) v128.store(q + (i << 2), firstTwo(fourExact<T>(p + i * sizeof<T>())));
  let half: usize = 4;
  for (; half << 2 <= n; half <<= 2) nextTwo(q, n, half);
  if (half < n) lastOne(q, n);
}

/** The first two stages within four values; a − b is a + (−b). */
// @ts-ignore: decorator
@inline
function firstTwo(x: v128): v128 {
  const minus = i32.MIN_VALUE;
  const y = f32x4.add(
    v128.shuffle<i32>(x, x, 0, 0, 2, 2),
    v128.xor(v128.shuffle<i32>(x, x, 1, 1, 3, 3), i32x4(0, minus, 0, minus)),
  );
  return f32x4.add(
    v128.shuffle<i32>(y, y, 0, 1, 0, 1),
    v128.xor(v128.shuffle<i32>(y, y, 2, 3, 2, 3), i32x4(0, 0, minus, minus)),
  );
}

/** The stages of values `half` and 2 · `half` apart. */
function nextTwo(q: usize, n: usize, half: usize): void {
  const step = half << 2;
  for (const end = q + (n << 2); q < end; q += 3 * step) {
    for (const stop = q + step; q < stop; q += 16) {
      const a = v128.load(q);
      const b = v128.load(q + step);
      const c = v128.load(q + 2 * step);
      const e = v128.load(q + 3 * step);
      const s = f32x4.add(a, b);
      const t = f32x4.sub(a, b);
      const u = f32x4.add(c, e);
      const v = f32x4.sub(c, e);
      v128.store(q, f32x4.add(s, u));
      v128.store(q + step, f32x4.add(t, v));
      v128.store(q + 2 * step, f32x4.sub(s, u));
      v128.store(q + 3 * step, f32x4.sub(t, v));
    }
  }
}

/** The stage of values n / 2 apart, where the number of stages is odd. */
function lastOne(q: usize, n: usize): void {
  const step = n << 1;
  for (const end = q + step; q < end; q += 16) {
    const a = v128.load(q);
    const b = v128.load(q + step);
    v128.store(q, f32x4.add(a, b));
    v128.store(q + step, f32x4.sub(a, b));
  }
}

function divide(q: usize, n: usize, root: f32): void {
  const whole = n & ~3;
  const roots = f32x4.splat(root);
  for (let i: usize = 0; i < whole; i += 4) putFour(q + (i << 2), f32x4.div(v128.load(q + (i << 2)), roots));
  for (let i = whole; i < n; i++) put(q + (i << 2), load<f32>(q + (i << 2)) / root);
}
