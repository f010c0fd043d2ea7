/**
 * Rows of codes u from 0 to 255, in the parts that a product takes, and scale and zero point of each.
 * @module
 */
import { RowForm, Storage } from '../../../scheme/codes.js';
import { Word } from '../../../scheme/descriptor.js';
import type { Descriptor } from '../descriptor.js';
import type { Memory } from '../memory.js';

/** Rows `First` to `Last`. */
export function layRows(d: Descriptor, memory: Memory): void {
  const { view } = memory;
  const form = d.int(Word.RowForm);
  const length = d.address(Word.Length);
  const bytes = d.address(Word.Inner);
  // int8 codes and zero points are 128 more.
  const more = d.int(Word.Storage) === Storage.Int8 ? 128 : 0;
  for (let row = d.int(Word.First); row < d.int(Word.Last); row++) {
    const to = d.address(Word.Codes) + row * bytes;
    for (let k = 0; k * 2 < bytes; k++) {
      const from = d.address(Word.Values) + row * length + k;
      const u = k >= length ? 0 : (view.getUint8(from) + more) & 255;
      setCode(memory, form, to, k, u);
    }
    const stride = d.address(Word.ScaleStride);
    const scale = memory.getScale(d.int(Word.ScaleType), d.address(Word.Scale) + row * stride);
    const zeros = d.address(Word.ZeroPoint);
    const zero = zeros === 0 ? 0 : memory.getZeroPoint(d.int(Word.Storage), zeros + (stride === 0 ? 0 : row));
    view.setFloat32(d.address(Word.RangeLow) + row * 8, scale, true);
    view.setInt32(d.address(Word.RangeLow) + row * 8 + 4, zero + more, true);
  }
}

/** Writes code `k` of the row at `row`. */
function setCode({ view }: Memory, form: RowForm, row: number, k: number, u: number): void {
  if (form === RowForm.Wide) {
    view.setUint16(row + k * 2, u, true);
    return;
  }
  const base = form === RowForm.Sevens ? 128 : 16;
  const at = row + Math.floor(k / 4) * 8 + (k % 4);
  view.setUint8(at, u % base);
  view.setUint8(at + 4, Math.floor(u / base));
}

/** Code `k` of the row at `row`. */
export function codeOf({ view }: Memory, form: RowForm, row: number, k: number): number {
  if (form === RowForm.Wide) return view.getUint16(row + k * 2, true);
  const at = row + Math.floor(k / 4) * 8 + (k % 4);
  return view.getUint8(at) + view.getUint8(at + 4) * (form === RowForm.Sevens ? 128 : 16);
}
