/**
 * Matrices with rows and columns exchanged, in tiles of `Size.StripColumns` columns: 4 by 4 values at a time.
 */
import { Size, Word } from '../../../scheme/descriptor';
import { fourExact } from '../load';
import { address } from '../words';
import { put, putFour, single } from './values';

/** Strips `First` to `Last`; strip u belongs to group ⌊u / strips⌋ of rows, as in `columns`. */
export function transpose<T>(d: usize): void {
  const inner = address(d, Word.Inner);
  const length = address(d, Word.Length);
  const group = address(d, Word.Group);
  const strips = (inner + Size.StripColumns - 1) / Size.StripColumns;
  const groups = (length + group - 1) / group;
  const last: usize = address(d, Word.Last);
  for (let unit: usize = address(d, Word.First); unit < last; unit++) {
    const column = (unit % strips) * Size.StripColumns;
    const part = unit / strips;
    const row = (part % groups) * group;
    const matrix = (part / groups) * length * inner;
    const p = address(d, Word.Values) + (matrix + row * inner + column) * sizeof<T>();
    const q = address(d, Word.Codes) + ((matrix + column * length + row) << 2);
    tile<T>(p, min(group, length - row), min<usize>(Size.StripColumns, inner - column), inner, q, length);
  }
}

/** `rows` by `columns` values at `p`, in rows of `inner`, to `q`, in rows of `length`. */
function tile<T>(p: usize, rows: usize, columns: usize, inner: usize, q: usize, length: usize): void {
  const wide = columns & ~3;
  const high = rows & ~3;
  for (let row: usize = 0; row < high; row += 4) {
    for (let column: usize = 0; column < wide; column += 4) {
      square<T>(p + (row * inner + column) * sizeof<T>(), inner * sizeof<T>(), q + ((column * length + row) << 2), length << 2);
    }
  }
  for (let row: usize = 0; row < rows; row++) {
    for (let column = row < high ? wide : 0; column < columns; column++) {
      put(q + ((column * length + row) << 2), single<T>(p + (row * inner + column) * sizeof<T>()));
    }
  }
}

/** Four rows of four values, `step` bytes apart, to four rows `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function square<T>(p: usize, step: usize, q: usize, stride: usize): void {
  const a = fourExact<T>(p);
  const b = fourExact<T>(p + step);
  const c = fourExact<T>(p + 2 * step);
  const e = fourExact<T>(p + 3 * step);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const ce = v128.shuffle<i32>(c, e, 0, 4, 1, 5);
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const ceHigh = v128.shuffle<i32>(c, e, 2, 6, 3, 7);
  putFour(q, v128.shuffle<i64>(ab, ce, 0, 2));
  putFour(q + stride, v128.shuffle<i64>(ab, ce, 1, 3));
  putFour(q + 2 * stride, v128.shuffle<i64>(abHigh, ceHigh, 0, 2));
  putFour(q + 3 * stride, v128.shuffle<i64>(abHigh, ceHigh, 1, 3));
}
