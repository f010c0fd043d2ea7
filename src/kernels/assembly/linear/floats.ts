/**
 * Products of float32 rows and float weights, T as in `load`: the products of an output are added in the order of the
 * inputs, a lane an output, so that the sum is that of a plain loop.
 */
import { Word } from '../../../scheme/descriptor';
import { fourExact } from '../load';
import { address } from '../words';
import { finishFloats, firstRow, lastRow, length, lookAhead, PAGE, startProduct, startUnit, weights } from './product';

/** Units `First` to `Last`. */
// @ts-ignore: decorator
@inline
export function floats<T>(d: usize): void {
  startProduct(d);
  const last = address(d, Word.Last);
  const values = address(d, Word.Values);
  const bytes = length << 2;
  for (let unit = address(d, Word.First); unit < last; unit++) {
    startUnit(d, unit);
    let row = firstRow;
    for (; row + 2 <= lastRow; row += 2) two<T>(values + row * bytes, row);
    if (row < lastRow) single<T>(values + row * bytes, row);
  }
}

// @ts-ignore: decorator
@inline
function add(sum: v128, w: v128, x: v128): v128 {
  return f32x4.add(sum, f32x4.mul(w, x));
}

/** One row and all outputs of a panel. */
function single<T>(x: usize, row: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let w = weights;
  const end = x + (length << 2);
  while (x < end) {
    // A weight of each of 16 outputs for four bytes of the row.
    const stop = min(end, x + PAGE / (4 * sizeof<T>()));
    lookAhead(w);
    for (; x < stop; x += 4) {
      const v = v128.load32_splat(x);
      a0 = add(a0, fourExact<T>(w), v);
      a1 = add(a1, fourExact<T>(w + 4 * sizeof<T>()), v);
      a2 = add(a2, fourExact<T>(w + 8 * sizeof<T>()), v);
      a3 = add(a3, fourExact<T>(w + 12 * sizeof<T>()), v);
      w += 16 * sizeof<T>();
    }
  }
  finishFloats(row, 0, a0);
  finishFloats(row, 1, a1);
  finishFloats(row, 2, a2);
  finishFloats(row, 3, a3);
}

/** Two rows and all outputs of a panel. */
function two<T>(x: usize, row: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0);
  let w = weights;
  const end = x + (length << 2);
  let other = end;
  for (; x < end; x += 4) {
    const u = v128.load32_splat(x);
    const v = v128.load32_splat(other);
    let weight = fourExact<T>(w);
    a0 = add(a0, weight, u);
    b0 = add(b0, weight, v);
    weight = fourExact<T>(w + 4 * sizeof<T>());
    a1 = add(a1, weight, u);
    b1 = add(b1, weight, v);
    weight = fourExact<T>(w + 8 * sizeof<T>());
    a2 = add(a2, weight, u);
    b2 = add(b2, weight, v);
    weight = fourExact<T>(w + 12 * sizeof<T>());
    a3 = add(a3, weight, u);
    b3 = add(b3, weight, v);
    w += 16 * sizeof<T>();
    other += 4;
  }
  finishFloats(row, 0, a0);
  finishFloats(row, 1, a1);
  finishFloats(row, 2, a2);
  finishFloats(row, 3, a3);
  finishFloats(row + 1, 0, b0);
  finishFloats(row + 1, 1, b1);
  finishFloats(row + 1, 2, b2);
  finishFloats(row + 1, 3, b3);
}
