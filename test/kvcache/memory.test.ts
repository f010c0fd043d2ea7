/** What a token takes, and what happens where there is no room. */
import { expect, test } from 'vitest';
import { createKeyValueCache, type KeyValueCacheOptions, keyValuePreset } from '#src/kvcache/index.js';
import { withRuntime } from '../support/runtime.js';
import { bits, fill, rowsOf, SIZES } from './helpers.js';

const sizes = { layers: 3, heads: 4, headDim: 32 } as const;
const width = sizes.heads * sizes.headDim;

/** Bytes of a token and head of 32 values, keys and values together. */
const BYTES: readonly (readonly [string, Partial<KeyValueCacheOptions>, number])[] = [
  ['float32', keyValuePreset('float32'), 2 * 32 * 4],
  // A byte a value, and a scale.
  ['fp8', keyValuePreset('fp8'), 2 * (32 + 4)],
  ['int8', keyValuePreset('int8'), 2 * (32 + 4)],
  ['int4', keyValuePreset('int4'), 2 * (16 + 4)],
  ['rotated-int4', keyValuePreset('rotated-int4'), 2 * (16 + 4)],
  // Keys: scale and minimum of 32 channels, shared by 32 tokens. Values: scale and minimum.
  ['int2', keyValuePreset('int2'), 8 + (32 * 8) / 32 + (8 + 8)],
  ['int4 by channel in blocks of 64', { keys: { dtype: 'int4', granularity: 'perChannel' }, block: 64 }, 16 + 4 + 128],
  ['int8 affine', { keys: { dtype: 'int8', symmetric: false }, values: { dtype: 'int8' } }, 32 + 8 + 32 + 4],
];

test.each(BYTES)('%s: the bytes of a token', (_name, storage, bytes) =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...sizes, block: 32, ...storage, residual: 0 });
    expect(cache.tokenBytes).toEqual({
      quantized: sizes.layers * sizes.heads * bytes,
      float: sizes.layers * sizes.heads * 2 * 32 * 4,
    });
    fill(cache, 1, 128);
    expect(cache.bytes).toBe(128 * cache.tokenBytes.quantized);
    // The allocator takes 64 bytes or a multiple for each page.
    const { inUse } = runtime.metrics().arena;
    expect(inUse).toBeGreaterThanOrEqual(cache.bytes);
    expect(inUse).toBeLessThanOrEqual(cache.bytes + 64 * sizes.layers * 4);
  }),
);

test('sinks, tokens that wait and the residual window are float32', () =>
  withRuntime({}, (runtime) => {
    const rules = { ...keyValuePreset('int4'), block: 16, sinks: 5, residual: 20 };
    using cache = createKeyValueCache(runtime, { ...sizes, ...rules });
    fill(cache, 1, 100);
    // 95 after the sinks: 4 blocks of 16 are quantized, 31 tokens are float32 in 2 pages of 16.
    const { quantized, float } = cache.tokenBytes;
    expect(cache.bytes).toBe(4 * 16 * quantized + (5 + 2 * 16) * float);
  }));

test('a block that is cut gives back what no token needs', () =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...sizes, ...keyValuePreset('int8'), block: 8 });
    fill(cache, 1, 64);
    cache.truncate(17);
    expect(cache.bytes).toBe(3 * 8 * cache.tokenBytes.quantized);
    cache.truncate(99);
    expect(cache.length).toBe(17);
    cache.truncate(0);
    expect(runtime.metrics().arena.inUse).toBe(0);
  }));

test('what does not fit is not stored, and what was stored is as it was', () =>
  withRuntime({ memory: '96KiB' }, (runtime) => {
    using cache = createKeyValueCache(runtime, {
      ...SIZES,
      layers: 1,
      ...keyValuePreset('int4'),
      block: 8,
      residual: 30,
    });
    let tokens = 0;
    let refused: unknown;
    while (refused === undefined) {
      try {
        cache.append(0, rowsOf(tokens, 13), rowsOf(tokens + 1, 13));
        tokens += 13;
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toMatchObject({ code: 'ERR_QUANTLANE_ARENA_FULL' });
    expect(tokens).toBeGreaterThan(200);
    const { leases } = runtime.metrics().arena;
    const before = cache.serialize();
    // More than a page: the first ones are there already when the arena is full.
    for (const count of [13, 40, 100]) {
      expect(() => cache.append(0, rowsOf(1, count), rowsOf(2, count))).toThrow(
        expect.objectContaining({ code: 'ERR_QUANTLANE_ARENA_FULL' }),
      );
      expect(cache.length).toBe(tokens);
      expect(Buffer.compare(cache.serialize(), before)).toBe(0);
      expect(runtime.metrics().arena.leases).toBe(leases);
    }
    cache.truncate(100);
    cache.append(0, rowsOf(1, 13), rowsOf(2, 13));
    expect(cache.length).toBe(113);
  }));

test('without room for the scores the cache is as it was', () =>
  withRuntime({ memory: '64KiB' }, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...SIZES, layers: 1, ...keyValuePreset('int4') });
    fill(cache, 1, 96);
    const query = rowsOf(5, 2, SIZES.headDim);
    const expected = bits(cache.attend(0, query));
    const rest: { release(): void }[] = [];
    while (runtime.hasRoom('float32', [16])) rest.push(runtime.lease('float32', [16]));
    expect(() => cache.attend(0, query)).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_ARENA_FULL' }));
    for (const lease of rest) lease.release();
    expect(bits(cache.attend(0, query)).equals(expected)).toBe(true);
  }));

test('a prompt needs little more than the pages that it leaves', () =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...sizes, layers: 1, ...keyValuePreset('int4') });
    const prompt = [rowsOf(1, 2048, width), rowsOf(2, 2048, width)] as const;
    cache.append(0, ...prompt);
    const input = prompt[0].byteLength * 2;
    const page = 32 * cache.tokenBytes.float;
    expect(runtime.metrics().arena.peak).toBeLessThan(input + cache.bytes + 2 * page);
  }));

test('the memory of a cache is its own', () =>
  withRuntime({}, (runtime) => {
    const query = rowsOf(5, 2, SIZES.headDim);
    using cache = createKeyValueCache(runtime, { ...SIZES, ...keyValuePreset('int8') });
    fill(cache, 1, 70);
    const expected = bits(cache.attend(1, query));
    for (let round = 0; round < 20; round++) {
      using other = createKeyValueCache(runtime, { ...SIZES, ...keyValuePreset('int2') });
      fill(other, round, 1 + round * 9, 5);
      expect(bits(cache.attend(1, query)).equals(expected)).toBe(true);
    }
  }));
