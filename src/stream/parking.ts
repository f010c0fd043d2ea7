/**
 * Batches that a stream knows of before their turn, and the memory that they hold meanwhile.
 * @module
 */
import { type Arena, TensorLease } from '../memory/index.js';
import type { TensorInput } from '../runtime/index.js';

/** Whether a batch is leased already: it needs room for its result only. */
export function isLeased(batch: TensorInput | undefined): boolean {
  return batch instanceof TensorLease && batch.state === 'owned';
}

/**
 * Tells the arena of the leases among batches that wait for their turn. Nobody gives them back before those that are in
 * work, so where these wait for room too, they wait for ever, and the arena rejects one of them.
 * @param waiting the batches that wait, at the time
 * @returns ends that
 */
export function park(arena: Arena, waiting: () => readonly TensorInput[]): () => void {
  return arena.park(() => {
    let bytes = 0;
    // A batch that comes twice holds its memory once.
    for (const batch of new Set(waiting())) if (isLeased(batch)) bytes += (batch as TensorLease).allocatedBytes;
    return bytes;
  });
}
