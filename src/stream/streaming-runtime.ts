/**
 * The runtime with streams: what `createRuntime` gives.
 * @module
 */
import { Engine, Runtime, type RuntimeOptions, type SchemeInput } from '../runtime/index.js';
import { type StreamOptions, settle } from './options.js';
import { QuantizedStream, type StreamSource } from './stream.js';

/** A runtime that also works off streams. */
export class StreamingRuntime extends Runtime {
  /**
   * The quantized tensors of a source, in its order.
   *
   * An iterable or a ReadableStream is pulled: only while fewer than `concurrency` batches are in work and the arena has
   * room. An Observable pushes, so `overflow` says what happens when it is too fast.
   * @throws ERR_QUANTLANE_ARGUMENT for wrong options; errors of `quantize` end the stream
   */
  stream(source: StreamSource, scheme: SchemeInput, options: StreamOptions = {}): QuantizedStream {
    settle(options);
    return new QuantizedStream(this, source, scheme, options);
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
