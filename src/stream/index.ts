/**
 * Streams: batches in, quantized tensors out, in order and in bounded memory.
 * @module
 */

export { attachRuntime, createRuntime } from './create.js';
export { quantize } from './operator.js';
export { buffer, type Overflow, type StreamOptions } from './options.js';
export type { QuantizingRuntime } from './quantizing-runtime.js';
export type { RunningRange } from './running-range.js';
export type { PullSource, StreamSource } from './source.js';
export { QuantizedStream } from './stream.js';
export { StreamingRuntime } from './streaming-runtime.js';
