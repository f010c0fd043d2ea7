/**
 * Work with a parameter a group of contiguous values: rows cut into blocks (`Op.Segments`), and channels on a middle
 * axis, whose values lie in several runs (`Op.Channels`).
 */
import { Mode, Source } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { codeBytes } from './codes';
import { decode } from './decode';
import { fourBlocks, takesFour } from './four-blocks';
import { bytesOf } from './load';
import { startRecord } from './measure';
import { bounded, loadParameters, setRagged } from './parameters';
import { dirty, extend, high, low } from './range';
import { begin, conclude, finish, finishGiven, storeRange } from './runs';
import { address, word } from './words';

/** Units `First` to `Last`: rows, or parts of `Count` values of them, in blocks of `Group`, the last block of a row ragged. */
export function segments(d: usize): void {
  const length: usize = address(d, Word.Length);
  const group: usize = address(d, Word.Group);
  const blocks = (length + group - 1) / group;
  const stride = address(d, Word.CodeStride);
  const codes = address(d, Word.Codes);
  const values = address(d, Word.Values);
  const codeSize = codeBytes(d);
  const last: usize = address(d, Word.Last);
  const size: usize = word(d, Word.Mode) == Mode.Dequantize ? 4 : bytesOf(word(d, Word.Dtype));
  // Of a long row a unit is only a part.
  const part: usize = address(d, Word.Count) == 0 ? length : address(d, Word.Count);
  const parts: usize = part < length ? (length + part - 1) / part : 1;
  const step = part / group + usize(part % group != 0);
  const fours = stride == 0 && word(d, Word.Mode) == Mode.Quantize && takesFour(d);
  for (let unit: usize = address(d, Word.First); unit < last; unit++) {
    startRecord(d, unit);
    const row = unit / parts;
    const first = (unit % parts) * step;
    const end = min(blocks, first + step);
    for (let block = first; block < end; block++) {
      const element = row * length + block * group;
      const index = row * blocks + block;
      if (fours && block + 4 <= end && (block + 4) * group <= length) {
        if (fourBlocks(d, values + element * size, codes + element, index)) {
          block += 3;
          continue;
        }
      }
      const q = stride == 0 ? codes + element * codeSize : codes + index * stride + address(d, Word.CodeOffset);
      const n = min(group, length - block * group);
      setRagged(d, n < group);
      runs(d, values + element * size, n, q, unit, index, element, 1, 0);
    }
  }
  setRagged(d, false);
}

/** Channels `First` to `Last` of the middle axis, of each `Parts` runs of `Length` from run `Group` on. */
export function channels(d: usize): void {
  const length: usize = address(d, Word.Length);
  const step = address(d, Word.Count) * length;
  const values = address(d, Word.Values);
  const codes = address(d, Word.Codes);
  const codeSize = codeBytes(d);
  const last: usize = address(d, Word.Last);
  const size: usize = word(d, Word.Mode) == Mode.Dequantize ? 4 : bytesOf(word(d, Word.Dtype));
  for (let channel: usize = address(d, Word.First); channel < last; channel++) {
    startRecord(d, channel);
    const element = channel * length + address(d, Word.Group) * step;
    const p = values + element * size;
    runs(d, p, length, codes + element * codeSize, channel, channel, element, address(d, Word.Parts), step);
  }
}

/** `parts` runs of `n` values, `step` elements apart, with the one parameter `index`. */
function runs(
  d: usize, p: usize, n: usize, q: usize, unit: usize, index: usize, element: usize, parts: usize, step: usize,
): void {
  const mode = word(d, Word.Mode);
  const codeSize = codeBytes(d);
  if (mode == Mode.Dequantize) {
    loadParameters(d, index);
    for (let k: usize = 0; k < parts; k++) decode(d, q + k * step * codeSize, n, p + ((k * step) << 2));
    return;
  }
  const size = bytesOf(word(d, Word.Dtype));
  begin(d, index);
  if (mode == Mode.Quantize && word(d, Word.Source) != Source.Data) {
    for (let k: usize = 0; k < parts; k++) {
      const at = k * step;
      finishGiven(d, p + at * size, n, q + at * codeSize, unit, <i32>(element + at));
    }
    return;
  }
  for (let k: usize = 0; k < parts; k++) {
    extend(d, p + k * step * size, size, n, <i32>(element + k * step), 1);
  }
  if (mode == Mode.Range) return storeRange(d, index);
  if (!conclude(d, index)) return;
  const isFast = !dirty && bounded(d, high, low);
  for (let k: usize = 0; k < parts; k++) {
    const at = k * step;
    finish(d, p + at * size, n, q + at * codeSize, unit, dirty, isFast);
  }
}
