/** Transforms: SIMD and scalar give the same bytes, and the results are those of the definitions. */
import { describe, expect, test } from 'vitest';
import { Dtype, Op } from '../../src/scheme/codes.js';
import { Size, Word } from '../../src/scheme/descriptor.js';
import { DTYPES, FILLS, fill } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { contentOf, contentOfBits } from './work.js';

const sandbox = new Sandbox();

/** The words of a transform, and how its work is cut. */
interface Work {
  readonly op: Op;
  readonly dtype: Dtype;
  readonly content: Uint8Array;
  readonly units: number;
  readonly words: readonly (readonly [Word, number])[];
  readonly scales?: readonly number[];
  readonly misalign?: number;
}

/** What both kernels give for the work, in one descriptor and again in one for each unit. */
function perform({ op, dtype, content, units, words, scales = [], misalign = 0 }: Work): Float32Array {
  sandbox.clear();
  const size = dtype === Dtype.Float32 ? 4 : 2;
  const bytes = (content.length / size) * 4;
  const values = sandbox.input(content, misalign * size);
  const scale = sandbox.input(contentOf(Dtype.Float32, scales), misalign * 4);
  const results = [1, units].map((parts) => {
    const codes = sandbox.output(bytes, misalign * 4);
    const first = sandbox.descriptors(parts);
    const all = Array.from({ length: parts }, (_, part) => first + part * Size.Descriptor);
    for (const [part, at] of all.entries()) {
      sandbox.fill(
        at,
        new Map<Word, number>([
          [Word.Op, op],
          [Word.Dtype, dtype],
          [Word.First, Math.floor((units * part) / parts)],
          [Word.Last, Math.floor((units * (part + 1)) / parts)],
          [Word.Values, values],
          [Word.Codes, codes],
          [Word.Scale, scale],
          ...words,
        ]),
      );
    }
    sandbox.run(...all);
    return sandbox.read(codes, bytes);
  });
  expect(Buffer.compare(results[0]!, results[1]!)).toBe(0);
  return new Float32Array(results[0]!.buffer);
}

interface Rotation {
  readonly rows?: number;
  readonly blocks?: number;
  readonly order?: number;
  readonly prime?: number;
  readonly run: number;
}

function rotate(
  dtype: Dtype,
  content: Uint8Array,
  { rows = 1, blocks = 1, order = 1, prime = 0, run }: Rotation,
  misalign = 0,
): Float32Array {
  const words = [
    [Word.Length, blocks * order * run],
    [Word.Group, order * run],
    [Word.Count, order],
    [Word.Parts, prime],
  ] as const;
  return perform({ op: Op.Rotate, dtype, content, units: rows, words, misalign });
}

function scale(op: Op, dtype: Dtype, content: Uint8Array, rows: number, scales: number[], misalign = 0): Float32Array {
  return perform({ op, dtype, content, units: rows, words: [[Word.Length, scales.length]], scales, misalign });
}

interface Matrices {
  readonly count?: number;
  readonly rows: number;
  readonly columns: number;
  readonly group?: number;
}

function transpose(dtype: Dtype, content: Uint8Array, shape: Matrices, misalign = 0): Float32Array {
  const { count = 1, rows, columns, group = rows } = shape;
  const units = count * Math.ceil(rows / group) * Math.ceil(columns / Size.StripColumns);
  const words = [
    [Word.Length, rows],
    [Word.Group, group],
    [Word.Inner, columns],
  ] as const;
  return perform({ op: Op.Transpose, dtype, content, units, words, misalign });
}

/** Order and prime of both constructions, up to the largest that the kernels take. */
const ORDERS: readonly (readonly [order: number, prime: number])[] = [
  [4, 3],
  [12, 11],
  [12, 5],
  [20, 19],
  [28, 13],
  [44, 43],
  [68, 67],
  [76, 37],
  [140, 139],
  [148, 73],
  [204, 101],
  [252, 251],
];

const float32 = (values: ArrayLike<number>): Uint8Array => contentOf(Dtype.Float32, values);
const integers = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => ((i * 37) % 23) - 11);

/** The matrix of an order: each row is that of a unit vector, times √n. */
function matrixOf(order: number, prime: number): number[][] {
  return Array.from({ length: order }, (_, row) => {
    const unit = Float32Array.from({ length: order }, (_, column) => (row === column ? 1 : 0));
    const found = rotate(Dtype.Float32, float32(unit), { order, prime, run: 1 });
    return Array.from(found, (value) => value * Math.sqrt(order));
  });
}

describe.each(DTYPES)('both kernels give the same bytes, dtype %i', (dtype) => {
  test('rotation: sizes, misalignments and any values', () => {
    let seed = 1;
    for (const kind of FILLS) {
      for (const run of [1, 2, 4, 8, 16, 32, 128]) {
        rotate(dtype, fill(kind, dtype, 3 * 2 * run, seed++), { rows: 3, blocks: 2, run }, seed % 16);
        const [order, prime] = ORDERS[seed % ORDERS.length]!;
        if (run > 32) continue;
        const shape = { rows: 2, blocks: 2, order, prime, run };
        rotate(dtype, fill(kind, dtype, 4 * order * run, seed++), shape, seed % 16);
      }
    }
  });

  test('scales: lengths, misalignments and any values', () => {
    let seed = 1;
    for (let length = 1; length <= 40; length++) {
      const scales = Array.from({ length }, (_, i) => 0.3 + ((i * 7) % 5));
      for (const kind of FILLS) {
        const content = fill(kind, dtype, 3 * length, seed++);
        scale(Op.Divide, dtype, content, 3, scales, seed % 16);
        scale(Op.Multiply, dtype, content, 3, scales, seed % 16);
      }
    }
  });

  test('transposition: shapes, groups, misalignments and any values', () => {
    let seed = 1;
    for (let rows = 1; rows <= 9; rows++) {
      for (const columns of [1, 3, 4, 15, 16, 17, 35]) {
        for (const kind of ['bits', 'edges'] as const) {
          const content = fill(kind, dtype, 2 * rows * columns, seed++);
          transpose(dtype, content, { count: 2, rows, columns, group: 1 + (seed % rows) }, seed % 16);
        }
      }
    }
  });
});

describe('rotation', () => {
  test('a case by hand', () => {
    const found = rotate(Dtype.Float32, float32([1, 2, 3, 4, 8, 0, 0, 0]), { blocks: 2, run: 4 });
    expect([...found]).toEqual([5, -1, -2, 0, 4, 4, 4, 4]);
    const wide = rotate(Dtype.Float32, float32([16, ...new Array(15).fill(0)]), { run: 16 });
    expect([...wide]).toEqual(new Array(16).fill(4));
  });

  test('stages go from neighbours outwards, each operation rounded to float32', () => {
    const x = [2 ** 24, 1, 1, 1, -(2 ** 24), 3, 0.5, 2 ** -20];
    const f = Math.fround;
    let values: number[] = x;
    for (const half of [1, 2, 4]) {
      values = values.map((value, i) => f(i & half ? f(values[i - half]! - value) : f(value + values[i + half]!)));
    }
    const root = f(Math.sqrt(8));
    expect([...rotate(Dtype.Float32, float32(x), { run: 8 })]).toEqual(values.map((value) => f(value / root)));
  });

  test.each(ORDERS)('the matrix of order %i is one of Hadamard, and symmetric', (order, prime) => {
    const matrix = matrixOf(order, prime).map((row) => row.map(Math.round));
    for (const [i, row] of matrix.entries()) {
      expect(row.every((entry) => Math.abs(entry) === 1)).toBe(true);
      for (const [j, other] of matrix.entries()) {
        expect(row[j]).toBe(other[i]);
        expect(row.reduce((sum, entry, k) => sum + entry * other[k]!, 0)).toBe(i === j ? order : 0);
      }
    }
  });

  test('the matrix of order 12, row 2', () => {
    // The squares modulo 11 are 1, 3, 4, 5 and 9; entry (1, j) is that of j − 1.
    expect(matrixOf(12, 11)[1]!.map(Math.round)).toEqual([1, -1, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1]);
  });

  test.each([...ORDERS.slice(0, 6), [1, 0] as const])('twice is the identity, order %i', (order, prime) => {
    for (const run of [4, 16, 64]) {
      const x = integers(order * run);
      const once = rotate(Dtype.Float32, float32(x), { order, prime, run });
      const twice = rotate(Dtype.Float32, float32(once), { order, prime, run });
      for (const [i, value] of twice.entries()) expect(Math.abs(value - x[i]!)).toBeLessThan(2e-5);
    }
  });

  test('a factor and a run are mixed each by its own matrix', () => {
    const [order, prime, run] = [12, 11, 8];
    const x = integers(order * run);
    const found = rotate(Dtype.Float32, float32(x), { order, prime, run });
    const matrix = matrixOf(order, prime).map((row) => row.map(Math.round));
    const sign = (i: number, j: number) => ((i & j).toString(2).replaceAll('0', '').length % 2 ? -1 : 1);
    for (const [at, value] of found.entries()) {
      const [i, c] = [Math.floor(at / run), at % run];
      let sum = 0;
      for (const [from, one] of x.entries()) sum += matrix[i]![Math.floor(from / run)]! * sign(c, from % run) * one;
      expect(value).toBeCloseTo(sum / Math.sqrt(order * run), 4);
    }
  });

  test('infinities become NaN where they meet, always the same one', () => {
    const content = contentOfBits(
      Dtype.Float32,
      [0x7f800000, 0xff800000, 0xffc12345, 0, 1, 2, 3, 4].map((b) => b >>> 0),
    );
    const found = rotate(Dtype.Float32, content, { blocks: 2, run: 4 });
    expect([...new Uint32Array(found.buffer, 0, 4)]).toEqual(new Array(4).fill(0x7fc00000));
    expect(found.subarray(4).every(Number.isFinite)).toBe(true);
  });
});

test('columns are divided by their scales, or multiplied with them', () => {
  const content = float32([1, 2, 3, 4, 5, 6]);
  const scales = [3, 0.5, 7];
  const f = Math.fround;
  expect([...scale(Op.Divide, Dtype.Float32, content, 2, scales)]).toEqual([
    f(1 / 3),
    4,
    f(3 / 7),
    f(4 / 3),
    10,
    f(6 / 7),
  ]);
  expect([...scale(Op.Multiply, Dtype.Float32, content, 2, scales)]).toEqual([3, 1, 21, 12, 2.5, 42]);
});

test('rows and columns are exchanged', () => {
  const x = integers(2 * 37 * 21);
  const found = transpose(Dtype.Float32, float32(x), { count: 2, rows: 37, columns: 21, group: 16 });
  for (let m = 0; m < 2; m++) {
    for (let i = 0; i < 37; i++) {
      for (let j = 0; j < 21; j++) expect(found[(m * 21 + j) * 37 + i]).toBe(x[(m * 37 + i) * 21 + j]);
    }
  }
});
