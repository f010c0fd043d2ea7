/** Bits and unit vectors: SIMD, scalar and the rules written once more agree, for rows of any length. */
import { describe, expect, test } from 'vitest';
import { Dtype, Mode, NonFinite, Op } from '../../src/scheme/codes.js';
import { BLOCK_FORMATS, type BlockFormatName } from '../../src/scheme/index.js';
import { DTYPES, FILLS, fill } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { contentOf, type Outcome, perform, type Rules, type Shape, SYMMETRIC, type Work } from './work.js';

const sandbox = new Sandbox();
const BITS = ['bits-high', 'bits-high-int8', 'bits-low'] as const;
const NAMES = [...BITS, 'usearch-i8'] as const;

function shapeOf(name: BlockFormatName, rows: number, length: number): Shape {
  const { code: format, size } = BLOCK_FORMATS[name];
  const isUnit = name === 'usearch-i8';
  return {
    op: Op.Blocks,
    rows,
    length,
    group: isUnit ? length : size,
    inner: Math.ceil(length / size),
    block: [1, 0],
    format,
  };
}

function quantize(name: BlockFormatName, rows: number, length: number, content: Uint8Array, more: Partial<Work> = {}) {
  return perform(sandbox, { rules: SYMMETRIC, ...more, shape: shapeOf(name, rows, length), content });
}

/** The values of a content, each exact. */
function valuesOf(dtype: Dtype, content: Uint8Array): Float32Array {
  if (dtype === Dtype.Float32) return new Float32Array(content.buffer);
  const format = BLOCK_FORMATS[dtype === Dtype.Float16 ? 'f16' : 'bf16'].code;
  const length = content.length / 2;
  const shape = { op: Op.Blocks, rows: 1, length, group: 1, inner: content.length, block: [2, 0], format } as const;
  return perform(sandbox, { rules: SYMMETRIC, shape, content, mode: Mode.Dequantize }).values;
}

/** The bytes of a row, from the definition. */
function bytesOf(name: (typeof NAMES)[number], row: Float32Array): number[] {
  if (name === 'usearch-i8') {
    let sum = 0;
    for (const x of row) sum += x * x;
    const codes = Array.from(row, (x) => Math.trunc((x * 127) / Math.sqrt(sum)));
    return codes.map((code) => (Number.isNaN(code) ? 0 : code & 255));
  }
  const bits = Array.from(row, (x) => (x > 0 ? '1' : '0')).join('');
  const bytes = bits.match(/.{1,8}/g)!.map((byte) => byte.padEnd(8, '0'));
  const inOrder = name === 'bits-low' ? bytes.map((byte) => [...byte].reverse().join('')) : bytes;
  return inOrder.map((byte) => (Number.parseInt(byte, 2) - (name === 'bits-high-int8' ? 128 : 0)) & 255);
}

/** What a row's values read back as, from the definition. */
function backOf(name: (typeof NAMES)[number], row: Float32Array, bytes: readonly number[]): number[] {
  if (name !== 'usearch-i8') return Array.from(row, (x) => (x > 0 ? 1 : -1));
  return bytes.map((byte) => Math.fround(((byte << 24) >> 24) / 127));
}

/** Three rows, whose bytes and values read back are those of the definition. */
function expectRows(name: (typeof NAMES)[number], rules: Rules, length: number, content: Uint8Array, misalign: number) {
  const found = quantize(name, 3, length, content, { rules, statistics: true, cuts: 2, misalign });
  const values = valuesOf(rules.dtype, content);
  const rows = [0, 1, 2].map((row) => values.subarray(row * length, (row + 1) * length));
  const bytes = rows.map((row) => bytesOf(name, row));
  expect([...found.codeBytes], `${name}, ${length}`).toEqual(bytes.flat());
  const codes = Uint8Array.from(bytes.flat());
  const { values: back } = quantize(name, 3, length, codes, { mode: Mode.Dequantize, misalign });
  expect([...back]).toEqual(rows.flatMap((row, index) => backOf(name, row, bytes[index]!)));
}

describe.each(NAMES)('%s', (name) => {
  test('lengths from 1 to 300', () => {
    for (let length = 1; length <= 300; length++) {
      const dtype = DTYPES[length % 3]!;
      expectRows(name, { ...SYMMETRIC, dtype }, length, fill('normal', dtype, 3 * length, length), length % 4);
    }
  });

  test.each([NonFinite.Saturate, NonFinite.Propagate, NonFinite.Error])('any bits, policy %i', (nonFinite) => {
    let seed = 1;
    for (const dtype of DTYPES) {
      for (const kind of FILLS) {
        for (const length of [1, 7, 13, 100, 4096 + 9]) {
          const content = fill(kind, dtype, 2 * length, seed++);
          const more = { rules: { ...SYMMETRIC, dtype, nonFinite }, statistics: true, misalign: seed % 4 };
          quantize(name, 2, length, content, more);
        }
      }
    }
  });

  test('rows beyond a tile', () => {
    expectRows(name, SYMMETRIC, 4096 * 2 + 5, fill('normal', Dtype.Float32, 3 * (4096 * 2 + 5), 3), 1);
  });

  test('propagate is the definition on NaN and infinities', () => {
    const rules = { ...SYMMETRIC, nonFinite: NonFinite.Propagate };
    for (const dtype of DTYPES) {
      const special = [
        Number.NaN,
        1,
        Infinity,
        -1,
        -Infinity,
        0,
        -0,
        2 ** -14,
        -(2 ** -14),
        3,
        Infinity,
        1,
        Number.NaN,
      ];
      const rows = [...special, ...special.map((x) => (Number.isNaN(x) ? 4 : x)), ...special.map((_, i) => i - 6)];
      expectRows(name, { ...rules, dtype }, 13, contentOf(dtype, rows), 0);
    }
  });
});

test('a row of bits with a value that is refused is left out in tiles', () => {
  const values = new Array<number>(4096 + 16).fill(1);
  values[4096 + 3] = Number.NaN;
  const { codeBytes, badCount, badFirst } = quantize('bits-high', 1, 4112, contentOf(Dtype.Float32, values));
  expect({ badCount, badFirst }).toEqual({ badCount: 1, badFirst: 4099 });
  expect([...new Set(codeBytes.subarray(0, 512))]).toEqual([255]);
});

describe('bits', () => {
  const hex = ({ codeBytes }: Outcome): string => Buffer.from(codeBytes).toString('hex');
  const ofValues = (name: BlockFormatName, values: readonly number[], more: Partial<Work> = {}): string =>
    hex(quantize(name, 1, values.length, contentOf(Dtype.Float32, values), more));

  test('order, bias and the end of a row', () => {
    const values = [1, -1, 1, 1, 0, -0, 2 ** -149, -3, 5, 6];
    expect(ofValues('bits-high', values)).toBe('b2c0');
    expect(ofValues('bits-high-int8', values)).toBe('3240');
    expect(ofValues('bits-low', values)).toBe('4d03');
  });

  test('saturate keeps the sign of an infinity, also where nothing else is in the row', () => {
    const rules = { ...SYMMETRIC, nonFinite: NonFinite.Saturate };
    expect(ofValues('bits-high', [Infinity, -Infinity, Number.NaN, 0], { rules })).toBe('80');
  });

  test('statistics compare with 1 and −1', () => {
    const content = contentOf(Dtype.Float32, [1, -1, 0.5, -3, 0]);
    const { statistics } = quantize('bits-low', 1, 5, content, { statistics: true });
    expect([...statistics]).toEqual([1, 0, 0.25, 4, 1, 1, 0.25, 9, 2, 0]);
  });

  test('what lies after the last value of a row is not read', () => {
    for (const name of BITS) {
      const read = (byte: number) => quantize(name, 1, 3, Uint8Array.of(byte), { mode: Mode.Dequantize }).values;
      const ones = name === 'bits-low' ? 0b00000_111 : name === 'bits-high' ? 0b111_00000 : 0b011_00000;
      const rest = name === 'bits-low' ? 0b11111_000 : 0b000_11111;
      expect([...read(ones)]).toEqual([1, 1, 1]);
      expect([...read(ones | rest)]).toEqual([1, 1, 1]);
    }
  });
});

describe('unit vectors', () => {
  const codesOf = (values: readonly number[], more: Partial<Work> = {}): number[] => [
    ...Int8Array.from(quantize('usearch-i8', 1, values.length, contentOf(Dtype.Float32, values), more).codeBytes),
  ];

  test('zeros have codes of 0, one value has 127', () => {
    expect(codesOf([0, -0, 0])).toEqual([0, 0, 0]);
    for (const x of [2 ** -149, 1, 3.4e38]) expect(codesOf([x, 0, -0])).toEqual([127, 0, 0]);
    expect(codesOf([-7])).toEqual([-127]);
  });

  test('the squares add in the order of the row', () => {
    // 2^54 + 1 is 2^54: ones that come last are lost, those that come first make the norm a little longer.
    const ones = new Array<number>(16).fill(1);
    expect(codesOf([2 ** 27, ...ones])[0]).toBe(127);
    expect(codesOf([...ones, 2 ** 27])[16]).toBe(126);
  });

  test('saturate takes an infinity as the largest magnitude of the row', () => {
    const rules = { ...SYMMETRIC, nonFinite: NonFinite.Saturate };
    expect(codesOf([Infinity, 3, -4, Number.NaN], { rules })).toEqual(codesOf([4, 3, -4, 0]));
    expect(codesOf([Infinity, Number.NaN, 0], { rules })).toEqual([0, 0, 0]);
  });

  test('propagate: one value that is not finite takes the whole row to 0', () => {
    const rules = { ...SYMMETRIC, nonFinite: NonFinite.Propagate };
    expect(codesOf([1, 2, Number.NaN, 3, 4], { rules })).toEqual([0, 0, 0, 0, 0]);
    expect(codesOf([1, 2, -Infinity, 3, 4], { rules })).toEqual([0, 0, 0, 0, 0]);
  });
});
