/**
 * Integer products with SIMD128: weights are widened to int16 as they are read, and pairs are multiplied and added at once.
 *
 * ```text
 *   8 bytes of weights   o₀k₀ o₀k₁ o₀k₂ o₀k₃ o₁k₀ o₁k₁ o₁k₂ o₁k₃
 *   codes of a row        k₀   k₁   k₂   k₃   k₀   k₁   k₂   k₃
 *   lanes of a sum        └ o₀ ┘    └ o₀ ┘    └ o₁ ┘    └ o₁ ┘
 * ```
 */
import { Word } from '../../../scheme/descriptor';
import { address } from '../words';
import { finishIntegers, firstRow, group, groups, lastRow, length, lookAhead, PAGE, startProduct, startUnit, weights } from './product';

/** Units `First` to `Last`. */
export function wide(d: usize): void {
  startProduct(d);
  const last = address(d, Word.Last);
  const bytes = ((length + 3) >> 2) << 3;
  for (let unit = address(d, Word.First); unit < last; unit++) {
    startUnit(d, unit);
    for (let g: usize = 0; g < groups; g++) {
      const from = g * group;
      const steps = (min(group, length - from) + 3) >> 2;
      const x = address(d, Word.Values) + (from << 1);
      const w = weights + (from << 4);
      let row = firstRow;
      for (; row + 4 <= lastRow; row += 4) {
        for (let strip: usize = 0; strip < 4; strip++) four(x + row * bytes, bytes, w + (strip << 4), steps, row, strip, g);
      }
      for (; row < lastRow; row++) single(x + row * bytes, w, steps, row, g);
    }
  }
}

/** Eight weights times eight codes, added to four sums. */
// @ts-ignore: decorator
@inline
function add(sum: v128, w: v128, x: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, x));
}

/** The sums of four outputs from those of two and two. */
// @ts-ignore: decorator
@inline
function pairs(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}

/** One row and all outputs of a panel. */
function single(x: usize, w: usize, steps: usize, row: usize, g: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = i32x4.splat(0);
  let a2 = i32x4.splat(0);
  let a3 = i32x4.splat(0);
  let a4 = i32x4.splat(0);
  let a5 = i32x4.splat(0);
  let a6 = i32x4.splat(0);
  let a7 = i32x4.splat(0);
  const end = w + (steps << 6);
  while (w < end) {
    const stop = min(end, w + PAGE);
    lookAhead(w);
    for (; w < stop; w += 64) {
      const v = v128.load64_splat(x);
      a0 = add(a0, v128.load_ext<i8>(w), v);
      a1 = add(a1, v128.load_ext<i8>(w, 8), v);
      a2 = add(a2, v128.load_ext<i8>(w, 16), v);
      a3 = add(a3, v128.load_ext<i8>(w, 24), v);
      a4 = add(a4, v128.load_ext<i8>(w, 32), v);
      a5 = add(a5, v128.load_ext<i8>(w, 40), v);
      a6 = add(a6, v128.load_ext<i8>(w, 48), v);
      a7 = add(a7, v128.load_ext<i8>(w, 56), v);
      x += 8;
    }
  }
  finishIntegers(row, 0, g, pairs(a0, a1));
  finishIntegers(row, 1, g, pairs(a2, a3));
  finishIntegers(row, 2, g, pairs(a4, a5));
  finishIntegers(row, 3, g, pairs(a6, a7));
}

/** Four rows, `bytes` apart, and the four outputs of a strip. */
function four(x: usize, bytes: usize, w: usize, steps: usize, row: usize, strip: usize, g: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = i32x4.splat(0);
  let b0 = i32x4.splat(0);
  let b1 = i32x4.splat(0);
  let c0 = i32x4.splat(0);
  let c1 = i32x4.splat(0);
  let d0 = i32x4.splat(0);
  let d1 = i32x4.splat(0);
  let xb = x + bytes;
  let xc = xb + bytes;
  let xd = xc + bytes;
  const end = w + (steps << 6);
  for (; w < end; w += 64) {
    const w0 = v128.load_ext<i8>(w);
    const w1 = v128.load_ext<i8>(w, 8);
    let v = v128.load64_splat(x);
    a0 = add(a0, w0, v);
    a1 = add(a1, w1, v);
    v = v128.load64_splat(xb);
    b0 = add(b0, w0, v);
    b1 = add(b1, w1, v);
    v = v128.load64_splat(xc);
    c0 = add(c0, w0, v);
    c1 = add(c1, w1, v);
    v = v128.load64_splat(xd);
    d0 = add(d0, w0, v);
    d1 = add(d1, w1, v);
    x += 8;
    xb += 8;
    xc += 8;
    xd += 8;
  }
  finishIntegers(row, strip, g, pairs(a0, a1));
  finishIntegers(row + 1, strip, g, pairs(b0, b1));
  finishIntegers(row + 2, strip, g, pairs(c0, c1));
  finishIntegers(row + 3, strip, g, pairs(d0, d1));
}
