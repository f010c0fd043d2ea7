import { describe, expect, test } from 'vitest';
import { DataError, defineScheme, perBlock, perChannel, perTensor, perToken, preset, type Scheme } from '#src/index.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { FORCED, leaseOf, randomOf, valuesOf } from './helpers.js';

const BAD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** A scheme of every kind of work. */
const OPS: Record<string, Scheme> = {
  tensor: preset('onnx-dynamic'),
  rows: preset('xnnpack-qd8'),
  blocks: { ...preset('vllm-int8-per-token'), granularity: perBlock(24) },
  'foreign blocks': preset('ggml-q8_0'),
  channels: { ...preset('torchao-int8'), granularity: perChannel(1) },
  columns: { ...preset('torchao-int8'), granularity: perChannel(2) },
  'columns of blocks': { ...preset('xnnpack-qd8'), granularity: perBlock(3, 1) },
};
/** Small, and of several parts on lanes. */
const SHAPES = [
  [4, 5, 32],
  [40, 100, 64],
];

/** Positions of what is not finite: one, two ends, or many in any order. */
function positions(elements: number): number[][] {
  const random = randomOf(elements);
  const many = new Set(Array.from({ length: 50 }, () => Math.floor(random() * elements)));
  return [[elements - 1], [0], [elements - 2, 33], [...many]];
}

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.fail('served'),
    (error: unknown) => error,
  );
}

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('error: the count and the first position, for every kind of work', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      for (const [name, scheme] of Object.entries(OPS)) {
        for (const shape of SHAPES) {
          const clean = valuesOf(shape.reduce((a, b) => a * b));
          for (const places of positions(clean.length)) {
            const values = clean.slice();
            places.forEach((at, index) => {
              values[at] = BAD[index % 3]!;
            });
            const details = { count: places.length, first: Math.min(...places) };
            const calls = [
              runtime.quantize(leaseOf(runtime, shape, values), scheme),
              runtime.range({ dtype: 'float32', shape, data: values }, scheme),
            ];
            for (const error of await Promise.all(calls.map(errorOf))) {
              expect(error, `${name} [${shape}] ${places}`).toBeInstanceOf(DataError);
              expect(error).toMatchObject({ code: 'ERR_QUANTLANE_NON_FINITE', details });
            }
          }
        }
      }
    });
  });

  test('saturate: NaN is the zero code, infinities the ends, and neither is in the range', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      for (const granularity of [perTensor, perToken, perBlock(100), perChannel(0)]) {
        const scheme = defineScheme({ ...preset('xnnpack-qd8', { nonFinite: 'saturate' }), granularity });
        const values = valuesOf(200_000, 8);
        const mild = values.slice();
        // What is left out of the range counts as zero, which is in every range.
        for (let at = 3; at < values.length; at += 1009) {
          values[at] = BAD[at % 3]!;
          mild[at] = 0;
        }
        const shape = [200, 1000];
        const dirty = await runtime.quantize(leaseOf(runtime, shape, values), scheme);
        const clean = await runtime.quantize(leaseOf(runtime, shape, mild), scheme);
        expect([...dirty.scale!]).toEqual([...clean.scale!]);
        expect([...dirty.zeroPoint!]).toEqual([...clean.zeroPoint!]);
        const ends = await runtime.range({ dtype: 'float32', shape, data: mild }, scheme);
        const each = values.length / dirty.scale!.length;
        // An infinity has the code of its end of the range.
        const expected = clean.data.slice();
        const given = { min: ends.min, max: ends.max };
        const low = runtime.quantizeSync({ dtype: 'float32', shape, data: lowest(ends.min, each) }, scheme, {
          range: given,
        });
        const high = runtime.quantizeSync({ dtype: 'float32', shape, data: lowest(ends.max, each) }, scheme, {
          range: given,
        });
        values.forEach((value, at) => {
          if (value === Number.POSITIVE_INFINITY) expected[at] = high.data[at]!;
          if (value === Number.NEGATIVE_INFINITY) expected[at] = low.data[at]!;
        });
        expect(Buffer.compare(Buffer.from(dirty.data.slice()), Buffer.from(expected))).toBe(0);
        for (const quantized of [dirty, clean, low, high]) quantized.release();
      }
    });
  });

  test('propagate: a NaN makes its own row NaN and no other', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const scheme = preset('torchao-int8', { nonFinite: 'propagate' });
      const values = valuesOf(300_000, 2);
      values[150_500] = Number.NaN;
      const quantized = await runtime.quantize(leaseOf(runtime, [300, 1000], values), scheme);
      const bad = [...quantized.scale!].flatMap((scale, row) => (Number.isNaN(scale) ? [row] : []));
      expect(bad).toEqual([150]);
      expect(new Set(quantized.data.slice(150_000, 151_000))).toEqual(new Set([0]));
      quantized.release();
    });
  });
});

/** Values that are all the end of their group. */
function lowest(ends: Float32Array, each: number): Float32Array {
  return Float32Array.from({ length: ends.length * each }, (_, at) => ends[Math.floor(at / each)]!);
}
