import fc from 'fast-check';
import { CODE_FACTS } from '../../src/scheme/code-dtypes.js';
import {
  Added,
  Apply,
  Arithmetic,
  Dtype,
  Element,
  Mode,
  NonFinite,
  Op,
  PowerRule,
  Quantity,
  Rounding,
  ScaleForm,
  ScaleType,
  Source,
  Storage,
  ZeroPointRule,
} from '../../src/scheme/codes.js';
import { Word } from '../../src/scheme/descriptor.js';
import { randomOf } from '../support/families.js';
import { bitsOf, contentOf, contentOfBits, type Given, type Rules, type Shape, sizesOf, type Work } from './work.js';

export { randomOf };

/** Bits of float32 values at the edges: zeros, subnormals, largest finite, infinities, NaN with and without payload. */
export const EDGES32 = [
  0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x3f800000,
  0xbf800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xff812345,
  0x7fffffff, 0xffffffff,
];
const EDGES16 = [
  0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0400, 0x8400, 0x3c00, 0xbc00, 0x7bff, 0xfbff, 0x7c00, 0xfc00,
  0x7e00, 0xfe00, 0x7c01, 0xfd23, 0x7fff, 0xffff,
];

/** Bits at the edges of each input type. */
export const EDGES = {
  [Dtype.Float32]: EDGES32,
  [Dtype.Float16]: EDGES16,
  [Dtype.Bfloat16]: EDGES32.map((bits) => (bits >>> 16) | (bits & 0x7fff ? 1 : 0)),
};

export const DTYPES = [Dtype.Float32, Dtype.Float16, Dtype.Bfloat16] as const;

/** Code ranges: of each type the whole one and a restricted one. */
export const CODES: readonly (readonly [Storage, number, number])[] = [
  [Storage.Int8, -128, 127],
  [Storage.Int8, -127, 127],
  [Storage.Int8, 0, 127],
  [Storage.Uint8, 0, 255],
  [Storage.Uint8, 0, 15],
  [Storage.Int16, -32768, 32767],
  [Storage.Int16, -32767, 32767],
  [Storage.Int16, -500, 3],
  [Storage.Uint16, 0, 65535],
  [Storage.Uint16, 0, 1000],
];

/** Ways to fill a tensor. */
export const FILLS = ['normal', 'bits', 'rare', 'zeros', 'equal', 'ties', 'subnormal', 'wide', 'edges'] as const;
export type Fill = (typeof FILLS)[number];

/** `count` values as they lie in memory. */
export function fill(kind: Fill, dtype: Dtype, count: number, seed: number): Uint8Array {
  const random = randomOf(seed);
  const array = (next: () => number) => Float64Array.from({ length: count }, next);
  const edges = EDGES[dtype];
  const edge = () => edges[Math.floor(random() * edges.length)]!;
  const bits = () => Math.floor(random() * (dtype === Dtype.Float32 ? 2 ** 32 : 2 ** 16));
  if (kind === 'bits') return contentOfBits(dtype, array(bits));
  if (kind === 'edges') return contentOfBits(dtype, array(edge));
  if (kind === 'rare') {
    const content = fill('normal', dtype, count, seed);
    const size = content.length / Math.max(1, count);
    for (let i = 0; i < count; i++) if (random() < 0.04) content.set(contentOfBits(dtype, [edge()]), i * size);
    return content;
  }
  const one = (random() - 0.5) * 10;
  const numbers: Record<Exclude<Fill, 'bits' | 'edges' | 'rare'>, () => number> = {
    normal: () => (random() + random() + random() - 1.4) * 3,
    zeros: () => (random() < 0.5 ? 0 : -0),
    equal: () => one,
    ties: () => Math.round((random() - 0.5) * 508) / 2,
    subnormal: () => (random() - 0.5) * (dtype === Dtype.Float16 ? 2 ** -13 : 2 ** -125),
    wide: () =>
      (random() - 0.5) * 2 ** (random() * (dtype === Dtype.Float16 ? 38 : 250) - (dtype === Dtype.Float16 ? 23 : 123)),
  };
  return contentOf(dtype, array(numbers[kind]));
}

const zeroScales = [0, 1, 2 ** -23, 0.1];

/** Any scheme that makes sense. */
export const rules: fc.Arbitrary<Rules> = fc
  .record({
    dtype: fc.constantFrom(...DTYPES),
    codes: fc.constantFrom(...CODES),
    apply: fc.constantFrom(Apply.Divide, Apply.Reciprocal, Apply.Direct),
    rounding: fc.constantFrom(Rounding.HalfEven, Rounding.HalfAway, Rounding.Truncate),
    added: fc.constantFrom(Added.After, Added.After, Added.Before, Added.BeforeWide),
    arithmetic: fc.constantFrom(Arithmetic.Float32, Arithmetic.Float32, Arithmetic.Float64, Arithmetic.Mixed),
    withoutZero: fc.constantFrom(false, false, true),
    zeroRounding: fc.constantFrom(Rounding.HalfEven, Rounding.HalfAway),
    zeroZero: fc.constantFrom(null, 0, 5),
    scaleForm: fc.constantFrom(ScaleForm.Divide, ScaleForm.Reciprocal, ScaleForm.Inverse),
    divisor: fc.constantFrom(1, 7, 15, 127, 127.5, 128, 255, 32767, 65535, 65536, 2 ** -20, 0.3),
    rule: fc.constantFrom(
      ZeroPointRule.None,
      ZeroPointRule.RoundLast,
      ZeroPointRule.SignTest,
      ZeroPointRule.RoundFirst,
      ZeroPointRule.SignTestQuotient,
      ZeroPointRule.NearestSum,
      ZeroPointRule.NearestDifference,
    ),
    floorOn: fc.constantFrom(Quantity.None, Quantity.Extent, Quantity.Scale, Quantity.ScaleAndRange),
    floor: fc.constantFrom(2 ** -23, 1e-10, 1e-4, 2, 1e-40),
    zeroTest: fc.constantFrom(Quantity.None, Quantity.Extent, Quantity.Scale, Quantity.Reciprocal),
    zeroScale: fc.constantFrom(...zeroScales),
    zeroMultiplier: fc.constantFrom(...zeroScales),
    nonFinite: fc.constantFrom(NonFinite.Error, NonFinite.Saturate, NonFinite.Propagate),
    nan: fc.double({ min: 0, max: 1, noNaN: true }),
    poisons: fc.boolean(),
    scaleType: fc.constantFrom(ScaleType.Float32, ScaleType.Float16, ScaleType.Float64),
    wideZero: fc.boolean(),
    halves: fc.boolean(),
  })
  .map(({ codes: [storage, low, high], rule, nan, wideZero, halves, ...rest }) => ({
    ...rest,
    zeroCodes: halves ? ([Math.trunc(low / 2), Math.trunc(high / 2)] as const) : null,
    storage,
    codes: [low, high] as const,
    symmetric: rule === ZeroPointRule.None,
    zeroPointRule: rule === ZeroPointRule.SignTest && rest.apply === Apply.Divide ? ZeroPointRule.RoundLast : rule,
    nanCode: low + Math.floor(nan * (high - low)),
    zeroPointStorage: wideZero ? Storage.Int32 : storage,
    more: [],
  }));

const FLOATS = Object.values(CODE_FACTS).filter(({ float }) => float !== undefined);
const singles = [Apply.Divide, Apply.Reciprocal, Apply.Direct] as const;
const symmetric = {
  symmetric: true,
  zeroPointRule: ZeroPointRule.None,
  arithmetic: Arithmetic.Float32,
  added: Added.After,
  withoutZero: false,
};

/** Schemes whose codes are small floats or places in a table. */
const elements: fc.Arbitrary<Rules> = fc
  .record({
    rules,
    facts: fc.constantFrom(...FLOATS, CODE_FACTS.nf4, CODE_FACTS.fp4),
    apply: fc.constantFrom(...singles),
    ragged: fc.boolean(),
  })
  .map(({ rules, facts: { element, float }, apply, ragged }) => ({
    ...rules,
    ...symmetric,
    apply,
    storage: Storage.Uint8,
    zeroPointStorage: Storage.Uint8,
    codes: [9, 7] as const,
    nanCode: 5,
    more: [
      [Word.Element, element],
      [Word.RaggedDivides, ragged ? 1 : 0],
      [Word.TopHalf, bitsOf(2)],
      ...(float === undefined
        ? []
        : ([
            [Word.Mantissa, float.mantissa],
            [Word.Bias, float.bias],
            [Word.SignBit, 1 << (float.exponent + float.mantissa)],
            [Word.Most, bitsOf(float.max)],
            [Word.Special, float.special],
            [Word.HasInfinity, float.hasInfinity ? 1 : 0],
            [Word.UnsignedZero, float.isUnsignedZero ? 1 : 0],
          ] as const)),
    ],
  }));

/** Schemes with codes from a minimum. */
const offsets: fc.Arbitrary<Rules> = fc
  .record({
    rules,
    apply: fc.constantFrom(Apply.Divide, Apply.Unit),
    rounding: fc.constantFrom(Rounding.Floor, Rounding.Truncate, Rounding.HalfAway, Rounding.HalfEven),
    codes: fc.constantFrom([Storage.Int8, -128, 127], [Storage.Uint8, 0, 255], [Storage.Uint8, 0, 127] as const),
  })
  .map(({ rules, apply, rounding, codes: [storage, low, high] }) => ({
    ...rules,
    ...symmetric,
    symmetric: false,
    withoutZero: true,
    zeroPointRule: ZeroPointRule.Minimum,
    zeroPointStorage: Storage.Float32,
    apply,
    rounding,
    storage: apply === Apply.Unit ? Storage.Uint8 : (storage as Storage),
    codes: apply === Apply.Unit ? ([0, 255] as const) : ([low, high] as const),
    zeroCodes: null,
    nanCode: Math.max(low, 0),
  }));

/** Schemes whose scales are powers of two, are used as they are stored, or have a largest multiplier. */
const scaled: fc.Arbitrary<Rules> = fc
  .record({
    rules: fc.oneof(rules, elements),
    power: fc.constantFrom(
      PowerRule.None,
      PowerRule.ExtentFloor,
      PowerRule.ExtentEven,
      PowerRule.ExtentCeil,
      PowerRule.ScaleCeil,
      PowerRule.MultiplierFloor,
    ),
    base: fc.integer({ min: -2, max: 15 }),
    step: fc.constantFrom(1, 1 / 64),
    most: fc.constantFrom(1e38, 1000, Number.POSITIVE_INFINITY),
    apply: fc.constantFrom(...singles),
    stored: fc.boolean(),
    small: fc.constantFrom(ScaleType.Float32, ScaleType.Float16, ScaleType.E4m3),
  })
  .map(({ rules, power, base, step, most, apply, stored, small }) => {
    const isPower = power !== PowerRule.None;
    const isFixed = isPower && power !== PowerRule.MultiplierFloor;
    return {
      ...rules,
      ...symmetric,
      apply: isPower ? Apply.Reciprocal : apply,
      scaleForm: power === PowerRule.MultiplierFloor ? ScaleForm.Inverse : rules.scaleForm,
      divisor: isFixed ? 2 ** base : rules.divisor,
      zeroTest: isPower ? Quantity.None : rules.zeroTest,
      scaleType: isFixed ? (stored ? ScaleType.E8m0 : ScaleType.Float32) : small,
      more: [
        ...rules.more,
        [Word.PowerRule, power],
        [Word.PowerBase, base],
        [Word.Step, bitsOf(isFixed ? step : 1)],
        [Word.MostMultiplier, bitsOf(most)],
        [Word.UsesStored, stored ? 1 : 0],
      ] as const,
    };
  });

/** Integers rounded by chance, or divided in float16. */
const others: fc.Arbitrary<Rules> = fc
  .record({ rules, seed: fc.integer(), halves: fc.boolean() })
  .map(({ rules, seed, halves }) => ({
    ...rules,
    added: Added.After,
    ...(halves
      ? { apply: Apply.DivideHalf, zeroPointRule: rules.symmetric ? ZeroPointRule.None : ZeroPointRule.RoundLast }
      : { rounding: Rounding.Stochastic }),
    more: [[Word.Seed, seed]] as const,
  }));

/** Schemes of every kind. */
export const allRules: fc.Arbitrary<Rules> = fc.oneof(
  { weight: 3, arbitrary: rules },
  elements,
  offsets,
  scaled,
  others,
);

const small = (max: number) => fc.integer({ min: 1, max });

/** Shapes of rows in planar blocks. */
export const segments: fc.Arbitrary<Shape> = fc
  .record({ rows: small(4), length: fc.integer({ min: 0, max: 200 }), group: small(80) })
  .map((shape) => ({ op: Op.Segments, ...shape }));

/** Shapes of channels in several runs. */
export const channels: fc.Arbitrary<Shape> = fc
  .record({ count: small(5), parts: small(4), length: fc.integer({ min: 1, max: 70 }) })
  .map((shape) => ({ op: Op.Channels, ...shape }));

/** Shapes with a parameter a column. */
export const columns: fc.Arbitrary<Shape> = fc
  .record({ rows: small(3), length: small(20), group: small(12), inner: small(70) })
  .map((shape) => ({ op: Op.Columns, ...shape }));

/** Shapes with one parameter, of one tile. */
export const tensors: fc.Arbitrary<Shape> = fc
  .integer({ min: 0, max: 300 })
  .map((length) => ({ op: Op.Tensor, length }));

const scale = fc.oneof(
  fc.constantFrom(1, 0.01, 1e-6, 1e-30, 1e-45, 0, -0, -0.02, 3e38, Number.POSITIVE_INFINITY, Number.NaN),
  fc.float({ noNaN: true }),
);
const end = fc.oneof(fc.constantFrom(0, -0, 1, -1, 100, -3e38, 3e38, Infinity, -Infinity, Number.NaN), fc.float());

/** Any work on a tensor of such a shape. */
export function workOf(shapes: fc.Arbitrary<Shape>): fc.Arbitrary<Work> {
  return fc
    .record({
      rules: allRules,
      shape: shapes,
      mode: fc.constantFrom(Mode.Quantize, Mode.Quantize, Mode.Quantize, Mode.Range, Mode.Dequantize),
      source: fc.constantFrom(Source.Data, Source.Data, Source.Range, Source.Given, Source.Barrier),
      fill: fc.constantFrom(...FILLS),
      seed: fc.nat(),
      scales: fc.array(scale, { minLength: 1, maxLength: 20 }),
      zeros: fc.option(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 })),
      ends: fc.array(fc.tuple(end, end), { minLength: 1, maxLength: 20 }),
      statistics: fc.boolean(),
      misalign: fc.nat({ max: 15 }),
      cuts: small(4),
    })
    .map(({ rules, shape, mode, source, fill: kind, seed, scales, zeros, ends, ...rest }) => {
      const given: Given = {
        scales,
        lows: ends.map(([low]) => low),
        highs: ends.map(([, high]) => high),
        ...(zeros === null ? {} : { zeros: zeros.map((part) => zeroPointOf(rules, part)) }),
      };
      const isTensor = shape.op === Op.Tensor;
      const isPlain = mode !== Mode.Quantize || (source === Source.Barrier && !isTensor);
      return {
        ...rest,
        // A range of the values alone is one of at least one value.
        rules: shape.length === 0 ? { ...rules, withoutZero: false } : rules,
        shape,
        mode,
        source: isPlain ? Source.Data : source,
        given,
        content:
          mode === Mode.Dequantize
            ? codesOf(rules, shape, seed)
            : fill(kind, rules.dtype, sizesOf(shape).elements, seed),
        // Without a barrier, a tensor's range is of one descriptor.
        cuts: isTensor && source === Source.Data ? 1 : rest.cuts,
      };
    });
}

/** A zero point within its type; for the wide type somewhat beyond the codes. */
function zeroPointOf({ zeroPointStorage, codes: [low, high] }: Rules, part: number): number {
  if (zeroPointStorage === Storage.Float32) return (part - 0.5) * 20;
  if (zeroPointStorage === Storage.Int32) return Math.floor((part - 0.5) * 2 ** 21);
  return low + Math.floor(part * (high - low));
}

/** Codes to dequantize, of all bits. */
function codesOf(rules: Rules, shape: Shape, seed: number): Uint8Array {
  const random = randomOf(seed);
  const bytes = sizesOf(shape).elements * (rules.storage <= Storage.Uint8 ? 1 : 2);
  // A code of a table is one of its places.
  const isTable = rules.more.some(([word, value]) => word === Word.Element && value >= Element.Nf4);
  return Uint8Array.from({ length: bytes }, () => random() * (isTable ? 16 : 256));
}
