/** Tensors of random values, and results as copies. */
import { expect } from 'vitest';
import type { QuantizedTensor, Runtime, SchemeInput, TensorLease } from '#src/index.js';
import { randomOf } from '../support/families.js';
import { difference } from '../support/vectors.js';

export { randomOf };

/** What a call gave, copied: it stays readable after the release. */
export interface Result {
  readonly codes: Uint8Array;
  readonly scale: Uint8Array;
  readonly zeroPoint: Uint8Array;
}

const NOTHING = new Uint8Array();

/** Bytes of a view, copied from shared memory. */
export function copied(view: ArrayBufferView | null): Uint8Array {
  if (view === null) return NOTHING;
  return Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
}

/** Copies a result and gives it back. */
export function take(quantized: QuantizedTensor): Result {
  const { data, scale, zeroPoint } = quantized;
  const result = { codes: copied(data), scale: copied(scale), zeroPoint: copied(zeroPoint) };
  quantized.release();
  return result;
}

/** Asserts that two results have the same bytes; a difference is one line. */
export function expectSame(actual: Result, expected: Result, name = ''): void {
  const parts = ['codes', 'scale', 'zeroPoint'] as const;
  const differences = parts.map((part) => difference(actual[part], expected[part])).filter((text) => text !== '');
  expect(differences, name).toEqual([]);
}

/** What values give at once on this thread. */
export function resultAtOnce(
  runtime: Runtime,
  shape: readonly number[],
  data: Float32Array,
  scheme: SchemeInput,
): Result {
  return take(runtime.quantizeSync({ dtype: 'float32', shape, data }, scheme));
}

/** Values around zero with a few large ones, as activations have. */
export function valuesOf(count: number, seed = 1): Float32Array {
  const random = randomOf(seed);
  return Float32Array.from({ length: count }, () => {
    const value = (random() + random() + random() - 1.4) * 3;
    return random() < 0.01 ? value * 20 : value;
  });
}

/** A lease with these values. */
export function leaseOf(runtime: Runtime, shape: readonly number[], values: Float32Array): TensorLease<'float32'> {
  const lease = runtime.lease('float32', shape);
  lease.data.set(values);
  return lease;
}

/** Options with which nothing is small enough to run in place at once: work goes to the lanes, or into slices. */
export const FORCED = { inPlaceLimit: 0 } as const;

/** Lets timers and immediates run until the condition holds; fails after some seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > 10_000) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
