/**
 * Integer products where one instruction multiplies and adds pairs of bytes: u = (u & 15) + 16 · (u >> 4). A pair of
 * either part is at most 2 · 128 · 15 = 3,840, so that eight of them fit int16.
 */
import { Word } from '../../../scheme/descriptor';
import { address } from '../words';
import { finishIntegers, firstRow, group, groups, lastRow, length, lookAhead, PAGE, startProduct, startUnit, weights } from './product';

/** Bytes of the weights whose products are added up as int16. */
const RUN: usize = 8 * 64;

/** Units `First` to `Last`. */
export function nibbles(d: usize): void {
  startProduct(d);
  const last = address(d, Word.Last);
  const bytes = ((length + 3) >> 2) << 3;
  for (let unit = address(d, Word.First); unit < last; unit++) {
    startUnit(d, unit);
    for (let g: usize = 0; g < groups; g++) {
      const from = g * group;
      const steps = (min(group, length - from) + 3) >> 2;
      const x = address(d, Word.Values) + (from << 1);
      for (let row = firstRow; row < lastRow; row++) single(x + row * bytes, weights + (from << 4), steps, row, g);
    }
  }
}

/** Pairs of weights times pairs of parts of codes, added to sums of int16. */
// @ts-ignore: decorator
@inline
function add(sum: v128, w: v128, x: v128): v128 {
  return i16x8.add(sum, i16x8.relaxed_dot_i8x16_i7x16_s(w, x));
}

/** Low and high parts of a run, added to the sums of four outputs. */
// @ts-ignore: decorator
@inline
function joined(sum: v128, low: v128, high: v128): v128 {
  const both = i32x4.add(i32x4.dot_i16x8_s(low, i16x8.splat(1)), i32x4.dot_i16x8_s(high, i16x8.splat(16)));
  return i32x4.add(sum, both);
}

/** One row and all outputs of a panel. */
function single(x: usize, w: usize, steps: usize, row: usize, g: usize): void {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  const end = w + (steps << 6);
  while (w < end) {
    const page = min(end, w + PAGE);
    lookAhead(w);
    while (w < page) {
      const stop = min(page, w + RUN);
      let a0 = i32x4.splat(0);
      let a1 = i32x4.splat(0);
      let a2 = i32x4.splat(0);
      let a3 = i32x4.splat(0);
      let b0 = i32x4.splat(0);
      let b1 = i32x4.splat(0);
      let b2 = i32x4.splat(0);
      let b3 = i32x4.splat(0);
      for (; w < stop; w += 64) {
        const low = v128.load32_splat(x);
        const high = v128.load32_splat(x, 4);
        let v = v128.load(w);
        a0 = add(a0, v, low);
        b0 = add(b0, v, high);
        v = v128.load(w, 16);
        a1 = add(a1, v, low);
        b1 = add(b1, v, high);
        v = v128.load(w, 32);
        a2 = add(a2, v, low);
        b2 = add(b2, v, high);
        v = v128.load(w, 48);
        a3 = add(a3, v, low);
        b3 = add(b3, v, high);
        x += 8;
      }
      s0 = joined(s0, a0, b0);
      s1 = joined(s1, a1, b1);
      s2 = joined(s2, a2, b2);
      s3 = joined(s3, a3, b3);
    }
  }
  finishIntegers(row, 0, g, s0);
  finishIntegers(row, 1, g, s1);
  finishIntegers(row, 2, g, s2);
  finishIntegers(row, 3, g, s3);
}
