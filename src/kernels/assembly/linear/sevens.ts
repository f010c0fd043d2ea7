/**
 * Integer products where one instruction adds up four products: u = (u & 127) + 128 · (u >> 7), and either part is a
 * dot product of its own, with an operand from 0 to 127.
 */
import { Word } from '../../../scheme/descriptor';
import { address } from '../words';
import { finishIntegers, firstRow, group, groups, lastRow, length, lookAhead, PAGE, startProduct, startUnit, weights } from './product';

/** Units `First` to `Last`. */
export function sevens(d: usize): void {
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
      for (; row + 3 <= lastRow; row += 3) {
        three(x + row * bytes, bytes, w, steps, row, 0, g);
        three(x + row * bytes, bytes, w + 32, steps, row, 2, g);
      }
      for (; row < lastRow; row++) single(x + row * bytes, w, steps, row, g);
    }
  }
}

/** Four weights of each of four outputs times four parts of codes, added to the sums of the outputs. */
// @ts-ignore: decorator
@inline
function add(sum: v128, w: v128, x: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
}

/** The sums of low and high parts. */
// @ts-ignore: decorator
@inline
function joined(low: v128, high: v128): v128 {
  return i32x4.add(low, i32x4.shl(high, 7));
}

/** One row and all outputs of a panel. */
function single(x: usize, w: usize, steps: usize, row: usize, g: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = i32x4.splat(0);
  let a2 = i32x4.splat(0);
  let a3 = i32x4.splat(0);
  let b0 = i32x4.splat(0);
  let b1 = i32x4.splat(0);
  let b2 = i32x4.splat(0);
  let b3 = i32x4.splat(0);
  const end = w + (steps << 6);
  while (w < end) {
    const stop = min(end, w + PAGE);
    lookAhead(w);
    for (; w < stop; w += 64) {
      const low = v128.load32_splat(x);
      const high = v128.load32_splat(x, 4);
      const w0 = v128.load(w);
      const w1 = v128.load(w, 16);
      const w2 = v128.load(w, 32);
      const w3 = v128.load(w, 48);
      a0 = add(a0, w0, low);
      a1 = add(a1, w1, low);
      a2 = add(a2, w2, low);
      a3 = add(a3, w3, low);
      b0 = add(b0, w0, high);
      b1 = add(b1, w1, high);
      b2 = add(b2, w2, high);
      b3 = add(b3, w3, high);
      x += 8;
    }
  }
  finishIntegers(row, 0, g, joined(a0, b0));
  finishIntegers(row, 1, g, joined(a1, b1));
  finishIntegers(row, 2, g, joined(a2, b2));
  finishIntegers(row, 3, g, joined(a3, b3));
}

/** Three rows, `bytes` apart, and the eight outputs of two strips. */
function three(x: usize, bytes: usize, w: usize, steps: usize, row: usize, strip: usize, g: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = i32x4.splat(0);
  let a2 = i32x4.splat(0);
  let a3 = i32x4.splat(0);
  let b0 = i32x4.splat(0);
  let b1 = i32x4.splat(0);
  let b2 = i32x4.splat(0);
  let b3 = i32x4.splat(0);
  let c0 = i32x4.splat(0);
  let c1 = i32x4.splat(0);
  let c2 = i32x4.splat(0);
  let c3 = i32x4.splat(0);
  let xb = x + bytes;
  let xc = xb + bytes;
  const end = w + (steps << 6);
  for (; w < end; w += 64) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    let v = v128.load32_splat(x);
    a0 = add(a0, w0, v);
    a1 = add(a1, w1, v);
    v = v128.load32_splat(x, 4);
    a2 = add(a2, w0, v);
    a3 = add(a3, w1, v);
    v = v128.load32_splat(xb);
    b0 = add(b0, w0, v);
    b1 = add(b1, w1, v);
    v = v128.load32_splat(xb, 4);
    b2 = add(b2, w0, v);
    b3 = add(b3, w1, v);
    v = v128.load32_splat(xc);
    c0 = add(c0, w0, v);
    c1 = add(c1, w1, v);
    v = v128.load32_splat(xc, 4);
    c2 = add(c2, w0, v);
    c3 = add(c3, w1, v);
    x += 8;
    xb += 8;
    xc += 8;
  }
  finishIntegers(row, strip, g, joined(a0, a2));
  finishIntegers(row, strip + 1, g, joined(a1, a3));
  finishIntegers(row + 1, strip, g, joined(b0, b2));
  finishIntegers(row + 1, strip + 1, g, joined(b1, b3));
  finishIntegers(row + 2, strip, g, joined(c0, c2));
  finishIntegers(row + 2, strip + 1, g, joined(c1, c3));
}
