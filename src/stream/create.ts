/**
 * Runtimes of Node.js.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import { attachEngine, LanePool, type RuntimeOptions, startEngine } from '../runtime/index.js';
import { StreamingRuntime } from './streaming-runtime.js';

/**
 * Makes a runtime: an arena of shared memory, and lanes that are ready when the promise settles. Close it, or let
 * `await using` do so; an idle runtime does not keep the process alive.
 * @throws ERR_QUANTLANE_ARGUMENT, ERR_QUANTLANE_LANE_START, ERR_QUANTLANE_KERNEL
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<StreamingRuntime> {
  return new StreamingRuntime(await startEngine(options, LanePool));
}

/**
 * The runtime that `runtime.connect()` of another thread gave a port for: the same API on this thread. Leases lie in the
 * same shared memory, so other threads may read them by views that are sent to them. Close it; its memory goes back when
 * the last lease is released.
 * @throws ERR_QUANTLANE_ARGUMENT for no such port, ERR_QUANTLANE_CLOSED where the runtime is closed
 */
export async function attachRuntime(port: MessagePort): Promise<StreamingRuntime> {
  return new StreamingRuntime(await attachEngine(port));
}
