/**
 * Rows times weights, output by output, from the definitions (equations L3 to L6 of docs/linear.md).
 * @module
 */
import { Dtype, LinearForm } from '../../../scheme/codes.js';
import { Panel, Word } from '../../../scheme/descriptor.js';
import type { Descriptor } from '../descriptor.js';
import type { Memory } from '../memory.js';
import { codeOf } from './rows.js';
import { groupPlace, panelBytes, placeOf } from './weights.js';

const { fround } = Math;

/** A result: its row and output, where the output is in the panels, and its bias. */
interface Place {
  readonly row: number;
  readonly panel: number;
  readonly o: number;
  /** Address of the panel. */
  readonly weights: number;
  readonly bias: number;
}

/** Sets every result of the units `First` to `Last`. */
function eachResult(d: Descriptor, memory: Memory, value: (place: Place) => number): void {
  const rows = d.int(Word.Count);
  const outputs = d.int(Word.Inner);
  const step = d.int(Word.UnitRows);
  const blocks = Math.ceil(rows / step);
  const bytes = panelBytes(d.int(Word.Form), d.address(Word.Length));
  for (let unit = d.int(Word.First); unit < d.int(Word.Last); unit++) {
    const panel = Math.floor(unit / blocks);
    const first = (unit % blocks) * step;
    const weights = d.address(Word.RangeHigh) + panel * bytes;
    for (let row = first; row < Math.min(rows, first + step); row++) {
      for (let o = 0; o < Math.min(Panel.Outputs, outputs - panel * Panel.Outputs); o++) {
        const output = panel * Panel.Outputs + o;
        const bias = memory.getFloat32(d.address(Word.TensorScale) + output * 4);
        memory.setFloat32(
          d.address(Word.Codes) + (row * outputs + output) * 4,
          value({ row, panel, o, weights, bias }),
        );
      }
    }
  }
}

/** The inputs of group `g`: from and to. */
function inputsOf(d: Descriptor, g: number): [number, number] {
  const from = g * d.address(Word.Group);
  return [from, Math.min(d.address(Word.Length), from + d.address(Word.Group))];
}

/** Codes times codes: equation L3, or by groups L4. */
export function integerProduct(d: Descriptor, memory: Memory): void {
  const { view } = memory;
  const form = d.int(Word.Form);
  const rowForm = d.int(Word.RowForm);
  const bytes = Math.ceil(d.address(Word.Length) / 4) * 8;
  eachResult(d, memory, ({ row, panel, o, weights, bias }) => {
    const x = d.address(Word.Values) + row * bytes;
    const parameters = d.address(Word.RangeLow) + row * 8;
    const rowScale = memory.getFloat32(parameters);
    const zero = view.getInt32(parameters + 4, true);
    let all = 0;
    for (let g = 0; g < d.int(Word.Parts); g++) {
      let exact = -zero * view.getInt32(d.address(Word.ZeroPoint) + groupPlace(d, panel, g, o), true);
      const [from, to] = inputsOf(d, g);
      for (let k = from; k < to; k++) {
        exact += codeOf(memory, rowForm, x, k) * view.getInt8(weights + placeOf(form, o, k));
      }
      const scale = memory.getFloat32(d.address(Word.Scale) + groupPlace(d, panel, g, o));
      // A sum of integers may be −0 in numbers, but not as an int32.
      const sum = fround(exact + 0);
      if (form === LinearForm.Int8) return fround(fround(sum * fround(rowScale * scale)) + bias);
      const part = fround(sum * scale);
      all = g === 0 ? part : fround(all + part);
    }
    return fround(fround(all * rowScale) + bias);
  });
}

/** float32 times codes of 4 bits (equation L5). */
export function int4Product(d: Descriptor, memory: Memory): void {
  const x = new Float32Array(d.address(Word.Length));
  eachResult(d, memory, ({ row, panel, o, weights, bias }) => {
    memory.gatherValues(Dtype.Float32, d.address(Word.Values) + row * x.length * 4, 4, x.length, x);
    let all = 0;
    for (let g = 0; g < d.int(Word.Parts); g++) {
      let sum = 0;
      const [from, to] = inputsOf(d, g);
      for (let k = from; k < to; k++) {
        const byte = memory.view.getUint8(weights + placeOf(LinearForm.Int4Groups, o, k));
        const bits = k % 2 === 0 ? byte >> 4 : byte & 15;
        sum = fround(sum + fround(x[k]! * (bits < 8 ? bits : bits - 16)));
      }
      const part = fround(sum * memory.getFloat32(d.address(Word.Scale) + groupPlace(d, panel, g, o)));
      all = g === 0 ? part : fround(all + part);
    }
    return fround(all + bias);
  });
}

/** float32 times floats (equation L6). */
export function floatProduct(d: Descriptor, memory: Memory): void {
  const form = d.int(Word.Form);
  const dtype =
    form === LinearForm.Float32 ? Dtype.Float32 : form === LinearForm.Float16 ? Dtype.Float16 : Dtype.Bfloat16;
  const stride = placeOf(form, 0, 1);
  const x = new Float32Array(d.address(Word.Length));
  const w = new Float32Array(x.length);
  eachResult(d, memory, ({ row, o, weights, bias }) => {
    memory.gatherValues(Dtype.Float32, d.address(Word.Values) + row * x.length * 4, 4, x.length, x);
    memory.gatherValues(dtype, weights + placeOf(form, o, 0), stride, w.length, w);
    let sum = 0;
    for (let k = 0; k < x.length; k++) sum = fround(sum + fround(x[k]! * w[k]!));
    return fround(sum + bias);
  });
}
