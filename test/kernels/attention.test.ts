/** Attention from stored codes: SIMD and scalar give the same bytes, and these are what the equations say. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exponential } from '#src/kernels/reference/kv/softmax.js';
import { CacheCode, SegmentWord, TableWord } from '../../src/scheme/attention.js';
import { Dtype, Op } from '../../src/scheme/codes.js';
import { Word } from '../../src/scheme/descriptor.js';
import { FILLS, fill, randomOf } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { bitsOf, contentOf } from './work.js';

const sandbox = new Sandbox();

const CODES = [
  CacheCode.Float32,
  CacheCode.Int8,
  CacheCode.Uint8,
  CacheCode.Int4,
  CacheCode.Uint4,
  CacheCode.Int2,
  CacheCode.Uint2,
  CacheCode.Float8,
] as const;
const BITS: Readonly<Record<CacheCode, number>> = { 0: 32, 1: 8, 2: 8, 3: 4, 4: 4, 5: 2, 6: 2, 7: 8 };

/** Keys or values of a segment. */
interface Stored {
  readonly code: CacheCode;
  readonly isAffine: boolean;
  readonly isByChannel: boolean;
}

interface Part {
  readonly tokens: number;
  /** Rows that lie behind the tokens of each head and are not read. */
  readonly spare: number;
  readonly keys: Stored;
  readonly values: Stored;
}

interface Work {
  readonly heads: number;
  readonly group: number;
  readonly headDim: number;
  readonly parts: readonly Part[];
  readonly fill: (typeof FILLS)[number];
  readonly seed: number;
  readonly misalign: number;
}

/** A segment in memory, and what it stands for: `[heads][tokens][headDim]`. */
interface Laid {
  readonly words: readonly (readonly [SegmentWord, number])[];
  readonly keys: number[][][];
  readonly values: number[][][];
}

/** Any values under `seed`, or such as fit arithmetic for `fill` 'normal'. */
const floats = (work: Work, count: number, seed: number): Float32Array =>
  new Float32Array(fill(work.fill, Dtype.Float32, count, seed).buffer);

/** Eight-bit floats by their definition; the code of NaN is not used. */
function float8(code: number): number {
  const exponent = (code >> 3) & 15;
  const size = exponent === 0 ? (code & 7) * 2 ** -9 : (8 + (code & 7)) * 2 ** (exponent - 10);
  return code & 128 ? -size : size;
}

/** What a code of so many bits stands for. */
function numberOf(code: CacheCode, raw: number): number {
  if (code === CacheCode.Float8) return float8(raw);
  const isSigned = code === CacheCode.Int8 || code === CacheCode.Int4 || code === CacheCode.Int2;
  return isSigned && raw >= 2 ** (BITS[code] - 1) ? raw - 2 ** BITS[code] : raw;
}

function lay(work: Work, part: Part, stored: Stored, seed: number) {
  const { heads, headDim, misalign } = work;
  const capacity = part.tokens + part.spare;
  const count = heads * capacity * headDim;
  const random = randomOf(seed);
  const { code, isAffine, isByChannel } = stored;
  if (code === CacheCode.Float32) {
    const all = floats(work, count, seed);
    const rows = rowsOf(work, part, (index) => all[index]!);
    const bytes = new Uint8Array(all.buffer, all.byteOffset, all.byteLength);
    return { code, codes: sandbox.input(bytes, misalign * 4), scale: 0, minimum: 0, rows };
  }
  const bytes = Uint8Array.from({ length: (count * BITS[code]) / 8 }, () => {
    const byte = Math.floor(random() * 256);
    return code === CacheCode.Float8 && (byte & 0x7f) === 0x7f ? byte & 0x80 : byte;
  });
  const parameters = isByChannel ? heads * headDim : heads * capacity;
  // So that products of codes are of the size of the values.
  const most = code === CacheCode.Float8 ? 448 : 2 ** (BITS[code] - 1);
  const scale = floats(work, parameters, seed + 1).map((x) => Math.abs(x) / most);
  const minimum = floats(work, parameters, seed + 2);
  const parameterOf = (index: number) =>
    isByChannel ? Math.floor(index / (capacity * headDim)) * headDim + (index % headDim) : Math.floor(index / headDim);
  const rows = rowsOf(work, part, (index) => {
    const bit = index * BITS[code];
    const raw = (bytes[bit >> 3]! >> (bit & 7)) & (2 ** BITS[code] - 1);
    const at = parameterOf(index);
    return numberOf(code, raw) * scale[at]! + (isAffine ? minimum[at]! : 0);
  });
  return {
    code,
    codes: sandbox.input(bytes, misalign),
    scale: sandbox.input(contentOf(Dtype.Float32, scale), misalign * 4),
    minimum: isAffine ? sandbox.input(contentOf(Dtype.Float32, minimum), misalign * 4) : 0,
    rows,
  };
}

function rowsOf({ heads, headDim }: Work, { tokens, spare }: Part, valueAt: (index: number) => number): number[][][] {
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: tokens }, (_, t) =>
      Array.from({ length: headDim }, (_, c) => valueAt((head * (tokens + spare) + t) * headDim + c)),
    ),
  );
}

function layPart(work: Work, part: Part, seed: number): Laid {
  const keys = lay(work, part, part.keys, seed);
  const values = lay(work, part, part.values, seed + 10);
  const words = [
    [SegmentWord.Tokens, part.tokens],
    [SegmentWord.Capacity, part.tokens + part.spare],
    [SegmentWord.KeyCode, keys.code],
    [SegmentWord.Keys, keys.codes],
    [SegmentWord.KeyScale, keys.scale],
    [SegmentWord.KeyMinimum, keys.minimum],
    [SegmentWord.KeyByChannel, part.keys.isByChannel ? 1 : 0],
    [SegmentWord.ValueCode, values.code],
    [SegmentWord.Values, values.codes],
    [SegmentWord.ValueScale, values.scale],
    [SegmentWord.ValueMinimum, values.minimum],
  ] as const;
  return { words, keys: keys.rows, values: values.rows };
}

/** What both kernels give, all heads at once and again head by head; and the same by the definition, in float64. */
function perform(work: Work): { found: Float32Array; expected: Float64Array } {
  const { heads, group, headDim, misalign } = work;
  sandbox.clear();
  const laid = work.parts.map((part, index) => layPart(work, part, work.seed + index * 100));
  const tokens = work.parts.reduce((sum, part) => sum + part.tokens, 0);
  const stride = Math.ceil(tokens / 4) * 4;
  const queries = floats(work, heads * group * headDim, work.seed + 50);
  const factor = Math.fround(1 / Math.sqrt(headDim));
  const words = new Int32Array(TableWord.Words + laid.length * SegmentWord.Words);
  words[TableWord.Segments] = laid.length;
  words[TableWord.Tokens] = tokens;
  words[TableWord.Factor] = bitsOf(factor);
  words[TableWord.Scores] = sandbox.scratch(group * stride * 4);
  words[TableWord.Stride] = stride;
  words[TableWord.Folded] = sandbox.scratch(headDim * 16);
  words[TableWord.Weights] = sandbox.scratch(
    Math.max(...work.parts.map((part) => Math.ceil(part.tokens / 8) * 8)) * 16,
  );
  words[TableWord.Sums] = sandbox.scratch(group * 12);
  words[TableWord.Sixteens] = sandbox.scratch(group * headDim * 4);
  for (const [index, { words: pairs }] of laid.entries()) {
    for (const [word, value] of pairs) words[TableWord.Words + index * SegmentWord.Words + word] = value;
  }
  const table = sandbox.input(new Uint8Array(words.buffer));
  const values = sandbox.input(contentOf(Dtype.Float32, queries), misalign * 4);
  const size = queries.length * 4;
  const results = [1, heads].map((parts) => {
    const codes = sandbox.output(size, misalign * 4);
    const descriptors = Array.from({ length: parts }, (_, part) => {
      const at = sandbox.descriptors(1);
      const pairs: [Word, number][] = [
        [Word.Op, Op.Attend],
        [Word.First, parts === 1 ? 0 : part],
        [Word.Last, parts === 1 ? heads : part + 1],
        [Word.Values, values],
        [Word.Codes, codes],
        [Word.Scale, table],
        [Word.Length, headDim],
        [Word.Group, group],
      ];
      sandbox.fill(at, new Map(pairs));
      return at;
    });
    sandbox.run(...descriptors);
    return sandbox.read(codes, size);
  });
  expect(Buffer.compare(results[0]!, results[1]!)).toBe(0);
  return { found: new Float32Array(results[0]!.buffer), expected: define(work, laid, queries, factor) };
}

function define({ heads, group, headDim }: Work, laid: readonly Laid[], queries: Float32Array, factor: number) {
  const result = new Float64Array(queries.length);
  for (let head = 0; head < heads; head++) {
    const keys = laid.flatMap((part) => part.keys[head]!);
    const values = laid.flatMap((part) => part.values[head]!);
    for (let g = 0; g < group; g++) {
      const at = (head * group + g) * headDim;
      const scores = keys.map((key) => key.reduce((sum, k, c) => sum + k * queries[at + c]!, 0) * factor);
      const most = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - most));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let c = 0; c < headDim; c++) {
        result[at + c] = values.reduce((sum, row, t) => sum + weights[t]! * row[c]!, 0) / total;
      }
    }
  }
  return result;
}

const storedOf = (isByChannel: fc.Arbitrary<boolean>) =>
  fc.record({ code: fc.constantFrom(...CODES), isAffine: fc.boolean(), isByChannel });

const works = fc.record({
  heads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  headDim: fc.integer({ min: 1, max: 5 }).map((count) => count * 16),
  parts: fc.array(
    fc.record({
      tokens: fc.integer({ min: 1, max: 21 }),
      spare: fc.integer({ min: 0, max: 3 }),
      keys: storedOf(fc.boolean()),
      values: storedOf(fc.constant(false)),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  fill: fc.constantFrom(...FILLS),
  seed: fc.integer({ min: 1, max: 1e6 }),
  misalign: fc.integer({ min: 0, max: 15 }),
});

test('SIMD and scalar give the same bytes for any segments and any values', () => {
  fc.assert(
    fc.property(works, (work) => void perform(work)),
    { numRuns: 600 },
  );
});

describe.each(CODES)('code %i', (code) => {
  const base = { heads: 2, group: 2, headDim: 32, fill: 'normal', misalign: 1 } as const;
  const stored = { isAffine: false, isByChannel: false };

  test.each([
    ['rows, symmetric', false, false],
    ['rows, affine', true, false],
    ['channels, symmetric', false, true],
    ['channels, affine', true, true],
  ])('%s: what the equations say', (_name, isAffine, isByChannel) => {
    for (let tokens = 1; tokens <= 19; tokens++) {
      const keys = { code, isAffine, isByChannel };
      const values = { code, isAffine, isByChannel: false };
      const first = { tokens, spare: tokens % 3, keys, values };
      const other = { ...stored, code: CacheCode.Float32 };
      const second = { tokens: 3, spare: 0, keys: other, values: other };
      const { found, expected } = perform({ ...base, seed: tokens, parts: [first, second] });
      const most = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
      for (const [at, x] of found.entries()) expect(Math.abs(x - expected[at]!)).toBeLessThan(1e-4 * (1 + most));
    }
  });
});

describe('sums of integers stay below 2^31', () => {
  test.each([
    ['uint8', CacheCode.Uint8, 255, 255],
    ['int8', CacheCode.Int8, 0x80, -128],
    ['uint4', CacheCode.Uint4, 255, 15],
  ])('%s: the largest codes, heads of 256 and 1,024 values, 255 and 256 tokens', (_name, code, byte, value) => {
    for (const [headDim, tokens] of [
      [256, 256],
      [1024, 255],
    ] as const) {
      sandbox.clear();
      const bytes = new Uint8Array((tokens * headDim * BITS[code]) / 8).fill(byte);
      const ones = (count: number, x: number) => sandbox.input(contentOf(Dtype.Float32, new Array(count).fill(x)));
      const codes = sandbox.input(bytes);
      const scale = ones(tokens, 1e-3);
      const words = new Int32Array(TableWord.Words + SegmentWord.Words);
      words[TableWord.Segments] = 1;
      words[TableWord.Tokens] = tokens;
      words[TableWord.Factor] = bitsOf(1);
      words[TableWord.Stride] = 256;
      words[TableWord.Scores] = sandbox.scratch(1024);
      words[TableWord.Folded] = sandbox.scratch(headDim * 16);
      words[TableWord.Weights] = sandbox.scratch(256 * 16);
      words[TableWord.Sums] = sandbox.scratch(12);
      words[TableWord.Sixteens] = sandbox.scratch(headDim * 4);
      for (const [word, x] of [
        [SegmentWord.Tokens, tokens],
        [SegmentWord.Capacity, tokens],
        [SegmentWord.KeyCode, code],
        [SegmentWord.Keys, codes],
        [SegmentWord.KeyScale, scale],
        [SegmentWord.ValueCode, code],
        [SegmentWord.Values, codes],
        [SegmentWord.ValueScale, scale],
      ] as const) {
        words[TableWord.Words + word] = x;
      }
      const result = sandbox.output(headDim * 4);
      const at = sandbox.descriptors(1);
      const pairs: [Word, number][] = [
        [Word.Op, Op.Attend],
        [Word.Last, 1],
        [Word.Values, ones(headDim, 1)],
        [Word.Codes, result],
        [Word.Scale, sandbox.input(new Uint8Array(words.buffer))],
        [Word.Length, headDim],
        [Word.Group, 1],
      ];
      sandbox.fill(at, new Map(pairs));
      sandbox.run(at);
      // Every token has the same value and the same weight.
      const found = new Float32Array(sandbox.read(result, headDim * 4).buffer);
      for (const x of found) expect(Math.abs(x / (value * 1e-3) - 1)).toBeLessThan(1e-5);
    }
  });

  test('heads of more than 256 values attend as the definition says', () => {
    const stored = { code: CacheCode.Int8, isAffine: true, isByChannel: false };
    const parts = [{ tokens: 5, spare: 0, keys: stored, values: stored }];
    const work: Work = { heads: 1, group: 3, headDim: 528, parts, fill: 'normal', seed: 3, misalign: 2 };
    const { found, expected } = perform(work);
    const most = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    for (const [at, x] of found.entries()) expect(Math.abs(x - expected[at]!)).toBeLessThan(1e-3 * (1 + most));
  });
});

test('one token gives its values', () => {
  const float = { code: CacheCode.Float32, isAffine: false, isByChannel: false };
  const parts = [{ tokens: 1, spare: 0, keys: float, values: float }];
  const work: Work = { heads: 2, group: 1, headDim: 16, parts, fill: 'normal', seed: 7, misalign: 0 };
  const { found, expected } = perform(work);
  expect([...found]).toEqual([...expected]);
});

test('the exponential is within 2 parts in ten million, and 0 below −87', () => {
  let worst = 0;
  for (let x = 0; x >= -87; x -= 0.00917) {
    const exact = Math.exp(Math.fround(x));
    worst = Math.max(worst, Math.abs(exponential(Math.fround(x)) - exact) / exact);
  }
  expect(worst).toBeLessThan(2e-7);
  expect(exponential(0)).toBe(1);
  expect(exponential(Math.fround(-87.00001))).toBe(0);
  expect(exponential(Number.NEGATIVE_INFINITY)).toBe(0);
  expect(exponential(Number.NaN)).toBeNaN();
});
