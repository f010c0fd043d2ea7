/**
 * The runtime with streams: what `createRuntime` gives.
 * @module
 */
import type { CloseOptions, SchemeInput } from '../runtime/index.js';
import { Runtime } from '../runtime/runtime.js';
import { endStreams } from './closing.js';
import type { StreamOptions } from './options.js';
import type { QuantizingRuntime } from './quantizing-runtime.js';
import type { StreamSource } from './source.js';
import { QuantizedStream } from './stream.js';

/** A runtime that also works off streams. */
export class StreamingRuntime extends Runtime implements QuantizingRuntime {
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
