/**
 * `Op.Transpose`: matrices with rows and columns exchanged.
 * @module
 */
import { Size, Word } from '../../../scheme/descriptor.js';
import type { Descriptor } from '../descriptor.js';
import { type Memory, valueBytes } from '../memory.js';

/** Strips `First` to `Last`; strip u belongs to group ⌊u / strips⌋ of rows. */
export function transpose(d: Descriptor, memory: Memory): void {
  const inner = d.address(Word.Inner);
  const length = d.address(Word.Length);
  const group = d.address(Word.Group);
  const dtype = d.int(Word.Dtype);
  const bytes = valueBytes(dtype);
  const strips = Math.ceil(inner / Size.StripColumns);
  const groups = Math.ceil(length / group);
  for (let unit = d.int(Word.First); unit < d.int(Word.Last); unit++) {
    const part = Math.floor(unit / strips);
    const row = (part % groups) * group;
    const rows = Math.min(group, length - row);
    const matrix = Math.floor(part / groups) * length * inner;
    const from = (unit % strips) * Size.StripColumns;
    const values = new Float32Array(rows);
    for (let column = from; column < Math.min(inner, from + Size.StripColumns); column++) {
      const first = matrix + row * inner + column;
      memory.gatherValues(dtype, d.address(Word.Values) + first * bytes, inner * bytes, rows, values);
      memory.scatterValues(d.address(Word.Codes) + (matrix + column * length + row) * 4, 4, rows, values);
    }
  }
}
