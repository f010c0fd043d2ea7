/**
 * What a runtime is to those who use it, wherever its work is done.
 * @module
 */
import type { InputDtype, TensorLease } from '../memory/index.js';
import type {
  CallOptions,
  CloseOptions,
  QuantizedParts,
  QuantizedTensor,
  QuantizeOptions,
  RangeResult,
  RuntimeMetrics,
  SchemeInput,
  TensorInput,
} from '../runtime/index.js';
import type { StreamOptions } from './options.js';
import type { StreamSource } from './source.js';
import type { QuantizedStream } from './stream.js';

/**
 * A runtime: leases in, quantized tensors out. That of this process (`createRuntime`), that of another thread
 * (`attachRuntime`) and that of other hosts (`remote`) are all one, so code that takes this type works with each of them.
 */
export interface QuantizingRuntime {
  /** See `Runtime.lease`. */
  lease<D extends InputDtype>(dtype: D, shape: readonly number[]): TensorLease<D>;
  /** See `Runtime.acquire`. */
  acquire<D extends InputDtype>(dtype: D, shape: readonly number[], options?: CallOptions): Promise<TensorLease<D>>;
  /** See `Runtime.hasRoom`. */
  hasRoom(dtype: InputDtype, shape: readonly number[]): boolean;
  /** See `Runtime.quantize`. */
  quantize(tensor: TensorInput, scheme: SchemeInput, options?: QuantizeOptions): Promise<QuantizedTensor>;
  /** See `Runtime.dequantize`. */
  dequantize(quantized: QuantizedTensor, options?: CallOptions): Promise<TensorLease<'float32'>>;
  /** See `Runtime.range`. */
  range(tensor: TensorInput, scheme: SchemeInput, options?: CallOptions): Promise<RangeResult>;
  /** See `Runtime.load`. */
  load(parts: QuantizedParts, options?: CallOptions): Promise<QuantizedTensor>;
  /** See `StreamingRuntime.stream`. */
  stream(source: StreamSource, scheme: SchemeInput, options?: StreamOptions): QuantizedStream;
  /** See `Runtime.metrics`. */
  metrics(): RuntimeMetrics;
  /** See `Runtime.drain`. */
  drain(): Promise<void>;
  /** See `Runtime.close`. */
  close(options?: CloseOptions): Promise<void>;
  /** See `Runtime.destroy`. */
  destroy(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}
