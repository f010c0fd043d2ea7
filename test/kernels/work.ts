import { setFloat16 } from '@petamoriken/float16';
import {
  Added,
  Apply,
  Arithmetic,
  type BlockFormat,
  Dtype,
  Mode,
  NonFinite,
  Op,
  Quantity,
  Rounding,
  ScaleForm,
  ScaleType,
  Source,
  Storage,
  ZeroPointRule,
} from '../../src/scheme/codes.js';
import { Size, Word } from '../../src/scheme/descriptor.js';
import type { Sandbox } from './sandbox.js';

/** What a scheme decides. */
export interface Rules {
  readonly dtype: Dtype;
  readonly storage: Storage;
  readonly codes: readonly [number, number];
  readonly apply: Apply;
  readonly rounding: Rounding;
  readonly scaleForm: ScaleForm;
  readonly divisor: number;
  readonly symmetric: boolean;
  readonly floorOn: Quantity;
  readonly floor: number;
  readonly zeroTest: Quantity;
  readonly zeroScale: number;
  readonly zeroMultiplier: number;
  /** The zero point where the zero test holds; null for that of the rule. */
  readonly zeroZero: number | null;
  readonly zeroPointRule: ZeroPointRule;
  readonly zeroRounding: Rounding;
  /** The codes that a zero point is chosen among; null for all. */
  readonly zeroCodes: readonly [number, number] | null;
  readonly added: Added;
  readonly arithmetic: Arithmetic;
  readonly withoutZero: boolean;
  readonly nonFinite: NonFinite;
  readonly nanCode: number;
  readonly poisons: boolean;
  readonly scaleType: ScaleType;
  readonly zeroPointStorage: Storage;
  /** Further words of the descriptor; see `WORDS` for what they are where nothing is said. */
  readonly more: readonly (readonly [Word, number])[];
}

/** Symmetric int8 of float32. */
export const SYMMETRIC: Rules = {
  dtype: Dtype.Float32,
  storage: Storage.Int8,
  codes: [-128, 127],
  apply: Apply.Divide,
  rounding: Rounding.HalfEven,
  scaleForm: ScaleForm.Divide,
  divisor: 127,
  symmetric: true,
  floorOn: Quantity.None,
  floor: 0,
  zeroTest: Quantity.None,
  zeroScale: 0,
  zeroMultiplier: 0,
  zeroZero: null,
  zeroPointRule: ZeroPointRule.None,
  zeroRounding: Rounding.HalfEven,
  zeroCodes: null,
  added: Added.After,
  arithmetic: Arithmetic.Float32,
  withoutZero: false,
  nonFinite: NonFinite.Error,
  nanCode: 0,
  poisons: true,
  scaleType: ScaleType.Float32,
  zeroPointStorage: Storage.Int8,
  more: [],
};

/** Affine uint8 of float32. */
export const AFFINE: Rules = {
  ...SYMMETRIC,
  storage: Storage.Uint8,
  codes: [0, 255],
  divisor: 255,
  symmetric: false,
  zeroTest: Quantity.Extent,
  zeroScale: 1,
  zeroMultiplier: 1,
  zeroPointRule: ZeroPointRule.RoundLast,
  zeroPointStorage: Storage.Uint8,
};

/** Shape of the work; the names are those of the words. */
export interface Shape {
  readonly op: Op;
  /** Rows of `Segments`, outer indices of `Columns`. */
  readonly rows?: number;
  readonly length: number;
  readonly group?: number;
  readonly count?: number;
  readonly parts?: number;
  /** Columns of `Columns`, bytes of a row of `Blocks`. */
  readonly inner?: number;
  /** Bytes of an embedded block and of what comes before its codes; its scale is at byte 0. */
  readonly block?: readonly [number, number];
  /** Format of the blocks (`Op.Blocks`). */
  readonly format?: BlockFormat;
}

/** Parameters or ranges that are given, repeated where there are fewer than parameters. */
export interface Given {
  readonly scales?: readonly number[];
  readonly zeros?: readonly number[];
  readonly lows?: readonly number[];
  readonly highs?: readonly number[];
}

/** A tensor and all that is done with it. */
export interface Work {
  readonly rules: Rules;
  readonly shape: Shape;
  /** The values as they lie in memory (for `Mode.Dequantize` the codes). */
  readonly content: Uint8Array;
  readonly mode?: Mode;
  /** `Source.Barrier` stands for a pass of `Mode.Range` before it. */
  readonly source?: Source;
  readonly given?: Given;
  readonly statistics?: boolean;
  /** Elements that values and codes lie past a multiple of 64 bytes. */
  readonly misalign?: number;
  /** Into how many descriptors the units are cut. */
  readonly cuts?: number;
}

/** What came out; an array is empty where there is no such output. */
export interface Outcome {
  readonly codes: Int8Array | Uint8Array | Int16Array | Uint16Array;
  readonly codeBytes: Uint8Array;
  readonly scales: Float32Array;
  readonly scaleBytes: Uint8Array;
  readonly zeros: Int32Array;
  readonly lows: Float32Array;
  readonly highs: Float32Array;
  /** Ten doubles a unit. */
  readonly statistics: Float64Array;
  /** `Mode.Dequantize`. */
  readonly values: Float32Array;
  readonly badCount: number;
  readonly badFirst: number;
}

/** Elements, units of work and parameters of a shape. */
export function sizesOf(shape: Shape): { elements: number; units: number; parameters: number } {
  const { op, rows = 1, length, group = 1, count = 1, parts = 1, inner = 1 } = shape;
  if (op === Op.Tensor) return { elements: length, units: Math.ceil(length / Size.TensorTile), parameters: 1 };
  const groups = Math.ceil(length / group);
  if (op === Op.Segments || op === Op.Blocks)
    return { elements: rows * length, units: rows, parameters: rows * groups };
  if (op === Op.Channels) return { elements: parts * count * length, units: count, parameters: count };
  const units = rows * groups * Math.ceil(inner / Size.StripColumns);
  return { elements: rows * length * inner, units, parameters: rows * groups * inner };
}

/** Values as they lie in memory, rounded to the type: bfloat16 towards zero, float16 to the nearest. */
export function contentOf(dtype: Dtype, values: ArrayLike<number>): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * (dtype === Dtype.Float32 ? 4 : 2)));
  const scratch = new DataView(new ArrayBuffer(4));
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (dtype === Dtype.Float32) view.setFloat32(i * 4, value, true);
    else if (dtype === Dtype.Float16) setFloat16(view, i * 2, value, true);
    else {
      scratch.setFloat32(0, value);
      view.setUint16(i * 2, scratch.getUint16(0), true);
    }
  }
  return new Uint8Array(view.buffer);
}

/** Values of given bits: 32 of them for float32, else 16. */
export function contentOfBits(dtype: Dtype, bits: ArrayLike<number>): Uint8Array {
  const array = dtype === Dtype.Float32 ? Uint32Array.from(bits) : Uint16Array.from(bits);
  return new Uint8Array(array.buffer);
}

/** The bits of a float32. */
export function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0]!;
}

const ZERO_BYTES = {
  [Storage.Int8]: 1,
  [Storage.Uint8]: 1,
  [Storage.Int16]: 2,
  [Storage.Uint16]: 2,
  [Storage.Int32]: 4,
  [Storage.Float32]: 4,
};
const SCALE_BYTES = {
  [ScaleType.Float32]: 4,
  [ScaleType.Float16]: 2,
  [ScaleType.Float64]: 8,
  [ScaleType.E8m0]: 1,
  [ScaleType.E4m3]: 1,
};
const INTEGERS = {
  [Storage.Int8]: Int8Array,
  [Storage.Uint8]: Uint8Array,
  [Storage.Int16]: Int16Array,
  [Storage.Uint16]: Uint16Array,
  [Storage.Int32]: Int32Array,
  [Storage.Float32]: Float32Array,
};

/** Executes the work with both kernels, which compares them, and gives what came out. */
export function perform(sandbox: Sandbox, work: Work): Outcome {
  sandbox.clear();
  const { rules, shape, content, given = {}, misalign = 0 } = work;
  const mode = work.mode ?? Mode.Quantize;
  const source = work.source ?? Source.Data;
  const { elements, units, parameters } = sizesOf(shape);
  const codeSize = ZERO_BYTES[rules.storage];
  const valueSize = mode === Mode.Dequantize || rules.dtype === Dtype.Float32 ? 4 : 2;
  const scaleSize = SCALE_BYTES[rules.scaleType];
  const zeroSize = ZERO_BYTES[rules.zeroPointStorage];
  const scaleStride = shape.block?.[0] ?? scaleSize;
  let codeLength = elements * codeSize;
  if (shape.op === Op.Blocks) codeLength = (shape.rows ?? 1) * shape.inner!;
  else if (shape.block !== undefined) codeLength = parameters * shape.block[0];
  const zeroLength = shape.block === undefined ? parameters * zeroSize : 0;
  const isGiven = source === Source.Given || mode === Mode.Dequantize;

  const values =
    mode === Mode.Dequantize
      ? sandbox.output(elements * 4, misalign * 4)
      : sandbox.input(content, misalign * valueSize);
  let codes: number;
  if (mode === Mode.Dequantize) codes = sandbox.input(content, misalign * codeSize);
  else codes = sandbox.output(mode === Mode.Range ? 0 : codeLength, shape.block ? 0 : misalign * codeSize);
  let scale = codes;
  let zero = 0;
  if (isGiven) {
    if (shape.block === undefined) scale = sandbox.input(scalesOf(rules, repeat(given.scales ?? [1], parameters)));
    if (given.zeros !== undefined) zero = sandbox.input(integersOf(rules, repeat(given.zeros, parameters)));
  } else {
    if (shape.block === undefined) scale = sandbox.output(parameters * scaleSize);
    if (zeroLength > 0) zero = sandbox.output(zeroLength);
  }
  const rangeBytes = parameters * 4;
  let low = 0;
  let high = 0;
  if (source === Source.Range) {
    low = sandbox.input(contentOf(Dtype.Float32, repeat(given.lows ?? [-1], parameters)));
    high = sandbox.input(contentOf(Dtype.Float32, repeat(given.highs ?? [1], parameters)));
  } else if (mode === Mode.Range) {
    low = sandbox.output(rangeBytes);
    high = sandbox.output(rangeBytes);
  }
  const statistics = work.statistics ? sandbox.output(units * Size.StatisticsDoubles * 8) : 0;

  const words = new Map<Word, number>([
    ...schemeOf(rules, shape, scaleStride),
    [Word.Op, shape.op],
    [Word.Mode, mode],
    [Word.Source, source],
    [Word.Values, values],
    [Word.Codes, codes],
    [Word.Scale, scale],
    [Word.ZeroPoint, zero],
    [Word.RangeLow, low],
    [Word.RangeHigh, high],
    [Word.Statistics, statistics],
    [Word.High, rules.withoutZero ? -0x00800000 : 0],
    [Word.Low, rules.withoutZero ? 0x7f800000 : -0x80000000],
  ]);
  const descriptors = dispatch(sandbox, words, units, source, work.cuts ?? 1);

  const codeBytes = sandbox.read(codes, mode === Mode.Range ? 0 : codeLength);
  const scaleBytes = sandbox.read(scale, shape.block || mode === Mode.Range ? 0 : parameters * scaleSize);
  const scales = scaleSize === 4 ? new Float32Array(scaleBytes.buffer) : new Float32Array();
  const zeros = new INTEGERS[rules.zeroPointStorage](sandbox.read(zero, zero === 0 ? 0 : zeroLength).buffer);
  const badWords = descriptors.map((at) => [sandbox.word(at, Word.BadCount), sandbox.word(at, Word.BadFirst)] as const);
  const hasRange = mode === Mode.Range && shape.op !== Op.Tensor;
  return {
    codes: new INTEGERS[rules.storage](codeBytes.buffer) as Outcome['codes'],
    codeBytes,
    scales,
    scaleBytes,
    zeros: Int32Array.from(zeros),
    lows: hasRange
      ? new Float32Array(sandbox.read(low, rangeBytes).buffer)
      : tensorEnds(sandbox, descriptors, Word.Low),
    highs: hasRange
      ? new Float32Array(sandbox.read(high, rangeBytes).buffer)
      : tensorEnds(sandbox, descriptors, Word.High),
    statistics: new Float64Array(sandbox.read(statistics, work.statistics ? units * 80 : 0).buffer),
    values: new Float32Array(sandbox.read(values, mode === Mode.Dequantize ? elements * 4 : 0).buffer),
    badCount: badWords.reduce((sum, [count]) => sum + count, 0),
    badFirst: Math.min(...badWords.map(([, first]) => first >>> 0)),
  };
}

/** Cuts the units into descriptors of a ring and executes them; a barrier's range pass wraps around the ring's end. */
function dispatch(sandbox: Sandbox, words: Map<Word, number>, units: number, source: Source, cuts: number): number[] {
  const parts = Math.max(1, Math.min(cuts, units));
  const isBarrier = source === Source.Barrier;
  const size = isBarrier ? 2 * parts + 1 : parts;
  const base = sandbox.descriptors(size);
  const first = isBarrier ? size - 1 : 0;
  const all: number[] = [];
  for (let k = 0; k < (isBarrier ? 2 * parts : parts); k++) {
    const at = base + ((first + k) % size) * Size.Descriptor;
    sandbox.fill(at, words);
    const part = k % parts;
    sandbox.fill(
      at,
      new Map([
        [Word.First, Math.floor((units * part) / parts)],
        [Word.Last, Math.floor((units * (part + 1)) / parts)],
        [Word.BarrierFirst, first],
        [Word.BarrierCount, isBarrier ? parts : 0],
        [Word.RingBase, base],
        [Word.RingCount, size],
      ]),
    );
    if (isBarrier && k < parts)
      sandbox.fill(
        at,
        new Map<Word, number>([
          [Word.Mode, Mode.Range],
          [Word.Source, Source.Data],
        ]),
      );
    all.push(at);
  }
  sandbox.run(...all);
  return all;
}

/** Words of integers whose parameters are no powers of two. */
const WORDS: readonly (readonly [Word, number])[] = [
  [Word.Step, bitsOf(1)],
  [Word.TopHalf, bitsOf(0.5)],
  [Word.MostMultiplier, bitsOf(Number.POSITIVE_INFINITY)],
];

function schemeOf(rules: Rules, shape: Shape, scaleStride: number): [Word, number][] {
  const zeroScale = new Int32Array(Float64Array.of(rules.zeroScale).buffer);
  return [
    [Word.Length, shape.length],
    [Word.Group, shape.group ?? 0],
    [Word.Count, shape.count ?? 0],
    [Word.Parts, shape.parts ?? 0],
    [Word.Inner, shape.inner ?? 0],
    [Word.Dtype, rules.dtype],
    [Word.Storage, rules.storage],
    [Word.Apply, rules.apply],
    [Word.Rounding, rules.rounding],
    [Word.ScaleForm, rules.scaleForm],
    [Word.Divisor, bitsOf(rules.divisor)],
    [Word.Symmetric, rules.symmetric ? 1 : 0],
    [Word.FloorOn, rules.floorOn],
    [Word.Floor, bitsOf(rules.floor)],
    [Word.ZeroTest, rules.zeroTest],
    [Word.ZeroScale, zeroScale[0]!],
    [Word.ZeroScale + 1, zeroScale[1]!],
    [Word.ZeroZero, rules.zeroZero ?? -2147483648],
    [Word.ZeroMultiplier, bitsOf(rules.zeroMultiplier)],
    [Word.ZeroPointRule, rules.zeroPointRule],
    [Word.ZeroRounding, rules.zeroRounding],
    [Word.LowZero, (rules.zeroCodes ?? rules.codes)[0]],
    [Word.HighZero, (rules.zeroCodes ?? rules.codes)[1]],
    [Word.Added, rules.added],
    [Word.Arithmetic, rules.arithmetic],
    [Word.WithoutZero, rules.withoutZero ? 1 : 0],
    [Word.LowCode, rules.codes[0]],
    [Word.HighCode, rules.codes[1]],
    [Word.NonFinite, rules.nonFinite],
    [Word.NanCode, rules.nanCode],
    [Word.NanPoisons, rules.poisons ? 1 : 0],
    [Word.Format, shape.format ?? 0],
    [Word.CodeStride, shape.block?.[0] ?? 0],
    [Word.CodeOffset, shape.block?.[1] ?? 0],
    [Word.ScaleType, rules.scaleType],
    [Word.ScaleStride, scaleStride],
    [Word.ZeroPointStorage, rules.zeroPointStorage],
    ...WORDS,
    ...rules.more,
  ] as [Word, number][];
}

function tensorEnds(sandbox: Sandbox, descriptors: readonly number[], word: Word): Float32Array {
  return new Float32Array(Int32Array.from(descriptors, (at) => sandbox.word(at, word)).buffer);
}

function repeat<T>(items: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, i) => items[i % items.length]!);
}

function scalesOf(rules: Rules, scales: readonly number[]): Uint8Array {
  if (rules.scaleType === ScaleType.Float64) return new Uint8Array(Float64Array.from(scales).buffer);
  // Any byte is a scale: the lowest of the bits will do.
  if (SCALE_BYTES[rules.scaleType] === 1)
    return Uint8Array.from(scales, (scale) => bitsOf(scale) ^ (bitsOf(scale) >> 20));
  return contentOf(rules.scaleType === ScaleType.Float32 ? Dtype.Float32 : Dtype.Float16, scales);
}

function integersOf(rules: Rules, zeros: readonly number[]): Uint8Array {
  return new Uint8Array(INTEGERS[rules.zeroPointStorage].from(zeros).buffer);
}
