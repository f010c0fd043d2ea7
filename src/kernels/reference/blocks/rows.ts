/**
 * `Op.Blocks`: rows of blocks of a foreign format.
 * @module
 */
import { BlockFormat, Mode, NonFinite } from '../../../scheme/codes.js';
import { Size, Word } from '../../../scheme/descriptor.js';
import type { Descriptor } from '../descriptor.js';
import { type Memory, valueBytes } from '../memory.js';
import { Range } from '../range.js';
import { addErrors, clearRecord } from '../statistics.js';
import { bitsHigh, bitsHighInt8, bitsLow } from './bits.js';
import { amaxOf, type BlockTwin } from './block.js';
import { q8_0, q8_0x86, q8_1 } from './eights.js';
import { bf16, f16 } from './floats.js';
import { mxfp4, nvfp4 } from './fp4.js';
import { iq4_nl } from './iq4nl.js';
import { q4_0, q4_1, q5_0, q5_1 } from './nibbles.js';
import { q8_k } from './q8k.js';
import { usearchI8 } from './unit.js';

const TWINS: Readonly<Record<BlockFormat, BlockTwin>> = {
  [BlockFormat.Q8_0]: q8_0,
  [BlockFormat.Q8_0X86]: q8_0x86,
  [BlockFormat.Q8_1]: q8_1,
  [BlockFormat.Q8_K]: q8_k,
  [BlockFormat.Q4_0]: q4_0,
  [BlockFormat.Q4_1]: q4_1,
  [BlockFormat.Q5_0]: q5_0,
  [BlockFormat.Q5_1]: q5_1,
  [BlockFormat.Iq4Nl]: iq4_nl,
  [BlockFormat.Mxfp4]: mxfp4,
  [BlockFormat.Nvfp4]: nvfp4,
  [BlockFormat.Float16]: f16,
  [BlockFormat.Bfloat16]: bf16,
  [BlockFormat.UsearchI8]: usearchI8,
  [BlockFormat.BitsHigh]: bitsHigh,
  [BlockFormat.BitsHighInt8]: bitsHighInt8,
  [BlockFormat.BitsLow]: bitsLow,
};

/** Rows `First` to `Last` of `Inner` bytes each, in blocks of `Group` values and `CodeStride` bytes. */
export function blockRows(d: Descriptor, memory: Memory): void {
  const twin = TWINS[d.int(Word.Format) as BlockFormat];
  for (let row = d.int(Word.First); row < d.int(Word.Last); row++) {
    const spans = spansOf(d, twin, row);
    if (d.int(Word.Mode) === Mode.Quantize) quantizeRow(d, memory, twin, row, spans);
    else for (const span of spans) dequantize(d, memory, twin, span);
  }
}

/** Values that are done at once: a block, or a tile of values that stand alone. */
interface Span {
  /** Index of the first value in the tensor, and in its row. */
  readonly element: number;
  readonly column: number;
  readonly count: number;
  /** Address of its bytes. */
  readonly at: number;
}

function spansOf(d: Descriptor, twin: BlockTwin, row: number): Span[] {
  const length = d.address(Word.Length);
  const group = d.address(Word.Group);
  const size = twin.largest === undefined ? group : Size.CacheTile;
  const spans: Span[] = [];
  for (let column = 0; column < length; column += size) {
    const at = d.address(Word.Codes) + row * d.address(Word.Inner) + (column / group) * d.address(Word.CodeStride);
    spans.push({ element: row * length + column, column, count: Math.min(size, length - column), at });
  }
  return spans;
}

function dequantize(d: Descriptor, memory: Memory, twin: BlockTwin, { element, count, at }: Span): void {
  const values = new Float32Array(count);
  twin.decode(memory.view, at, values);
  memory.scatterValues(d.address(Word.Values) + element * 4, 4, count, values);
}

/** The codes of a row; its statistics too, but for a row with values that are refused. */
function quantizeRow(d: Descriptor, memory: Memory, twin: BlockTwin, row: number, spans: readonly Span[]): void {
  const range = new Range();
  clearRecord(d, memory, row);
  for (const span of spans) {
    const values = valuesOf(d, memory, span);
    const before = range.bad;
    range.scan(d, values, span.count, span.element, 1);
    const isBad = range.bad > before;
    if (isBad && d.refuses()) continue;
    const isSaturated = isBad && d.int(Word.NonFinite) === NonFinite.Saturate;
    twin.encode(isSaturated ? saturated(values, twin) : values, memory.view, span.at);
  }
  if (d.int(Word.Statistics) === 0 || (range.bad > 0 && d.refuses())) return;
  for (const span of spans) {
    const back = new Float32Array(span.count);
    twin.decode(memory.view, span.at, back);
    addErrors(d, memory, row, valuesOf(d, memory, span), back, span.column);
  }
}

/** The values of a span, as float32. */
function valuesOf(d: Descriptor, memory: Memory, { element, count }: Span): Float32Array {
  const dtype = d.int(Word.Dtype);
  const bytes = valueBytes(dtype);
  const values = new Float32Array(count);
  memory.gatherValues(dtype, d.address(Word.Values) + element * bytes, bytes, count, values);
  return values;
}

/** NaN as 0, ±Inf as the largest magnitude there is. */
function saturated(values: Float32Array, twin: BlockTwin): Float32Array {
  const limit = twin.largest ?? amaxOf(values.filter(Number.isFinite));
  return values.map((x) => (Number.isFinite(x) ? x : Number.isNaN(x) ? 0 : Math.sign(x) * limit));
}
