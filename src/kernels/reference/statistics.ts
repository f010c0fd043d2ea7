/**
 * Error statistics (equations 15 to 18): a record of `Size.StatisticsDoubles` doubles for each unit of work.
 * @module
 */
import { Size, Word } from '../../scheme/descriptor.js';
import { decode } from './convert.js';
import type { Descriptor } from './descriptor.js';
import type { Memory } from './memory.js';
import type { Parameters } from './parameters.js';

const { fround } = Math;

/** Places in a record: four sums of squared error, four of squared signal, the largest error, saturated codes. */
const ERROR = 0;
const SIGNAL = 4;
const LARGEST = 8;
const SATURATED = 9;

/** The high half of the one NaN that a record holds; its low half is zero. */
const NAN_HIGH = 0x7ff80000;

/** Empties the record of `unit`, where statistics are asked for and this is the beginning of the unit. */
export function clearRecord(d: Descriptor, memory: Memory, unit: number): void {
  if (d.int(Word.Statistics) === 0 || d.int(Word.Continues) !== 0) return;
  for (let i = 0; i < Size.StatisticsDoubles; i++) memory.view.setFloat64(place(d, unit, i), 0, true);
}

/**
 * Adds `count` values and their codes to the record of `unit`: value i to the sums i & 3. Values that are not finite
 * are left out. An error may be NaN, where the scale is not finite; then the largest error is NaN.
 */
export function measure(
  d: Descriptor,
  memory: Memory,
  unit: number,
  parameters: Parameters,
  values: Float32Array,
  codes: Int32Array,
  count: number,
): void {
  const lowCode = d.int(Word.LowCode);
  const highCode = d.int(Word.HighCode);
  const half = Math.abs(fround(d.real(Word.TopHalf) * parameters.storedScale));
  const back = new Float32Array(count);
  decode(d, parameters, codes, count, back);
  const sums = new Float64Array(Size.StatisticsDoubles);
  for (let i = 0; i < sums.length; i++) sums[i] = memory.view.getFloat64(place(d, unit, i), true);
  let largest = sums[LARGEST]!;
  let saturated = sums[SATURATED]!;
  for (let i = 0; i < count; i++) {
    const x = values[i]!;
    if (!Number.isFinite(x)) continue;
    const code = codes[i]!;
    const error = fround(x - back[i]!);
    const sum = i & 3;
    sums[ERROR + sum]! += error * error;
    sums[SIGNAL + sum]! += x * x;
    const size = Math.abs(error);
    if (Number.isNaN(size) || size > largest) largest = size;
    if ((code === lowCode || code === highCode) && size > half) saturated++;
  }
  sums[LARGEST] = largest;
  sums[SATURATED] = saturated;
  for (let i = 0; i < sums.length; i++) storeDouble(memory, place(d, unit, i), sums[i]!);
}

/**
 * Adds values and what their codes read back as, by the same rules: value i to the sums (`from` + i) & 3. Codes of such
 * formats do not saturate.
 */
export function addErrors(
  d: Descriptor,
  memory: Memory,
  unit: number,
  values: Float32Array,
  back: Float32Array,
  from: number,
): void {
  const add = (i: number, amount: number): void => {
    const at = place(d, unit, i);
    storeDouble(memory, at, memory.view.getFloat64(at, true) + amount);
  };
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    if (!Number.isFinite(x)) continue;
    const error = fround(x - back[i]!);
    const sum = (from + i) & 3;
    add(ERROR + sum, error * error);
    add(SIGNAL + sum, x * x);
    const size = Math.abs(error);
    const largest = place(d, unit, LARGEST);
    if (Number.isNaN(size) || size > memory.view.getFloat64(largest, true)) storeDouble(memory, largest, size);
  }
}

/** Address of double `i` of the record of `unit`. */
function place(d: Descriptor, unit: number, i: number): number {
  return d.address(Word.Statistics) + (unit * Size.StatisticsDoubles + i) * 8;
}

/** Writes a float64, NaN as the canonical one. */
function storeDouble(memory: Memory, address: number, value: number): void {
  memory.view.setFloat64(address, value, true);
  if (!Number.isNaN(value)) return;
  memory.view.setUint32(address, 0, true);
  memory.view.setUint32(address + 4, NAN_HIGH, true);
}
