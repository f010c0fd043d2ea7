/**
 * A runtime for one test, after which nothing may be left: no lease, no call, no leak, no waiting request.
 */

import { expect } from 'vitest';
import { createRuntime, type RuntimeOptions, type StreamingRuntime } from '#src/index.js';

/** The ways to run that must give the same bytes. */
export const PLACES: readonly (RuntimeOptions & { readonly name: string })[] = [
  { name: 'in place, SIMD', lanes: 0, kernels: 'simd' },
  { name: 'in place, scalar', lanes: 0, kernels: 'scalar' },
  { name: '1 lane, SIMD', lanes: 1, kernels: 'simd' },
  { name: '2 lanes, SIMD', lanes: 2, kernels: 'simd' },
  { name: '4 lanes, SIMD', lanes: 4, kernels: 'simd' },
  { name: '2 lanes, scalar', lanes: 2, kernels: 'scalar' },
];

/** Runs `body` with a runtime, asserts that everything is back, and closes it. */
export async function withRuntime<T>(
  options: RuntimeOptions,
  body: (runtime: StreamingRuntime) => Promise<T> | T,
): Promise<T> {
  const { lanes = 0, memory = '32MiB', ...rest } = options;
  const runtime = await createRuntime({ lanes, memory, ...rest });
  try {
    const result = await body(runtime);
    await expectIdle(runtime);
    return result;
  } finally {
    await runtime.destroy();
  }
}

/** Asserts that nothing is in use, once every call is over. */
export async function expectIdle(runtime: StreamingRuntime): Promise<void> {
  await runtime.drain();
  const { arena, pending } = runtime.metrics();
  expect({ ...arena, pending }).toMatchObject({ inUse: 0, leases: 0, leaked: 0, waiting: 0, pending: 0 });
}
