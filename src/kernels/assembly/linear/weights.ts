/**
 * Weights laid out in panels of 16 outputs (docs/linear.md). Of int8, four inputs of each output follow one another, then
 * the next four; of 4 bits eight; of floats one. What there is no weight for is 0.
 */
import { LinearForm } from '../../../scheme/codes';
import { Panel, Word } from '../../../scheme/descriptor';
import { bytesOf, one } from '../load';
import { put } from '../transforms/values';
import { address, word } from '../words';

/** Outputs of a panel. */
const OUTPUTS: usize = Panel.Outputs;

/** Panels `First` to `Last`. */
export function layWeights(d: usize): void {
  const form = word(d, Word.Form);
  const bytes = panelBytes(form, address(d, Word.Length));
  const last = address(d, Word.Last);
  for (let panel = address(d, Word.First); panel < last; panel++) {
    const to = address(d, Word.Codes) + panel * bytes;
    memory.fill(to, 0, bytes);
    if (form <= LinearForm.Int4Groups) layCodes(d, panel, to, form);
    else layFloats(d, panel, to, form);
  }
}

/** Bytes of a panel. */
export function panelBytes(form: i32, length: usize): usize {
  if (form <= LinearForm.Int8Groups) return ((length + 3) >> 2) << 6;
  if (form == LinearForm.Int4Groups) return ((length + 7) >> 3) << 6;
  return (length * OUTPUTS) << (form == LinearForm.Float32 ? 2 : 1);
}

/** Codes, their scales, and of int8 the sum of each group. */
function layCodes(d: usize, panel: usize, to: usize, form: i32): void {
  const length = address(d, Word.Length);
  const group = address(d, Word.Group);
  const groups = address(d, Word.Parts);
  for (let o: usize = 0; o < OUTPUTS; o++) {
    const output = panel * OUTPUTS + o;
    const isThere = output < address(d, Word.Inner);
    for (let g: usize = 0; g < groups; g++) {
      const at = ((panel * groups + g) * OUTPUTS + o) << 2;
      const from = g * group;
      const count = min(group, length - from);
      const codes = address(d, Word.Values) + output * length + from;
      let sum: i32 = 0;
      if (isThere && form == LinearForm.Int4Groups) layNibbles(codes, from, count, to + (o << 2));
      else if (isThere) sum = layBytes(codes, from, count, to + (o << 2));
      const scale = address(d, Word.Scale) + ((output * groups + g) << 2);
      store<f32>(address(d, Word.RangeLow) + at, isThere ? load<f32>(scale) : 0);
      if (form <= LinearForm.Int8Groups) store<i32>(address(d, Word.ZeroPoint) + at, sum);
    }
  }
}

/** `count` codes of an output from input `from` on; gives their sum. */
function layBytes(codes: usize, from: usize, count: usize, to: usize): i32 {
  let sum: i32 = 0;
  for (let i: usize = 0; i < count; i++) {
    const k = from + i;
    const code = load<i8>(codes + i);
    store<i8>(to + ((k >> 2) << 6) + (k & 3), code);
    sum += code;
  }
  return sum;
}

/** The same of 4 bits, the first of eight in the highest ones of a little-endian int32. */
function layNibbles(codes: usize, from: usize, count: usize, to: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const k = from + i;
    const at = to + ((k >> 3) << 6) + 3 - ((k & 7) >> 1);
    store<u8>(at, load<u8>(at) | ((load<u8>(codes + i) & 15) << <u8>(4 - ((k & 1) << 2))));
  }
}

/** Floats as they are, or of any type as float32. */
function layFloats(d: usize, panel: usize, to: usize, form: i32): void {
  const length = address(d, Word.Length);
  const dtype = word(d, Word.Dtype);
  const size = bytesOf(dtype);
  const end = min(OUTPUTS, address(d, Word.Inner) - panel * OUTPUTS);
  for (let o: usize = 0; o < end; o++) {
    let from = address(d, Word.Values) + (panel * OUTPUTS + o) * length * size;
    for (let k: usize = 0; k < length; k++) {
      const at = k * OUTPUTS + o;
      if (form == LinearForm.Float32) put(to + (at << 2), one(dtype, from));
      else store<u16>(to + (at << 1), load<u16>(from));
      from += size;
    }
  }
}
