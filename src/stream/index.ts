/**
 * Streams: batches in, quantized tensors out, in order and in bounded memory.
 * @module
 */

export { quantize } from './operator.js';
export { buffer, type Overflow, type StreamOptions } from './options.js';
export { QuantizedStream, type StreamSource } from './stream.js';
export { createRuntime, StreamingRuntime } from './streaming-runtime.js';
