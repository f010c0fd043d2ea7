/**
 * `Op.Outliers`: rows by their absmax without outliers, the columns that hold an outlier kept apart (equations 47 to 50).
 * @module
 */
import { roundHalfEven } from '../../numbers.js';
import { Mode, NonFinite } from '../../scheme/codes.js';
import { Word } from '../../scheme/descriptor.js';
import type { Descriptor } from './descriptor.js';
import { type Memory, valueBytes } from './memory.js';
import { Range } from './range.js';
import { addErrors, clearRecord } from './statistics.js';

const { fround } = Math;

/** Rows `First` to `Last` of `Length` values. */
export function outlierRows(d: Descriptor, memory: Memory): void {
  const columns = columnsOf(d, memory);
  for (let row = d.int(Word.First); row < d.int(Word.Last); row++) {
    const mode = d.int(Word.Mode);
    if (mode === Mode.Dequantize) restore(d, memory, row, columns);
    else if (mode === Mode.Range) mark(d, memory, valuesOf(d, memory, row));
    else quantize(d, memory, row, columns);
  }
}

/** A column with outliers, and its place among them. */
interface Column {
  readonly index: number;
  readonly place: number;
}

/** The listed columns; those beyond the row are passed over. */
function columnsOf(d: Descriptor, memory: Memory): Column[] {
  const list = d.address(Word.ZeroPoint);
  const count = d.int(Word.Mode) === Mode.Range ? 0 : d.int(Word.Count);
  const all = Array.from({ length: count }, (_, place) => ({
    index: memory.view.getUint32(list + place * 4, true),
    place,
  }));
  return all.filter(({ index }) => index < d.address(Word.Length));
}

function valuesOf(d: Descriptor, memory: Memory, row: number): Float32Array {
  const length = d.address(Word.Length);
  const dtype = d.int(Word.Dtype);
  const bytes = valueBytes(dtype);
  const values = new Float32Array(length);
  memory.gatherValues(dtype, d.address(Word.Values) + row * length * bytes, bytes, length, values);
  return values;
}

function mark(d: Descriptor, memory: Memory, values: Float32Array): void {
  const saturates = d.int(Word.NonFinite) === NonFinite.Saturate;
  for (const [column, x] of values.entries()) {
    if (!(Math.abs(x) >= d.real(Word.Limit)) || (saturates && !Number.isFinite(x))) continue;
    memory.view.setUint8(d.address(Word.RangeLow) + column, 1);
  }
}

function quantize(d: Descriptor, memory: Memory, row: number, columns: readonly Column[]): void {
  const values = valuesOf(d, memory, row);
  const { length } = values;
  clearRecord(d, memory, row);
  const range = new Range();
  range.scan(d, values, length, row * length, 1);
  if (range.bad > 0 && d.refuses()) return;
  const absmax = absmaxOf(d, values);
  memory.setFloat32(d.address(Word.Scale) + row * 4, absmax);
  const saturates = d.int(Word.NonFinite) === NonFinite.Saturate;
  const kept = saturates ? values.map((x) => saturated(x, absmax)) : values;
  const codes = Array.from(kept, (x) => codeOf(fround(x * fround(127 / absmax))));
  const back = Float32Array.from(codes, (code) => readBack(code, absmax));
  for (const { index, place } of columns) {
    codes[index] = 0;
    back[index] = values[index]!;
    memory.setFloat32(outlierAt(d, row, place), kept[index]!);
  }
  for (const [column, code] of codes.entries())
    memory.view.setInt8(d.address(Word.Codes) + row * length + column, code);
  if (d.int(Word.Statistics) !== 0) addErrors(d, memory, row, values, back, 0);
}

/** The largest magnitude below the limit; under `propagate` NaN where a value is, and infinity where there is no limit. */
function absmaxOf(d: Descriptor, values: Float32Array): number {
  const limit = d.real(Word.Limit);
  let most = 0;
  for (const x of values) {
    const size = Math.abs(x);
    const isIn = Number.isFinite(x)
      ? size < limit
      : d.int(Word.NonFinite) === NonFinite.Propagate && !(limit < Number.POSITIVE_INFINITY && size >= limit);
    if (isIn) most = Math.max(most, size);
  }
  return most;
}

/** NaN as 0, an infinity as the absmax with its sign. */
function saturated(x: number, absmax: number): number {
  if (Number.isFinite(x)) return x;
  return Number.isNaN(x) ? 0 : Math.sign(x) * absmax;
}

function codeOf(v: number): number {
  return Number.isNaN(v) ? 0 : roundHalfEven(Math.min(Math.max(v, -127), 127));
}

function readBack(code: number, absmax: number): number {
  return fround(fround(code * absmax) * fround(1 / 127));
}

/** Address of the value of a row in the outlier column at this place. */
function outlierAt(d: Descriptor, row: number, place: number): number {
  return d.address(Word.RangeHigh) + (row * d.int(Word.Count) + place) * 4;
}

function restore(d: Descriptor, memory: Memory, row: number, columns: readonly Column[]): void {
  const length = d.address(Word.Length);
  const absmax = memory.getFloat32(d.address(Word.Scale) + row * 4);
  const codes = new Int8Array(memory.buffer, d.address(Word.Codes) + row * length, length);
  const values = Float32Array.from(codes, (code) => readBack(code, absmax));
  for (const { index, place } of columns) values[index] = memory.getFloat32(outlierAt(d, row, place));
  memory.scatterValues(d.address(Word.Values) + row * length * 4, 4, length, values);
}
