/**
 * What a host does with a batch.
 * @module
 */
import { type ErrorCode, QuantlaneError } from '../errors.js';
import type { QuantizedTensor, RangeResult, Runtime } from '../runtime/index.js';
import { copySlowly } from '../runtime/tensor.js';
import type { Batch } from './batch.js';

/** What became of a batch; a quantized tensor is to be released. */
export type Performed = { readonly result: QuantizedTensor } | { readonly range: RangeResult };

/** Errors of this host at this moment, which another host, or a later moment, need not have. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_QUANTLANE_ARENA_FULL',
  'ERR_QUANTLANE_ARENA_STUCK',
  'ERR_QUANTLANE_LANE_START',
  'ERR_QUANTLANE_LANE_LOST',
  'ERR_QUANTLANE_CLOSED',
  'ERR_QUANTLANE_OVERLOADED',
  'ERR_QUANTLANE_UNREACHABLE',
  'ERR_QUANTLANE_CONNECTION_LOST',
]);

/** Whether a batch that failed so should be tried again. */
export function isTransient(error: unknown): boolean {
  return error instanceof QuantlaneError && TRANSIENT.has(error.code);
}

/** Carries a batch out; its values are copied into the arena, wherever they lie. */
export async function perform(runtime: Runtime, batch: Batch): Promise<Performed> {
  const { task, scheme, dtype, shape, bytes, options } = batch;
  const lease = await runtime.acquire(dtype, shape);
  try {
    await copySlowly(bytes, new Uint8Array(lease.buffer, lease.byteOffset, lease.byteLength));
    if (task === 'range') return { range: await runtime.range(lease, scheme) };
    return { result: await runtime.quantize(lease, scheme, options) };
  } finally {
    // The call has used it up, but for a range.
    lease[Symbol.dispose]();
  }
}
