/**
 * The scalar twin of the kernels: carries out the same descriptors on the same memory, with the same bits in every
 * output. It is written from the definitions and shares nothing with them but the codes, so that each can be tested
 * with the other; and it does the work where the module cannot be used.
 * @module
 */
import { Mode, Op, Source } from '../scheme/codes.js';
import { Size, Word } from '../scheme/descriptor.js';
import type { Kernel } from './kernel.js';
import { blockRows } from './reference/blocks/index.js';
import { decode, encode } from './reference/convert.js';
import { Descriptor } from './reference/descriptor.js';
import { attend } from './reference/kv/attend.js';
import { linear } from './reference/linear/linear.js';
import { Memory, valueBytes } from './reference/memory.js';
import { outlierRows } from './reference/outliers.js';
import { packTiles } from './reference/pack.js';
import { Parameters } from './reference/parameters.js';
import { Range } from './reference/range.js';
import { codeStep, contiguous, type Run, slice, strided } from './reference/run.js';
import { clearRecord, measure } from './reference/statistics.js';
import { transform } from './reference/transforms/transform.js';

/** The kernels in TypeScript over `buffer`. */
export function createReference(buffer: SharedArrayBuffer | ArrayBuffer): Kernel {
  const reference = new Reference(new Memory(buffer));
  return { name: 'scalar', execute: (descriptor) => reference.execute(descriptor) };
}

class Reference {
  readonly #memory: Memory;
  readonly #range = new Range();
  readonly #parameters = new Parameters();
  readonly #values = new Float32Array(Size.CacheTile);
  readonly #codes = new Int32Array(Size.CacheTile);

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  execute(address: number): void {
    const d = new Descriptor(this.#memory, address);
    const op = d.int(Word.Op);
    if (op === Op.Tensor) this.#tensor(d);
    else if (op === Op.Segments) this.#segments(d);
    else if (op === Op.Channels) this.#channels(d);
    else if (op === Op.Blocks) blockRows(d, this.#memory);
    else if (op === Op.Pack) packTiles(d, this.#memory);
    else if (op === Op.Outliers) outlierRows(d, this.#memory);
    else if (op === Op.Attend) attend(d, this.#memory);
    else if (op >= Op.LinearWeights) linear(d, this.#memory);
    else if (op >= Op.Rotate) transform(d, this.#memory);
    else this.#columns(d);
  }

  /** Tiles `First` to `Last` of a tensor with one parameter. */
  #tensor(d: Descriptor): void {
    const first = d.int(Word.First);
    const end = Math.min(d.address(Word.Length), d.int(Word.Last) * Size.TensorTile);
    const all = contiguous(d, first * Size.TensorTile, end - first * Size.TensorTile);
    if (d.int(Word.Mode) === Mode.Dequantize) {
      this.#dequantize(d, 0, [all]);
      return;
    }
    if (!this.#prepareTensor(d, all)) return;
    for (let tile = first; tile * Size.TensorTile < end; tile++) {
      const element = tile * Size.TensorTile;
      clearRecord(d, this.#memory, tile);
      this.#quantizeRun(d, contiguous(d, element, Math.min(Size.TensorTile, end - element)), tile);
    }
  }

  /** The range and the parameters of a tensor; false where no codes follow. */
  #prepareTensor(d: Descriptor, all: Run): boolean {
    const range = this.#range;
    const source = d.int(Word.Source);
    const isRange = d.int(Word.Mode) === Mode.Range;
    range.clear(isAlone(d));
    if (isRange || source === Source.Data) {
      range.merge(d.real(Word.High), d.real(Word.Low));
      this.#scan(d, all);
      d.setReal(Word.High, range.high);
      d.setReal(Word.Low, range.low);
      if (isRange) return false;
    } else if (source === Source.Barrier) {
      this.#mergeParts(d);
    } else {
      this.#parameters.resolve(d, this.#memory, 0);
      return true;
    }
    if (range.bad > 0 && d.refuses()) return false;
    this.#parameters.derive(d, this.#memory, range.high, range.low);
    // Every part of a barrier derives the same parameters; the first one stores them.
    if (source === Source.Data || all.element === 0) this.#parameters.store(d, this.#memory, 0);
    return true;
  }

  /** Sets the range to that of all parts of the earlier pass. */
  #mergeParts(d: Descriptor): void {
    for (let k = 0; k < d.int(Word.BarrierCount); k++) {
      const place = (d.int(Word.BarrierFirst) + k) % d.int(Word.RingCount);
      const part = new Descriptor(this.#memory, d.address(Word.RingBase) + place * Size.Descriptor);
      this.#range.merge(part.real(Word.High), part.real(Word.Low));
      this.#range.bad += part.int(Word.BadCount);
    }
  }

  /** Units `First` to `Last`: rows, or parts of `Count` values, in blocks of `Group`, the last one of a row ragged. */
  #segments(d: Descriptor): void {
    const length = d.address(Word.Length);
    const group = d.address(Word.Group);
    const blocks = Math.ceil(length / group);
    const stride = d.address(Word.CodeStride);
    // Of a long row a unit is only a part.
    const part = d.address(Word.Count) || length;
    const parts = part < length ? Math.ceil(length / part) : 1;
    const step = Math.ceil(part / group);
    for (let unit = d.int(Word.First); unit < d.int(Word.Last); unit++) {
      clearRecord(d, this.#memory, unit);
      const row = Math.floor(unit / parts);
      const first = (unit % parts) * step;
      for (let block = first; block < Math.min(blocks, first + step); block++) {
        const index = row * blocks + block;
        const count = Math.min(group, length - block * group);
        const run = { ...contiguous(d, row * length + block * group, count), isRagged: count < group };
        const codes = d.address(Word.Codes) + index * stride + d.address(Word.CodeOffset);
        this.#group(d, unit, index, [stride === 0 ? run : { ...run, codes }]);
      }
    }
  }

  /** Channels `First` to `Last`, each in `Parts` runs of `Length` values. */
  #channels(d: Descriptor): void {
    const length = d.address(Word.Length);
    const count = d.address(Word.Count);
    for (let channel = d.int(Word.First); channel < d.int(Word.Last); channel++) {
      clearRecord(d, this.#memory, channel);
      const runs: Run[] = [];
      for (let part = 0; part < d.int(Word.Parts); part++) {
        runs.push(contiguous(d, (part * count + channel) * length, length));
      }
      this.#group(d, channel, channel, runs);
    }
  }

  /** Strips `First` to `Last`; strip u belongs to group ⌊u / strips⌋ of rows. */
  #columns(d: Descriptor): void {
    const inner = d.address(Word.Inner);
    const length = d.address(Word.Length);
    const group = d.address(Word.Group);
    const strips = Math.ceil(inner / Size.StripColumns);
    const groups = Math.ceil(length / group);
    for (let unit = d.int(Word.First); unit < d.int(Word.Last); unit++) {
      const part = Math.floor(unit / strips);
      const row = (part % groups) * group;
      const firstRow = Math.floor(part / groups) * length + row;
      const from = (unit % strips) * Size.StripColumns;
      const to = Math.min(inner, from + Size.StripColumns);
      clearRecord(d, this.#memory, unit);
      for (let column = from; column < to; column++) {
        const run = strided(d, firstRow * inner + column, inner, Math.min(group, length - row));
        this.#group(d, unit, part * inner + column, [run]);
      }
      if (d.int(Word.Mode) !== Mode.Quantize || d.int(Word.Statistics) === 0) continue;
      if (d.refuses() && d.int(Word.BadCount) !== 0) continue;
      for (let column = from; column < to; column++) {
        this.#parameters.load(d, this.#memory, part * inner + column);
        this.#measureRun(d, strided(d, firstRow * inner + column, inner, Math.min(group, length - row)), unit);
      }
    }
  }

  /** Carries out the mode for the values that share parameter `index`. */
  #group(d: Descriptor, unit: number, index: number, runs: readonly Run[]): void {
    if (d.int(Word.Mode) === Mode.Dequantize) this.#dequantize(d, index, runs);
    else if (this.#prepareGroup(d, index, runs)) for (const run of runs) this.#quantizeRun(d, run, unit);
  }

  /** The range and the parameters of index `index`; false where no codes follow. */
  #prepareGroup(d: Descriptor, index: number, runs: readonly Run[]): boolean {
    const range = this.#range;
    const isRange = d.int(Word.Mode) === Mode.Range;
    if (!isRange && d.int(Word.Source) !== Source.Data) {
      this.#parameters.resolve(d, this.#memory, index);
      return true;
    }
    range.clear(isAlone(d));
    for (const run of runs) this.#scan(d, run);
    if (isRange) {
      this.#memory.setFloat32(d.address(Word.RangeHigh) + index * 4, range.high);
      this.#memory.setFloat32(d.address(Word.RangeLow) + index * 4, range.low);
      return false;
    }
    if (range.bad > 0 && d.refuses()) return false;
    this.#parameters.derive(d, this.#memory, range.high, range.low);
    this.#parameters.store(d, this.#memory, index);
    return true;
  }

  /**
   * Codes of a run, with the current parameters. Where these did not come from the values, nothing is known of the
   * values yet: they are looked at here, and under the policy `error` each cache tile (or column) that holds one which
   * is not finite is left out.
   */
  #quantizeRun(d: Descriptor, run: Run, unit: number): void {
    const source = d.int(Word.Source);
    if (source === Source.Data || source === Source.Barrier) {
      this.#encodeRun(d, run, unit);
      return;
    }
    const span = d.int(Word.Op) === Op.Columns ? run.count : Size.CacheTile;
    for (let i = 0; i < run.count; i += span) {
      const part = slice(d, run, i, span);
      this.#range.clear(isAlone(d));
      this.#scan(d, part);
      if (this.#range.bad === 0 || !d.refuses()) this.#encodeRun(d, part, unit);
    }
  }

  /** Adds the values of a run to the range. */
  #scan(d: Descriptor, run: Run): void {
    for (let i = 0; i < run.count; i += Size.CacheTile) {
      const part = slice(d, run, i, Size.CacheTile);
      this.#gatherValues(d, part);
      this.#range.scan(d, this.#values, part.count, part.element, part.step);
    }
  }

  /** Codes of a run, and its statistics but for `Op.Columns`, which measures strip by strip. */
  #encodeRun(d: Descriptor, run: Run, unit: number): void {
    const measures = d.int(Word.Statistics) !== 0 && d.int(Word.Op) !== Op.Columns;
    for (let i = 0; i < run.count; i += Size.CacheTile) {
      const part = slice(d, run, i, Size.CacheTile);
      this.#gatherValues(d, part);
      encode(d, this.#parameters, this.#values, part.count, this.#codes, part);
      this.#memory.scatterCodes(d.int(Word.Storage), part.codes, codeStep(d, run), part.count, this.#codes);
      if (measures) measure(d, this.#memory, unit, this.#parameters, this.#values, this.#codes, part.count);
    }
  }

  /** Statistics of a run whose codes are written. */
  #measureRun(d: Descriptor, run: Run, unit: number): void {
    for (let i = 0; i < run.count; i += Size.CacheTile) {
      const part = slice(d, run, i, Size.CacheTile);
      this.#gatherValues(d, part);
      this.#gatherCodes(d, part);
      measure(d, this.#memory, unit, this.#parameters, this.#values, this.#codes, part.count);
    }
  }

  /** Values of the codes of all runs, with parameter `index`. */
  #dequantize(d: Descriptor, index: number, runs: readonly Run[]): void {
    this.#parameters.load(d, this.#memory, index);
    for (const run of runs) {
      for (let i = 0; i < run.count; i += Size.CacheTile) {
        const part = slice(d, run, i, Size.CacheTile);
        this.#gatherCodes(d, part);
        decode(d, this.#parameters, this.#codes, part.count, this.#values);
        this.#memory.scatterValues(d.address(Word.Values) + part.element * 4, part.step * 4, part.count, this.#values);
      }
    }
  }

  #gatherValues(d: Descriptor, run: Run): void {
    const dtype = d.int(Word.Dtype);
    const bytes = valueBytes(dtype);
    const address = d.address(Word.Values) + run.element * bytes;
    this.#memory.gatherValues(dtype, address, run.step * bytes, run.count, this.#values);
  }

  #gatherCodes(d: Descriptor, run: Run): void {
    this.#memory.gatherCodes(d.int(Word.Storage), run.codes, codeStep(d, run), run.count, this.#codes);
  }
}

/** Whether a range is that of the values alone. */
function isAlone(d: Descriptor): boolean {
  return d.int(Word.WithoutZero) !== 0;
}
