/**
 * The runtime with streams: what `createRuntime` gives.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import {
  attachEngine,
  type CloseOptions,
  Engine,
  Runtime,
  type RuntimeOptions,
  type SchemeInput,
} from '../runtime/index.js';
import { endStreams } from './closing.js';
import type { StreamOptions } from './options.js';
import type { StreamSource } from './source.js';
import { QuantizedStream } from './stream.js';

/** A runtime that also works off streams. */
export class StreamingRuntime extends Runtime {
  /**
   * The quantized tensors of a source, in its order.
   *
   * An iterable or a ReadableStream is pulled: only while fewer than `concurrency` batches are in work and the arena has
   * room. An Observable pushes, so `overflow` says what happens when it is too fast. Batches that were leased in advance
   * must leave room for a result. Where they are in an array or come from an Observable, and nobody else has memory to give
   * back, the stream fails with ERR_QUANTLANE_ARENA_STUCK; with a generator or a ReadableStream of such leases it waits, for
   * nobody knows of them.
   * @throws ERR_QUANTLANE_ARGUMENT for wrong options or what is no source; errors of `quantize` end the stream
   */
  stream(source: StreamSource, scheme: SchemeInput, options: StreamOptions = {}): QuantizedStream {
    return new QuantizedStream(this, source, scheme, options);
  }

  /** See `Runtime.close`. Streams end at once, with ERR_QUANTLANE_CLOSED. */
  override close(options: CloseOptions = {}): Promise<void> {
    endStreams(this);
    return super.close(options);
  }

  /** See `Runtime.destroy`. Streams end at once, with ERR_QUANTLANE_CLOSED. */
  override destroy(): Promise<void> {
    endStreams(this);
    return super.destroy();
  }
}

/**
 * Makes a runtime: an arena of shared memory, and lanes that are ready when the promise settles. Close it, or let
 * `await using` do so; an idle runtime does not keep the process alive.
 * @throws ERR_QUANTLANE_ARGUMENT, ERR_QUANTLANE_LANE_START, ERR_QUANTLANE_KERNEL
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<StreamingRuntime> {
  return new StreamingRuntime(await Engine.start(options));
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
