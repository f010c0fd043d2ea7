/**
 * Four short blocks of a row at a time (`Op.Segments`): their ranges are folded and their parameters derived together, and
 * the path is chosen once for all blocks. Type parameters are as in `codes`; R may also be `u8` NF4 or `u16` FP4. What
 * is not here, or not finite, goes block by block.
 */
import { Added, Apply, Dtype, Element, Rounding, Source, ZeroPointRule } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { codeBytes, flipMask, highest, lowest, scaled, sixteen } from './codes';
import { chooseDerivation, deriveFour, fourMultipliers, fourOffsets } from './four-parameters';
import { four, fourExact } from './load';
import { multiplies } from './parameters';
import { fp4Codes, nf4Codes } from './tables';
import { address, word } from './words';

/** Longer blocks are worked off as fast one by one. */
const MOST: usize = 256;

/** Whether blocks of `d`, in quantizing, may go four at a time; then `fourBlocks` is ready for them. */
export function takesFour(d: usize): bool {
  const group: usize = address(d, Word.Group);
  const takes =
    group <= MOST &&
    group % 16 == 0 &&
    word(d, Word.Source) == Source.Data &&
    word(d, Word.Statistics) == 0 &&
    word(d, Word.WithoutZero) == 0 &&
    word(d, Word.Added) == Added.After &&
    word(d, Word.Apply) <= Apply.Direct &&
    word(d, Word.ZeroPointRule) != ZeroPointRule.Minimum &&
    word(d, Word.Rounding) <= Rounding.Truncate &&
    codeBytes(d) == 1;
  if (!takes) return false;
  chooseDerivation(d);
  return true;
}

/** Four blocks at `p` to codes at `q`, from parameter `index` on; false, with nothing written that matters, where they must go one by one. */
export function fourBlocks(d: usize, p: usize, q: usize, index: usize): bool {
  const dtype = word(d, Word.Dtype);
  if (dtype == Dtype.Float32) return blocksFrom<f32>(d, p, q, index);
  if (dtype == Dtype.Float16) return blocksFrom<u16>(d, p, q, index);
  return blocksFrom<i16>(d, p, q, index);
}

// @ts-ignore: decorator
@inline
function blocksFrom<T>(d: usize, p: usize, q: usize, index: usize): bool {
  if (!rangesOf<T>(d, p, index)) return false;
  const element = word(d, Word.Element);
  if (multiplies(d)) blocksBy<T, f32>(d, element, p, q);
  else blocksBy<T, f64>(d, element, p, q);
  return true;
}

// @ts-ignore: decorator
@inline
function blocksBy<T, A>(d: usize, element: i32, p: usize, q: usize): void {
  const rounding = word(d, Word.Rounding);
  if (element == Element.Minifloat) blocksTo<T, A, f32>(d, p, q);
  else if (element == Element.Nf4) tableBlocks<T, A, u8>(d, p, q);
  else if (element == Element.Fp4) tableBlocks<T, A, u16>(d, p, q);
  else if (rounding == Rounding.HalfEven) blocksTo<T, A, i8>(d, p, q);
  else if (rounding == Rounding.HalfAway) blocksTo<T, A, i16>(d, p, q);
  else blocksTo<T, A, i32>(d, p, q);
}

/** Parameters of the four from their ranges; whether all may go fast. */
function rangesOf<T>(d: usize, p: usize, index: usize): bool {
  const size: usize = address(d, Word.Group) * sizeof<T>();
  let h0 = i32x4.splat(0);
  let h1 = h0;
  let h2 = h0;
  let h3 = h0;
  let l0 = i32x4.splat(i32.MIN_VALUE);
  let l1 = l0;
  let l2 = l0;
  let l3 = l0;
  for (const end = p + size; p < end; p += 4 * sizeof<T>()) {
    const a = fourExact<T>(p);
    const b = fourExact<T>(p + size);
    const c = fourExact<T>(p + 2 * size);
    const e = fourExact<T>(p + 3 * size);
    h0 = i32x4.max_s(h0, a);
    h1 = i32x4.max_s(h1, b);
    h2 = i32x4.max_s(h2, c);
    h3 = i32x4.max_s(h3, e);
    l0 = i32x4.max_u(l0, a);
    l1 = i32x4.max_u(l1, b);
    l2 = i32x4.max_u(l2, c);
    l3 = i32x4.max_u(l3, e);
  }
  // Two lanes of each of two blocks, then a lane of each of the four.
  const h = largestOf(pairs(h0, h1), pairs(h2, h3));
  l0 = i32x4.max_u(evens(l0, l1), odds(l0, l1));
  l2 = i32x4.max_u(evens(l2, l3), odds(l2, l3));
  return deriveFour<i8>(d, h, i32x4.max_u(firsts(l0, l2), seconds(l0, l2)), index);
}

// @ts-ignore: decorator
@inline
function pairs(a: v128, b: v128): v128 {
  return i32x4.max_s(evens(a, b), odds(a, b));
}

// @ts-ignore: decorator
@inline
function largestOf(a: v128, b: v128): v128 {
  return i32x4.max_s(firsts(a, b), seconds(a, b));
}

/** Lanes 0 and 1 of both. */
// @ts-ignore: decorator
@inline
function evens(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 1, 4, 5);
}

/** Lanes 2 and 3 of both. */
// @ts-ignore: decorator
@inline
function odds(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 3, 6, 7);
}

/** Lanes 0 and 2 of both. */
// @ts-ignore: decorator
@inline
function firsts(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

/** Lanes 1 and 3 of both. */
// @ts-ignore: decorator
@inline
function seconds(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

function blocksTo<T, A, R>(d: usize, p: usize, q: usize): void {
  const group: usize = address(d, Word.Group);
  const lo = lowest<i8>(d);
  const hi = highest<i8>(d);
  const flip = flipMask<i8>(d);
  let ms = fourMultipliers;
  let zs = fourOffsets;
  for (const end = q + 4 * group; q < end; ) {
    const m = v128.shuffle<i32>(ms, ms, 0, 0, 0, 0);
    const z = v128.shuffle<i32>(zs, zs, 0, 0, 0, 0);
    for (const last = q + group; q < last; q += 16) {
      sixteen<T, A, R, i8>(p, q, m, m, m, m, z, z, z, z, lo, hi, flip);
      p += 16 * sizeof<T>();
    }
    ms = v128.shuffle<i32>(ms, ms, 1, 2, 3, 0);
    zs = v128.shuffle<i32>(zs, zs, 1, 2, 3, 0);
  }
}

/** Places in the table of NF4 (E `u8`) or FP4 (`u16`). */
function tableBlocks<T, A, E>(d: usize, p: usize, q: usize): void {
  const group: usize = address(d, Word.Group);
  const step = 4 * sizeof<T>();
  let ms = fourMultipliers;
  for (const end = q + 4 * group; q < end; ) {
    const m = v128.shuffle<i32>(ms, ms, 0, 0, 0, 0);
    for (const last = q + group; q < last; q += 16) {
      const a = place<E>(scaled<A>(four<T>(p), m));
      const b = place<E>(scaled<A>(four<T>(p + step), m));
      const c = place<E>(scaled<A>(four<T>(p + 2 * step), m));
      const e = place<E>(scaled<A>(four<T>(p + 3 * step), m));
      v128.store(q, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, e)));
      p += 4 * step;
    }
    ms = v128.shuffle<i32>(ms, ms, 1, 2, 3, 0);
  }
}

// @ts-ignore: decorator
@inline
function place<E>(v: v128): v128 {
  return sizeof<E>() == 1 ? nf4Codes(v) : fp4Codes(v);
}
