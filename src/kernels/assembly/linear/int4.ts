/**
 * Products of float32 rows and weights of 4 bits, which become floats as they are read: the products of a group are added
 * in the order of the inputs, then scaled.
 */
import { Word } from '../../../scheme/descriptor';
import { address } from '../words';
import { finishGroup, firstRow, group, groups, lastRow, length, startProduct, startUnit, weights } from './product';

/** Units `First` to `Last`. */
export function int4(d: usize): void {
  startProduct(d);
  const last = address(d, Word.Last);
  for (let unit = address(d, Word.First); unit < last; unit++) {
    startUnit(d, unit);
    for (let g: usize = 0; g < groups; g++) {
      const from = g * group;
      const count = min(group, length - from);
      const x = address(d, Word.Values) + (from << 2);
      const bytes = length << 2;
      const w = weights + (from << 3);
      let row = firstRow;
      for (; row + 2 <= lastRow; row += 2) two(x + row * bytes, x + (row + 1) * bytes, w, count, row, g);
      if (row < lastRow) single(x + row * bytes, w, count, row, g);
    }
  }
}

/** The codes in the highest bits of each lane as float32. */
// @ts-ignore: decorator
@inline
function codes(w: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.shr_s(w, 28));
}

// @ts-ignore: decorator
@inline
function add(sum: v128, w: v128, x: v128): v128 {
  return f32x4.add(sum, f32x4.mul(w, x));
}

/** One row and all outputs of a panel. */
function single(x: usize, w: usize, count: usize, row: usize, g: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  const end = x + (count << 2);
  while (x < end) {
    let w0 = v128.load(w);
    let w1 = v128.load(w, 16);
    let w2 = v128.load(w, 32);
    let w3 = v128.load(w, 48);
    const stop = min(end, x + 32);
    for (; x < stop; x += 4) {
      const v = v128.load32_splat(x);
      a0 = add(a0, codes(w0), v);
      a1 = add(a1, codes(w1), v);
      a2 = add(a2, codes(w2), v);
      a3 = add(a3, codes(w3), v);
      w0 = i32x4.shl(w0, 4);
      w1 = i32x4.shl(w1, 4);
      w2 = i32x4.shl(w2, 4);
      w3 = i32x4.shl(w3, 4);
    }
    w += 64;
  }
  finishGroup(row, 0, g, a0);
  finishGroup(row, 1, g, a1);
  finishGroup(row, 2, g, a2);
  finishGroup(row, 3, g, a3);
}

/** Two rows and all outputs of a panel. */
function two(x: usize, y: usize, w: usize, count: usize, row: usize, g: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0);
  const end = x + (count << 2);
  while (x < end) {
    let w0 = v128.load(w);
    let w1 = v128.load(w, 16);
    let w2 = v128.load(w, 32);
    let w3 = v128.load(w, 48);
    const stop = min(end, x + 32);
    for (; x < stop; x += 4) {
      const u = v128.load32_splat(x);
      const v = v128.load32_splat(y);
      let weight = codes(w0);
      a0 = add(a0, weight, u);
      b0 = add(b0, weight, v);
      weight = codes(w1);
      a1 = add(a1, weight, u);
      b1 = add(b1, weight, v);
      weight = codes(w2);
      a2 = add(a2, weight, u);
      b2 = add(b2, weight, v);
      weight = codes(w3);
      a3 = add(a3, weight, u);
      b3 = add(b3, weight, v);
      w0 = i32x4.shl(w0, 4);
      w1 = i32x4.shl(w1, 4);
      w2 = i32x4.shl(w2, 4);
      w3 = i32x4.shl(w3, 4);
      y += 4;
    }
    w += 64;
  }
  finishGroup(row, 0, g, a0);
  finishGroup(row, 1, g, a1);
  finishGroup(row, 2, g, a2);
  finishGroup(row, 3, g, a3);
  finishGroup(row + 1, 0, g, b0);
  finishGroup(row + 1, 1, g, b1);
  finishGroup(row + 1, 2, g, b2);
  finishGroup(row + 1, 3, g, b3);
}
