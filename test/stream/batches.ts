/** Batches whose values tell which they are, sources of them, and results as text. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';
import type {
  PlainTensor,
  QuantizedStream,
  QuantizedTensor,
  QuantizeOptions,
  StreamingRuntime,
  TensorInput,
  TensorLease,
} from '#src/index.js';

/** A preset with a parameter a row, used where the preset does not matter. */
export const SCHEME = 'vllm-int8-per-token';

/** Columns of a batch that runs in place, and of one that is too large for that. */
export const SMALL = 64;
export const LARGE = 300_000;

/** The values of batch `index`. */
export function values(index: number, columns = SMALL): Float32Array {
  return Float32Array.from({ length: columns }, (_, column) => Math.sin(index * 7 + column) * (1 + (index % 5)));
}

/** A batch in ordinary memory. */
export function plain(index: number, columns = SMALL): PlainTensor {
  return { dtype: 'float32', shape: [1, columns], data: values(index, columns) };
}

/** A batch in shared memory. */
export function leased(runtime: StreamingRuntime, index: number, columns = SMALL): TensorLease {
  const lease = runtime.lease('float32', [1, columns]);
  lease.data.set(values(index, columns));
  return lease;
}

/** A batch that is refused, for it is not finite. */
export function poison(): PlainTensor {
  return { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, Number.NaN) };
}

/** `count` batches in ordinary memory. */
export function plains(count: number, columns = SMALL): PlainTensor[] {
  return Array.from({ length: count }, (_, index) => plain(index, columns));
}

/** A generator that never ends, and what became of it. */
export function endless(make: (index: number) => TensorInput) {
  const state = { pulled: 0, isDone: false };
  async function* source(): AsyncGenerator<TensorInput> {
    try {
      for (;;) yield make(state.pulled++);
    } finally {
      state.isDone = true;
    }
  }
  return { state, source };
}

/** A source that brings one batch and is then stuck in `next()` until it is let go on. */
export function stuck() {
  const state = { isDone: false, goOn: (): void => undefined };
  async function* source(): AsyncGenerator<TensorInput> {
    try {
      yield plain(0);
      await new Promise<void>((resolve) => {
        state.goOn = resolve;
      });
      yield plain(1);
    } finally {
      state.isDone = true;
    }
  }
  return { state, source };
}

/** Codes and parameters as text; the tensor is released. */
export function take(quantized: QuantizedTensor): string {
  const { data, scale, zeroPoint } = quantized;
  const parts = [data, scale, zeroPoint].map((part) =>
    part === null ? '' : Buffer.from(new Uint8Array(part.buffer, part.byteOffset, part.byteLength)).toString('base64'),
  );
  quantized.release();
  return parts.join(' ');
}

/** What comes out when the batches are quantized one by one, on this thread. */
export function oneByOne(
  runtime: StreamingRuntime,
  batches: readonly TensorInput[],
  scheme: string = SCHEME,
  options: QuantizeOptions = {},
): string[] {
  return batches.map((batch) => take(runtime.quantizeSync(batch, scheme, options)));
}

/** All results of an iteration as text. */
export async function collect(results: AsyncIterable<QuantizedTensor>): Promise<string[]> {
  const found: string[] = [];
  for await (const result of results) found.push(take(result));
  return found;
}

/** Works a stream off as an Observable, and releases its results. */
export function ended(stream: QuantizedStream): Promise<void> {
  return stream.forEach((result) => {
    result.release();
  });
}

/** Lets everything happen that is under way and waits for nothing. */
export async function settle(turns = 20): Promise<void> {
  for (let index = 0; index < turns; index++) await turn();
}

/** Waits until a condition holds. */
export async function until(holds: () => boolean, milliseconds = 10_000): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!holds() && performance.now() < deadline) await turn();
  expect(holds(), 'what was waited for').toBe(true);
}
