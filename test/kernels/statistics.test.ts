import { describe, expect, test } from 'vitest';
import { Dtype, Mode, NonFinite, Op, ScaleType, Source, Storage } from '../../src/scheme/codes.js';
import { fill } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { AFFINE, contentOf, contentOfBits, type Outcome, perform, type Shape, SYMMETRIC } from './work.js';

const sandbox = new Sandbox();
const { fround } = Math;

/** The record of runs of elements that share scale and zero point, element i of a run in the sums i & 3. */
function record(
  outcome: Outcome,
  values: Float32Array,
  low: number,
  high: number,
  runs: readonly (readonly [parameter: number, elements: number[]])[],
): number[] {
  const sums = Array(10).fill(0);
  for (const [parameter, elements] of runs) {
    const scale = outcome.scales[parameter]!;
    for (const [i, element] of elements.entries()) {
      const x = values[element]!;
      if (!Number.isFinite(x)) continue;
      const code = outcome.codes[element]!;
      const error = fround(x - fround((code - (outcome.zeros[parameter] ?? 0)) * scale));
      sums[i & 3] += error ** 2;
      sums[4 + (i & 3)] += x ** 2;
      sums[8] = Math.max(sums[8], Math.abs(error));
      if ((code === low || code === high) && Math.abs(error) > Math.abs(scale) / 2) sums[9]++;
    }
  }
  return sums;
}

const range = (count: number, from = 0, step = 1) => Array.from({ length: count }, (_, i) => from + i * step);

describe('records', () => {
  const cases: [string, Shape, (unit: number) => [number, number[]][]][] = [
    ['tensor', { op: Op.Tensor, length: 5003 }, () => [[0, range(5003)]]],
    ['rows', { op: Op.Segments, rows: 3, length: 39, group: 39 }, (row) => [[row, range(39, row * 39)]]],
    [
      'blocks',
      { op: Op.Segments, rows: 2, length: 20, group: 7 },
      (row) => [7, 7, 6].map((n, k) => [row * 3 + k, range(n, row * 20 + k * 7)]),
    ],
    [
      'channels',
      { op: Op.Channels, count: 3, parts: 2, length: 9 },
      (channel) => [0, 1].map((part) => [channel, range(9, (part * 3 + channel) * 9)]),
    ],
    [
      'columns',
      { op: Op.Columns, length: 5, group: 5, inner: 19 },
      (strip) => range(strip === 0 ? 16 : 3, strip * 16).map((column) => [column, range(5, column, 19)]),
    ],
  ];
  test.each(cases)('%s', (_name, shape, runsOf) => {
    for (const kind of ['normal', 'rare'] as const) {
      const content = fill(kind, Dtype.Float32, 5003, 3);
      const values = new Float32Array(content.buffer);
      for (const scale of [null, 0.01, -0.01]) {
        const rules = { ...AFFINE, nonFinite: NonFinite.Saturate };
        const source = scale === null ? Source.Data : Source.Given;
        const given = { scales: [scale ?? 1], zeros: [30] };
        const outcome = perform(sandbox, { rules, shape, content, source, statistics: true, given });
        const seen = scale === null ? outcome : { ...outcome, zeros: Int32Array.from(outcome.scales, () => 30) };
        for (let unit = 0; unit < outcome.statistics.length / 10; unit++) {
          expect([...outcome.statistics.subarray(unit * 10, unit * 10 + 10)]).toEqual(
            record(seen, values, 0, 255, runsOf(unit)),
          );
        }
      }
    }
  });

  test('measure against the scale as it is stored', () => {
    const rules = { ...SYMMETRIC, scaleType: ScaleType.Float16 };
    const content = contentOf(Dtype.Float32, [1, 0, 0, 0]);
    const shape = { op: Op.Segments, rows: 1, length: 4, group: 4 };
    const { statistics } = perform(sandbox, { rules, shape, content, statistics: true });
    // 1/127 is 1.0078125 · 2^-7 in float32's neighbourhood; float16 keeps 1032/1024 of 2^-7.
    expect(statistics[8]).toBe(fround(1 - fround(127 * (1032 / 1024) * 2 ** -7)));
  });

  test('show an error that is NaN as the one canonical NaN', () => {
    for (const length of [4, 3, 40]) {
      const shape = { op: Op.Segments, rows: 1, length, group: length };
      const content = contentOf(Dtype.Float32, range(length));
      for (const given of [{ scales: [Infinity] }, { scales: [Number.NaN] }]) {
        const { statistics } = perform(sandbox, {
          rules: SYMMETRIC,
          shape,
          content,
          source: Source.Given,
          given,
          statistics: true,
        });
        const bits = new BigUint64Array(statistics.buffer);
        expect(bits[0]).toBe(0x7ff8000000000000n);
        expect(bits[8]).toBe(0x7ff8000000000000n);
      }
    }
  });
});

describe('dequantization', () => {
  const shapes: Shape[] = [
    { op: Op.Tensor, length: 70 },
    { op: Op.Segments, rows: 2, length: 35, group: 16 },
    { op: Op.Channels, count: 2, parts: 5, length: 7 },
    { op: Op.Columns, length: 5, group: 2, inner: 14 },
  ];
  const storages = [
    [Storage.Int8, Int8Array],
    [Storage.Uint8, Uint8Array],
    [Storage.Int16, Int16Array],
    [Storage.Uint16, Uint16Array],
  ] as const;
  test.each(shapes)('op $op', (shape) => {
    for (const [storage, Codes] of storages) {
      for (const scaleType of [ScaleType.Float32, ScaleType.Float16]) {
        const rules = { ...AFFINE, storage, zeroPointStorage: storage, scaleType };
        const content = fill('bits', Dtype.Float16, 70, storage);
        const codes = new Codes(Uint8Array.from(content.subarray(0, 70 * Codes.BYTES_PER_ELEMENT)).buffer);
        for (let misalign = 0; misalign < 9; misalign++) {
          const given = { scales: [0.125], zeros: [17] };
          const work = { rules, shape, content: new Uint8Array(codes.buffer), mode: Mode.Dequantize, given, misalign };
          expect([...perform(sandbox, work).values]).toEqual([...codes].map((code) => (code - 17) * 0.125));
        }
      }
    }
  });

  test('rounds once', () => {
    const content = Uint8Array.from(range(256));
    const given = { scales: [0.1], zeros: [3] };
    const { values } = perform(sandbox, {
      rules: AFFINE,
      shape: { op: Op.Tensor, length: 256 },
      content,
      mode: Mode.Dequantize,
      given,
    });
    expect([...values]).toEqual(range(256).map((code) => fround((code - 3) * fround(0.1))));
  });

  test('gives the one canonical NaN where scales are not finite', () => {
    for (const length of [3, 4, 33]) {
      const content = new Uint8Array(length).fill(3);
      const shape = { op: Op.Tensor, length };
      for (const scale of [Infinity, -Infinity, Number.NaN]) {
        const work = { rules: AFFINE, shape, content, mode: Mode.Dequantize, given: { scales: [scale], zeros: [3] } };
        expect(new Uint32Array(perform(sandbox, work).values.buffer)).toEqual(new Uint32Array(length).fill(0x7fc00000));
      }
    }
  });

  test('returns what was quantized within half a step', () => {
    const content = fill('normal', Dtype.Float32, 600, 8);
    const shape = { op: Op.Segments, rows: 6, length: 100, group: 50 };
    const { codes, scales, zeros } = perform(sandbox, { rules: AFFINE, shape, content });
    const given = { scales: [...scales], zeros: [...zeros] };
    const work = { rules: AFFINE, shape, content: new Uint8Array(codes.buffer), mode: Mode.Dequantize, given };
    const values = new Float32Array(content.buffer);
    // The zero point is rounded too, so an end of the range may be cut by another half.
    for (const [i, x] of perform(sandbox, work).values.entries()) {
      expect(Math.abs(x - values[i]!)).toBeLessThanOrEqual(scales[Math.floor(i / 50)]! * 1.001);
    }
  });
});

test('all bits of float32 scales reach the codes alike', () => {
  const scales = contentOfBits(
    Dtype.Float32,
    [1, 0x80000001, 0x7f7fffff, 0x00800000, 0x80000000, 0xff800000, 0x7f800001],
  );
  const given = { scales: [...new Float32Array(scales.buffer)] };
  for (const length of [5, 21]) {
    const content = fill('edges', Dtype.Float32, 7 * length, length);
    const shape = { op: Op.Segments, rows: 7, length, group: length };
    for (const nonFinite of [NonFinite.Saturate, NonFinite.Propagate]) {
      perform(sandbox, {
        rules: { ...SYMMETRIC, nonFinite },
        shape,
        content,
        source: Source.Given,
        given,
        statistics: true,
      });
    }
  }
});
