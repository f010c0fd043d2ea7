/** The presets of embeddings: golden rows and rows of any length, in every place. */
import { describe, expect, test } from 'vitest';
import { PRESETS, preset, type Runtime } from '#src/index.js';
import { EMBEDDINGS, type EmbeddingCase } from '../support/embeddings.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { copied, expectSame, FORCED, leaseOf, resultAtOnce, take, valuesOf } from './helpers.js';

const NAMES = [...new Set(EMBEDDINGS.map((golden) => golden.preset))];

async function run(runtime: Runtime, { preset: name, input, codes, values }: EmbeddingCase): Promise<string[]> {
  const lease = leaseOf(runtime, [1, input.length], Float32Array.from(input));
  using quantized = await runtime.quantize(lease, name);
  using back = await runtime.dequantize(quantized);
  const found: string[] = [];
  const hex = Buffer.from(copied(quantized.data)).toString('hex');
  if (hex !== codes) found.push(`codes ${hex}, expected ${codes}`);
  if (back.data.join() !== values.join()) found.push(`values ${back.data.join()}, expected ${values.join()}`);
  if (quantized.scale !== null || quantized.zeroPoint !== null) found.push('parameters');
  return found;
}

test('every preset has golden rows', () => {
  const names = PRESETS.map(({ name }) => name).filter((name) => /^(st|usearch|pgvector|qdrant)-/.test(name));
  // Those with planar codes have theirs beside the other planar presets.
  expect(names).toEqual(expect.arrayContaining(NAMES));
  expect(NAMES).toHaveLength(6);
});

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('gives the golden rows', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const wrong: Record<string, string[]> = {};
      for (const golden of EMBEDDINGS) {
        const found = await run(runtime, golden);
        if (found.length > 0) wrong[golden.name] = found;
      }
      expect(wrong).toEqual({});
    });
  });

  test('gives rows of any length the bytes that each has alone', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      for (const name of NAMES) {
        for (const [rows, columns] of [
          [33, 13],
          [40, 384],
          [7, 1],
          [3, 5003],
        ] as const) {
          const data = valuesOf(rows * columns, columns);
          const actual = take(await runtime.quantize(leaseOf(runtime, [rows, columns], data), name));
          const alone = Array.from({ length: rows }, (_, row) =>
            resultAtOnce(runtime, [columns], data.subarray(row * columns, (row + 1) * columns), name),
          );
          const codes = Uint8Array.from(Buffer.concat(alone.map((one) => one.codes)));
          expectSame(actual, { ...alone[0]!, codes }, `${name} [${rows}, ${columns}]`);
        }
      }
    });
  });
});

test('what is an int8 at its consumer is one here', async () => {
  await withRuntime({}, (runtime) => {
    const types = NAMES.map((name) => {
      using quantized = runtime.quantizeSync({ dtype: 'float32', shape: [2, 3, 10], data: valuesOf(60) }, name);
      const { data, dataShape, parameterShape, byteLength } = quantized;
      return [name, data.constructor.name, dataShape.join(), parameterShape.join(), byteLength];
    });
    expect(types).toEqual([
      ['usearch-i8', 'Int8Array', '6,10', '2,3,1', 60],
      ['st-ubinary', 'Uint8Array', '6,2', '2,3,2', 12],
      ['usearch-b1', 'Uint8Array', '6,2', '2,3,2', 12],
      ['pgvector-binary', 'Uint8Array', '6,2', '2,3,2', 12],
      ['st-binary', 'Int8Array', '6,2', '2,3,2', 12],
      ['qdrant-binary', 'Uint8Array', '6,2', '2,3,2', 12],
    ]);
  });
});

test('ranges: of eight values for bits, of the row for a unit vector', async () => {
  await withRuntime({}, async (runtime) => {
    const data = Float32Array.from({ length: 20 }, (_, i) => (i % 10) - 4);
    const ofBits = await runtime.range({ dtype: 'float32', shape: [2, 10], data }, 'st-binary');
    expect(ofBits).toMatchObject({ shape: [2, 2], min: Float32Array.of(-4, -0, -4, -0) });
    expect([...ofBits.max]).toEqual([3, 5, 3, 5]);
    const ofRows = await runtime.range({ dtype: 'float32', shape: [2, 10], data }, 'usearch-i8');
    expect(ofRows).toMatchObject({ shape: [2, 1], min: Float32Array.of(-4, -4), max: Float32Array.of(5, 5) });
  });
});

test('a value that is not finite is refused with its place, and the other policies have codes', async () => {
  await withRuntime({}, async (runtime) => {
    const data = Float32Array.of(1, 2, 3, 4, Number.NaN, 6, Number.POSITIVE_INFINITY, 8);
    const tensor = { dtype: 'float32', shape: [2, 4], data } as const;
    for (const name of NAMES) {
      await expect(runtime.quantize(tensor, name)).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_NON_FINITE',
        details: { count: 2, first: 4 },
      });
    }
    const codes = (name: string, nonFinite: 'saturate' | 'propagate') => {
      using quantized = runtime.quantizeSync(tensor, preset(name, { nonFinite }));
      return [...quantized.data];
    };
    for (const policy of ['saturate', 'propagate'] as const) {
      expect(codes('st-ubinary', policy)).toEqual([0xf0, 0x70]);
      expect(codes('st-binary', policy)).toEqual([0x70, -16]);
      expect(codes('qdrant-binary', policy)).toEqual([0x0f, 0x0e]);
    }
    const norm = Math.sqrt(36 + 64 + 64);
    const second = [0, 6, 8, 8].map((x) => Math.trunc((x * 127) / norm));
    expect(codes('usearch-i8', 'saturate').slice(4)).toEqual(second);
    expect(codes('usearch-i8', 'propagate').slice(4)).toEqual([0, 0, 0, 0]);
  });
});
