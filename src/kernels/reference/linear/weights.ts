/**
 * The panels of weights, by the place of each weight in them.
 * @module
 */
import { LinearForm } from '../../../scheme/codes.js';
import { Panel, Word } from '../../../scheme/descriptor.js';
import type { Descriptor } from '../descriptor.js';
import { type Memory, valueBytes } from '../memory.js';

/** Bytes of a panel for so many inputs. */
export function panelBytes(form: LinearForm, length: number): number {
  if (form <= LinearForm.Int8Groups) return Math.ceil(length / 4) * 64;
  if (form === LinearForm.Int4Groups) return Math.ceil(length / 8) * 64;
  return length * Panel.Outputs * (form === LinearForm.Float32 ? 4 : 2);
}

/** Byte of a panel in which the weight of output `o` and input `k` lies, or begins. */
export function placeOf(form: LinearForm, o: number, k: number): number {
  if (form <= LinearForm.Int8Groups) return Math.floor(k / 4) * 64 + o * 4 + (k % 4);
  if (form === LinearForm.Int4Groups) return Math.floor(k / 8) * 64 + o * 4 + 3 - Math.floor((k % 8) / 2);
  return (k * Panel.Outputs + o) * (form === LinearForm.Float32 ? 4 : 2);
}

/** Place of scale and sum of output `o` of a panel, in bytes. */
export function groupPlace(d: Descriptor, panel: number, group: number, o: number): number {
  return ((panel * d.int(Word.Parts) + group) * Panel.Outputs + o) * 4;
}

/** Panels `First` to `Last`. */
export function layWeights(d: Descriptor, memory: Memory): void {
  const form = d.int(Word.Form);
  const length = d.address(Word.Length);
  const bytes = panelBytes(form, length);
  for (let panel = d.int(Word.First); panel < d.int(Word.Last); panel++) {
    const to = d.address(Word.Codes) + panel * bytes;
    new Uint8Array(memory.buffer, to, bytes).fill(0);
    for (let o = 0; o < Panel.Outputs; o++) {
      const output = panel * Panel.Outputs + o;
      const isThere = output < d.int(Word.Inner);
      if (form <= LinearForm.Int4Groups) layGroups(d, memory, panel, o, isThere);
      for (let k = 0; k < length && isThere; k++) layWeight(d, memory, form, to + placeOf(form, o, k), output, k);
    }
  }
}

function layWeight(d: Descriptor, memory: Memory, form: LinearForm, at: number, output: number, k: number): void {
  const { view } = memory;
  const index = output * d.address(Word.Length) + k;
  if (form <= LinearForm.Int4Groups) {
    const code = view.getInt8(d.address(Word.Values) + index);
    if (form <= LinearForm.Int8Groups) view.setInt8(at, code);
    else view.setUint8(at, view.getUint8(at) | ((code & 15) << (k % 2 === 0 ? 4 : 0)));
    return;
  }
  const dtype = d.int(Word.Dtype);
  const from = d.address(Word.Values) + index * valueBytes(dtype);
  if (form !== LinearForm.Float32) {
    view.setUint16(at, view.getUint16(from, true), true);
    return;
  }
  const value = new Float32Array(1);
  memory.gatherValues(dtype, from, 4, 1, value);
  memory.setFloat32(at, value[0]!);
}

/** Scales of an output, and of int8 the sums of its groups. */
function layGroups(d: Descriptor, memory: Memory, panel: number, o: number, isThere: boolean): void {
  const output = panel * Panel.Outputs + o;
  const length = d.address(Word.Length);
  const groups = d.int(Word.Parts);
  for (let g = 0; g < groups; g++) {
    const from = g * d.address(Word.Group);
    const count = Math.min(d.address(Word.Group), length - from);
    const codes = new Int8Array(memory.buffer, d.address(Word.Values) + output * length + from, isThere ? count : 0);
    const sum = codes.reduce((all, code) => all + code, 0);
    const scale = isThere ? memory.getFloat32(d.address(Word.Scale) + (output * groups + g) * 4) : 0;
    const at = groupPlace(d, panel, g, o);
    memory.view.setFloat32(d.address(Word.RangeLow) + at, scale, true);
    if (d.int(Word.Form) <= LinearForm.Int8Groups) memory.view.setInt32(d.address(Word.ZeroPoint) + at, sum, true);
  }
}
