/** Attention from the codes is attention over the values that they stand for, with the same bits however it came about. */

import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createKeyValueCache, type KeyValueCache, keyValuePreset } from '#src/kvcache/index.js';
import { withRuntime } from '../support/runtime.js';
import { attention, bits, expectNear, fill, rowsOf, SIZES, STORAGES } from './helpers.js';

const { headDim } = SIZES;

describe.each(STORAGES)('%s', (_name, storage) => {
  test('attends to what it reads back, up to any token, with query heads that share a head', () =>
    withRuntime({}, (runtime) => {
      using cache = createKeyValueCache(runtime, { ...SIZES, ...storage });
      fill(cache, 1, 75);
      for (const queryHeads of [2, 4, 6]) {
        const query = rowsOf(queryHeads, queryHeads, headDim);
        for (const layer of [0, 1]) {
          const stored = cache.read(layer);
          for (const upTo of [1, 2, 31, 33, 64, 75]) {
            const found = cache.attend(layer, query, { upTo });
            const expected = attention(stored, query, SIZES.heads, headDim, upTo);
            expectNear(found, expected, stored.values);
          }
        }
      }
    }));

  test('does not show how the tokens came, nor what other sessions do', () =>
    withRuntime({}, (runtime) => {
      const query = rowsOf(9, 4, headDim);
      const results = [75, 1, 7, 40].map((chunk) => {
        using cache = createKeyValueCache(runtime, { ...SIZES, ...storage });
        using other = createKeyValueCache(runtime, { ...SIZES, ...storage });
        fill(other, 500 + chunk, chunk);
        fill(cache, 1, 75, chunk);
        fill(other, 600 + chunk, 3);
        return Buffer.concat([bits(cache.attend(0, query)), bits(cache.attend(1, query)), cache.serialize()]);
      });
      for (const result of results) expect(result.equals(results[0]!)).toBe(true);
    }));

  test('is the same with scalar kernels', async () => {
    const [simd, scalar] = await Promise.all(
      (['simd', 'scalar'] as const).map((kernels) =>
        withRuntime({ kernels }, (runtime) => {
          using cache = createKeyValueCache(runtime, { ...SIZES, ...storage });
          fill(cache, 3, 50, 9);
          const { keys, values } = cache.read(1);
          const found = cache.attend(0, rowsOf(8, 4, headDim), { upTo: 37 });
          return Buffer.concat([bits(found), bits(keys), bits(values), cache.serialize()]);
        }),
      ),
    );
    expect(simd!.equals(scalar!)).toBe(true);
  });
});

test.each(['int8', 'int4', 'int2'])('%s: integers of 16 bits add nothing to what quantization costs', (name) =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...SIZES, ...keyValuePreset(name), residual: 0 });
    fill(cache, 1, 64);
    const original = { keys: rowsOf(1, 64), values: rowsOf(1001, 64) };
    let added = 0;
    let lost = 0;
    for (let seed = 0; seed < 30; seed++) {
      const query = rowsOf(seed, 2, headDim);
      const exact = attention(original, query, SIZES.heads, headDim, 64);
      const stored = attention(cache.read(0), query, SIZES.heads, headDim, 64);
      for (const [at, x] of cache.attend(0, query).entries()) {
        added += (x - stored[at]!) ** 2;
        lost += (stored[at]! - exact[at]!) ** 2;
      }
    }
    expect(added).toBeGreaterThan(0);
    expect(added / lost).toBeLessThan(1e-4);
  }),
);

test('float32 reads back as it was', () =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...SIZES, sinks: 5, block: 8 });
    fill(cache, 1, 30);
    const { keys, values } = cache.read(1);
    expect(bits(keys).equals(bits(rowsOf(2, 30)))).toBe(true);
    expect(bits(values).equals(bits(rowsOf(1002, 30)))).toBe(true);
  }));

test('sinks and the last tokens stay as they were, and blocks between them do not', () =>
  withRuntime({}, (runtime) => {
    const rules = { ...keyValuePreset('int4'), sinks: 3, residual: 6, block: 8 };
    using cache = createKeyValueCache(runtime, { ...SIZES, ...rules });
    fill(cache, 1, 27);
    // 3 sinks, blocks of 8 from 3 to 19, and from there on 8 tokens of which 2 more would freeze the next block.
    const { keys } = cache.read(0);
    const original = rowsOf(1, 27);
    const width = SIZES.heads * headDim;
    const isSame = Array.from({ length: 27 }, (_, t) =>
      bits(keys.subarray(t * width, (t + 1) * width)).equals(bits(original.subarray(t * width, (t + 1) * width))),
    );
    expect(isSame.map(Number).join('')).toBe('111000000000000000011111111');
  }));

test('writes to the array that it is given', () =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...SIZES });
    fill(cache, 1, 4);
    const query = rowsOf(2, 2, headDim);
    const out = new Float32Array(query.length);
    expect(cache.attend(0, query, { out })).toBe(out);
    expect([...out]).toEqual([...cache.attend(0, query)]);
  }));

test('another scale than 1 / √headDim', () =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...SIZES });
    fill(cache, 1, 9);
    const query = rowsOf(2, 2, headDim);
    const half = query.map((x) => x / 2);
    expect([...cache.attend(0, half, { scale: 0.5 })]).toEqual([...cache.attend(0, query, { scale: 0.25 })]);
  }));

/** Checksums of parked bytes and results: every version of Node gives them. */
const GOLDEN: Readonly<Record<string, number>> = {
  float32: 3433108748,
  fp8: 2483327695,
  int8: 3727613960,
  int4: 598723408,
  'rotated-int4': 956487530,
  int2: 172003274,
  'float32 keys, int8 values': 2823484317,
  'int8 keys, float32 values': 1628710832,
  'int4 affine': 1316230846,
  'int4 by channel, symmetric': 3826813242,
  'fp8 by channel, rotated': 1042141405,
  'keys rotated': 180819881,
};

test.each(STORAGES)('%s: the bits are those of every version of Node', (name, storage) =>
  withRuntime({}, (runtime) => {
    const cache: KeyValueCache = createKeyValueCache(runtime, { ...SIZES, ...storage });
    fill(cache, 4, 70);
    const query = rowsOf(5, 4, headDim);
    const found = Buffer.concat([cache.serialize(), bits(cache.attend(0, query)), bits(cache.attend(1, query))]);
    cache.release();
    expect(crc32(found)).toBe(GOLDEN[name]);
  }),
);
