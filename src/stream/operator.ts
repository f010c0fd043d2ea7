/**
 * The RxJS operator.
 * @module
 */
import type { Observable, OperatorFunction } from 'rxjs';
import type { QuantizedTensor, Runtime, SchemeInput, TensorInput } from '../runtime/index.js';
import { type StreamOptions, settle } from './options.js';
import { QuantizedStream } from './stream.js';

/**
 * Quantizes every tensor of an Observable and emits the results in the order of the tensors.
 *
 * An Observable cannot be slowed down, so `overflow` says what happens when it is too fast. Unsubscribing gives up what
 * is in work and releases what was not emitted.
 * @throws ERR_QUANTLANE_ARGUMENT for wrong options; errors of `Runtime.quantize` and ERR_QUANTLANE_OVERFLOW arrive as
 * error notifications
 */
export function quantize(
  runtime: Runtime,
  scheme: SchemeInput,
  options: StreamOptions = {},
): OperatorFunction<TensorInput, QuantizedTensor> {
  settle(options);
  return (source: Observable<TensorInput>) => new QuantizedStream(runtime, source, scheme, options);
}
