/**
 * Work that several cases measure: leases with values, and calls on them.
 * @module
 */
import type { InputDtype, QuantizeOptions, Runtime, SchemeInput, TensorLease } from '../src/index.js';
import { type Contender, later, now } from './rounds.js';

/** A lease of float32 that is filled by a function. */
export function filled(
  runtime: Runtime,
  shape: readonly number[],
  fill: (into: Float32Array) => unknown = activations,
): TensorLease<'float32'> {
  const batch = runtime.lease('float32', shape);
  fill(batch.data);
  return batch;
}

/** Values as of activations: of both signs, of sizes that differ. */
export function activations(into: Float32Array): Float32Array {
  for (let index = 0; index < into.length; index++) into[index] = Math.sin(index * 1.7) * (1 + (index % 5));
  return into;
}

/** `quantizeSync` on a lease that is kept. */
export function atOnce(
  name: string,
  runtime: Runtime,
  batch: TensorLease<InputDtype>,
  scheme: SchemeInput,
  options: QuantizeOptions = {},
): Contender {
  const settings = { ...options, keep: true };
  return now(name, () => runtime.quantizeSync(batch, scheme, settings).release());
}

/** `quantize` on a lease that is kept. */
export function awaited(
  name: string,
  runtime: Runtime,
  batch: TensorLease<InputDtype>,
  scheme: SchemeInput,
): Contender {
  const settings = { keep: true };
  return later(name, async () => (await runtime.quantize(batch, scheme, settings)).release());
}

/** @throws where the bytes are not the same: to compare the speed of different answers would be worth nothing */
export function assertSame(what: string, found: ArrayBufferView, expected: ArrayBufferView): void {
  const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (Buffer.compare(bytes(found), bytes(expected)) !== 0) throw new Error(`${what}: the bytes differ`);
}
