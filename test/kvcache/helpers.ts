/** Caches of many kinds, tokens to fill them with, and attention by its definition. */
import { expect } from 'vitest';
import { KEY_VALUE_PRESETS, type KeyValueCache, type KeyValueStorage } from '#src/kvcache/index.js';
import { randomOf } from '../support/families.js';

/** Sizes of the small caches that most tests use. */
export const SIZES = { layers: 2, heads: 2, headDim: 16 } as const;

/** Values of a token of such a cache. */
export const WIDTH = SIZES.heads * SIZES.headDim;

/** Every named way to store, and ways that have no name. */
export const STORAGES: readonly (readonly [string, KeyValueStorage])[] = [
  ...KEY_VALUE_PRESETS.map(({ name, storage }) => [name, storage] as const),
  ['float32 keys, int8 values', { values: { dtype: 'int8', symmetric: false } }],
  ['int8 keys, float32 values', { keys: { dtype: 'int8', symmetric: false, granularity: 'perChannel' } }],
  ['int4 affine', { keys: { dtype: 'int4' }, values: { dtype: 'int4' }, sinks: 3, residual: 5, block: 8 }],
  [
    'int4 by channel, symmetric',
    { keys: { dtype: 'int4', granularity: 'perChannel', symmetric: true }, values: { dtype: 'fp8' }, block: 8 },
  ],
  [
    'fp8 by channel, rotated',
    {
      keys: { dtype: 'fp8', granularity: 'perChannel' },
      values: { dtype: 'int2', symmetric: true },
      rotate: true,
      block: 4,
    },
  ],
  ['keys rotated', { keys: { dtype: 'int8' }, values: { dtype: 'int4' }, rotate: { keys: true }, block: 1, sinks: 1 }],
];

/** `tokens` tokens of keys or values, a few of them large. */
export function rowsOf(seed: number, tokens: number, width: number = WIDTH): Float32Array {
  const random = randomOf(seed);
  return Float32Array.from({ length: tokens * width }, () => {
    const value = (random() + random() + random() - 1.5) * 2;
    return random() < 0.02 ? value * 10 : value;
  });
}

/** The bytes of an array, for comparisons of bits. */
export function bits(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** Stores the same kind of tokens in every layer, `chunk` at a time. */
export function fill(cache: KeyValueCache, seed: number, tokens: number, chunk = tokens): void {
  const { layers, heads, headDim } = cache.format;
  const width = heads * headDim;
  for (let layer = 0; layer < layers; layer++) {
    const keys = rowsOf(seed + layer, tokens, width);
    const values = rowsOf(seed + layer + 1000, tokens, width);
    for (let from = 0; from < tokens; from += chunk) {
      const part = [from * width, Math.min(tokens, from + chunk) * width] as const;
      cache.append(layer, keys.subarray(...part), values.subarray(...part));
    }
  }
}

/** Attention by its definition, in float64. */
export function attention(
  { keys, values }: { readonly keys: Float32Array; readonly values: Float32Array },
  query: Float32Array,
  heads: number,
  headDim: number,
  tokens: number,
): Float64Array {
  const queryHeads = query.length / headDim;
  const result = new Float64Array(query.length);
  for (let h = 0; h < queryHeads; h++) {
    const head = Math.floor((h * heads) / queryHeads);
    const at = (token: number, c: number): number => (token * heads + head) * headDim + c;
    const scores = Array.from({ length: tokens }, (_, t) => {
      let sum = 0;
      for (let c = 0; c < headDim; c++) sum += query[h * headDim + c]! * keys[at(t, c)]!;
      return sum / Math.sqrt(headDim);
    });
    const most = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - most));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let c = 0; c < headDim; c++) {
      result[h * headDim + c] = weights.reduce((sum, weight, t) => sum + weight * values[at(t, c)]!, 0) / total;
    }
  }
  return result;
}

/**
 * Asserts that a result of attention is near that of the definition. Queries and weights are integers of 16 bits where codes
 * are integers, so that a result may be off by some 2^−13 of the largest value.
 */
export function expectNear(found: Float32Array, expected: Float64Array, values: Float32Array): void {
  const amax = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const worst = found.reduce((most, x, at) => Math.max(most, Math.abs(x - expected[at]!)), 0);
  expect(worst).toBeLessThan(amax * 2 ** -13);
}
