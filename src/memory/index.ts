/**
 * Shared memory: one arena of fixed size, leases with one owner at a time, and requests that wait for room.
 * @module
 */

export type { AcquireOptions, ArenaOptions, ArenaStatistics } from './accounts.js';
export { Allocator, roundedBytes } from './allocator.js';
export { Arena } from './arena.js';
export { bytesIn } from './bytes.js';
export type { InputDtype, InputView } from './dtype.js';
export {
  bytesOf,
  checkDtype,
  elementsOf,
  INPUT_DTYPE_BYTES,
  INPUT_DTYPES,
  isInputDtype,
  viewOf,
} from './dtype.js';
export { fromHalf, halves, toHalf, widened } from './half.js';
export { type InPlaceWords, THREAD_WORDS_BYTES, ThreadWords } from './in-place-words.js';
export type { LeaseState } from './lease.js';
export { Lease, Ownership } from './lease.js';
export { clearOutcome, clearRange } from './outcome-words.js';
export { MAX_LANES, RING_BYTES, Ring, SLOTS } from './ring.js';
export { eachOfRun, hasBegun, isDirty, type RunBatch, withdrawBatch, writeRun } from './run-words.js';
export { formatSize, parseSize } from './size.js';
export { TensorLease } from './tensor-lease.js';
