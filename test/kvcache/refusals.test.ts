/** Wrong use has a code, and leaves the cache as it was. */
import { describe, expect, test } from 'vitest';
import { createRuntime } from '#src/index.js';
import {
  createKeyValueCache,
  type KeyValueCache,
  type KeyValueCacheOptions,
  keyValuePreset,
  resumeKeyValueCache,
} from '#src/kvcache/index.js';
import { withRuntime } from '../support/runtime.js';
import { fill, rowsOf, SIZES } from './helpers.js';

const withCode = (code: string) => expect.objectContaining({ code: `ERR_QUANTLANE_${code}` });

describe('options', () => {
  test.each<[string, object]>([
    ['layers', { layers: 0 }],
    ['heads', { heads: 1.5 }],
    ['headDim', { headDim: 24 }],
    ['headDim: a power of two', { headDim: 48, rotate: true }],
    ['block', { block: 0 }],
    ['residual', { residual: -1 }],
    ['sinks', { sinks: Number.NaN }],
    ['maxTokens', { maxTokens: 0 }],
    ['keys.dtype', { keys: { dtype: 'int3' } }],
    ['keys.granularity', { keys: { dtype: 'int8', granularity: 'perTensor' } }],
    ['keys.symmetric', { keys: { dtype: 'int8', symmetric: 1 } }],
    ['values.symmetric', { values: { dtype: 'fp8', symmetric: false } }],
    ['values.dtype', { values: { dtype: 'toString' } }],
    ['rotate', { rotate: 'keys' }],
    ['rotate', { rotate: { keys: 1 } }],
  ])('%s', (name, options) =>
    withRuntime({}, (runtime) => {
      const all = { ...SIZES, ...options } as KeyValueCacheOptions;
      expect(() => createKeyValueCache(runtime, all)).toThrow(withCode('ARGUMENT'));
      expect(() => createKeyValueCache(runtime, all)).toThrow(name);
    }),
  );

  test('none', () =>
    withRuntime({}, (runtime) => {
      expect(() => createKeyValueCache(runtime, null as never)).toThrow(withCode('ARGUMENT'));
      expect(() => keyValuePreset('int3')).toThrow(withCode('PRESET'));
    }));
});

describe('calls', () => {
  const filled = (body: (cache: KeyValueCache) => void) =>
    withRuntime({}, (runtime) => {
      using cache = createKeyValueCache(runtime, { ...SIZES, ...keyValuePreset('rotated-int4'), maxTokens: 12 });
      fill(cache, 1, 10);
      const before = cache.serialize();
      body(cache);
      expect(Buffer.compare(cache.serialize(), before)).toBe(0);
    });
  const rows = (tokens: number) => rowsOf(1, tokens);
  const query = rowsOf(1, 2, SIZES.headDim);

  test('shapes', () =>
    filled((cache) => {
      expect(() => cache.append(0, rows(1).subarray(1), rows(1))).toThrow(withCode('SHAPE'));
      expect(() => cache.append(0, rows(1), new Float32Array(0))).toThrow(withCode('SHAPE'));
      expect(() => cache.append(0, rows(1), rows(2))).toThrow(withCode('SHAPE'));
      expect(() => cache.append(0, [...rows(1)] as never, rows(1))).toThrow(withCode('SHAPE'));
      expect(() => cache.attend(0, query.subarray(3))).toThrow(withCode('SHAPE'));
      expect(() => cache.attend(0, rowsOf(1, 3, SIZES.headDim))).toThrow(withCode('SHAPE'));
      expect(() => cache.attend(0, query, { out: new Float32Array(3) })).toThrow(withCode('SHAPE'));
    }));

  test('layers, tokens and scales that are none', () =>
    filled((cache) => {
      for (const layer of [-1, 2, 0.5, Number.NaN]) {
        expect(() => cache.append(layer, rows(1), rows(1))).toThrow(withCode('ARGUMENT'));
        expect(() => cache.attend(layer, query)).toThrow(withCode('ARGUMENT'));
        expect(() => cache.lengthOf(layer)).toThrow(withCode('ARGUMENT'));
        expect(() => cache.read(layer)).toThrow(withCode('ARGUMENT'));
      }
      for (const upTo of [0, 11, 1.5]) expect(() => cache.attend(0, query, { upTo })).toThrow(withCode('ARGUMENT'));
      expect(() => cache.attend(0, query, { scale: Number.NaN })).toThrow(withCode('ARGUMENT'));
      expect(() => cache.truncate(-1)).toThrow(withCode('ARGUMENT'));
    }));

  test('values that are not finite, also once they are rotated', () =>
    filled((cache) => {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const bad = rows(2);
        bad[5] = value;
        bad[40] = value;
        const details = { count: 2, first: 5 };
        expect(() => cache.append(0, bad, rows(2))).toThrow(expect.objectContaining({ details }));
        expect(() => cache.append(0, rows(2), bad)).toThrow(withCode('NON_FINITE'));
        expect(() => cache.attend(0, bad)).toThrow(withCode('NON_FINITE'));
      }
      const large = rows(1).fill(3e38);
      expect(() => cache.append(0, large, rows(1))).toThrow(withCode('NON_FINITE'));
      expect(() => cache.append(0, rows(1), large)).toThrow(withCode('NON_FINITE'));
    }));

  test('more tokens than it may hold', () =>
    filled((cache) => {
      expect(() => cache.append(1, rows(3), rows(3))).toThrow(withCode('OVERFLOW'));
      expect(() => cache.append(1, rows(3), rows(3))).toThrow('Expected at most 12 tokens, got 10 and 3 more');
    }));
});

test('as many tokens as it may hold', () =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...SIZES, maxTokens: 12 });
    fill(cache, 1, 12);
    expect(cache.length).toBe(12);
  }));

test('a layer without tokens', () =>
  withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, SIZES);
    expect(() => cache.attend(0, rowsOf(1, 2, SIZES.headDim))).toThrow(withCode('ARGUMENT'));
    expect(cache.read(0).keys).toHaveLength(0);
    expect(cache.length).toBe(0);
  }));

test('a cache that was released', () =>
  withRuntime({}, (runtime) => {
    const cache = createKeyValueCache(runtime, SIZES);
    fill(cache, 1, 3);
    const fork = cache.fork();
    cache.release();
    expect(() => cache.release()).toThrow(withCode('DOUBLE_RELEASE'));
    cache[Symbol.dispose]();
    expect(() => cache.append(0, rowsOf(1, 1), rowsOf(1, 1))).toThrow(withCode('LEASE_RELEASED'));
    expect(() => cache.fork()).toThrow(withCode('LEASE_RELEASED'));
    expect(() => cache.serialize()).toThrow(withCode('LEASE_RELEASED'));
    expect(() => cache.truncate(1)).toThrow(withCode('LEASE_RELEASED'));
    expect(fork.length).toBe(3);
    fork.release();
  }));

test('a runtime that was closed: what is stored can still be parked', async () => {
  const runtime = await createRuntime({ lanes: 0, memory: '1MiB' });
  const cache = createKeyValueCache(runtime, SIZES);
  fill(cache, 1, 3);
  const bytes = cache.serialize();
  await runtime.close();
  expect(() => cache.append(0, rowsOf(1, 1), rowsOf(1, 1))).toThrow(withCode('CLOSED'));
  expect(() => cache.attend(0, rowsOf(1, 2, SIZES.headDim))).toThrow(withCode('CLOSED'));
  expect(() => createKeyValueCache(runtime, SIZES)).toThrow(withCode('CLOSED'));
  expect(() => resumeKeyValueCache(runtime, bytes)).toThrow(withCode('CLOSED'));
  expect(Buffer.compare(cache.serialize(), bytes)).toBe(0);
  cache.release();
});
