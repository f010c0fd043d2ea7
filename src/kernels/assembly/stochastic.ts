/**
 * The vector path for stochastic rounding; T, A and W are as in `codes`.
 */
import { Word } from '../../scheme/descriptor';
import { fourMixed, mixed } from './chance';
import { flipMask, highest, indexOf, lowest, scaled, zeroOffset } from './codes';
import { four } from './load';
import { multiplier, zeroPoint } from './parameters';
import { word } from './words';

/** At least 16 values at `p`, finite and not large; a tail is the last 16 again. */
export function stochastic<T, A, W>(d: usize, p: usize, n: usize, q: usize): void {
  const m = f32x4.splat(multiplier);
  const z = i32x4.splat(zeroOffset<W>(d, zeroPoint) + 0x4b400000);
  const lo = lowest<W>(d);
  const hi = highest<W>(d);
  const flip = flipMask<W>(d);
  const salt = mixed(word(d, Word.Seed));
  const end = p + n * sizeof<T>();
  const last = end - 16 * sizeof<T>();
  while (p < end) {
    if (p > last) {
      q -= ((p - last) / sizeof<T>()) * sizeof<W>();
      p = last;
    }
    const index = i32x4.add(i32x4.splat(salt + indexOf(d, p)), i32x4(0, 1, 2, 3));
    const step = 4 * sizeof<T>();
    const a = i32x4.add(raised<A>(four<T>(p), m, index), z);
    const b = i32x4.add(raised<A>(four<T>(p + step), m, i32x4.add(index, i32x4.splat(4))), z);
    const c = i32x4.add(raised<A>(four<T>(p + 2 * step), m, i32x4.add(index, i32x4.splat(8))), z);
    const e = i32x4.add(raised<A>(four<T>(p + 3 * step), m, i32x4.add(index, i32x4.splat(12))), z);
    const ab = i16x8.narrow_i32x4_s(a, b);
    const ce = i16x8.narrow_i32x4_s(c, e);
    if (sizeof<W>() == 1) {
      v128.store(q, v128.xor(i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(ab, ce), lo), hi), flip));
    } else {
      v128.store(q, v128.xor(i16x8.min_s(i16x8.max_s(ab, lo), hi), flip));
      v128.store(q + 16, v128.xor(i16x8.min_s(i16x8.max_s(ce, lo), hi), flip));
    }
    p += 16 * sizeof<T>();
    q += 16 * sizeof<W>();
  }
}

/** Four scaled values as integers: rounded down, then up by chance. */
// @ts-ignore: decorator
@inline
function raised<A>(x: v128, m: v128, hashes: v128): v128 {
  const v = scaled<A>(x, m);
  const down = f32x4.floor(v);
  const chance = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(fourMixed(hashes), 8)), f32x4.splat(5.9604644775390625e-8));
  return i32x4.sub(i32x4.trunc_sat_f32x4_s(down), f32x4.gt(f32x4.sub(v, down), chance));
}
