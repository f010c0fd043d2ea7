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

/** The codes of four outputs at `w`, moved `up` bits to the left, as float32. */
// @ts-ignore: decorator
@inline
function codes(w: usize, up: i32): v128 {
  return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(v128.load(w), up), 28));
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
  for (let k: usize = 0; k < count; k++) {
    const up = 28 - ((<i32>k & 7) << 2);
    const at = w + ((k >> 3) << 6);
    const v = v128.load32_splat(x + (k << 2));
    a0 = add(a0, codes(at, up), v);
    a1 = add(a1, codes(at + 16, up), v);
    a2 = add(a2, codes(at + 32, up), v);
    a3 = add(a3, codes(at + 48, up), v);
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
  for (let k: usize = 0; k < count; k++) {
    const up = 28 - ((<i32>k & 7) << 2);
    const at = w + ((k >> 3) << 6);
    const u = v128.load32_splat(x + (k << 2));
    const v = v128.load32_splat(y + (k << 2));
    let weight = codes(at, up);
    a0 = add(a0, weight, u);
    b0 = add(b0, weight, v);
    weight = codes(at + 16, up);
    a1 = add(a1, weight, u);
    b1 = add(b1, weight, v);
    weight = codes(at + 32, up);
    a2 = add(a2, weight, u);
    b2 = add(b2, weight, v);
    weight = codes(at + 48, up);
    a3 = add(a3, weight, u);
    b3 = add(b3, weight, v);
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
