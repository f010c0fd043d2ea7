/**
 * A stream of quantized tensors, in the order of its source.
 * @module
 */
import { Observable } from 'rxjs';
import type { QuantizedTensor, Runtime, SchemeInput } from '../runtime/index.js';
import { Iteration } from './iteration.js';
import { type StreamOptions, settle } from './options.js';
import { type Consumer, Run } from './run.js';
import { checkSource, type StreamSource } from './source.js';

/**
 * The results of a source, in its order: an Observable that can also be iterated. Each subscription or iteration works
 * the source off anew, as far as the source allows. Whoever takes a result releases it.
 *
 * Subscribed to, it delivers as fast as the results come; iterated, it holds at most `concurrency` results for the one
 * who iterates.
 *
 * It ends early with the first error of the source or of a batch whose turn it is, with the reason of `signal`, or with
 * ERR_QUANTLANE_CLOSED when the runtime is closed. The source is let go then, and what was not delivered is released; so
 * it is when the consumer leaves.
 */
export class QuantizedStream extends Observable<QuantizedTensor> implements AsyncIterable<QuantizedTensor> {
  readonly #begin: (consumer: Consumer) => Run;

  /** @throws ERR_QUANTLANE_ARGUMENT for wrong options or what is no source */
  constructor(runtime: Runtime, source: StreamSource, scheme: SchemeInput, options: StreamOptions = {}) {
    const settings = settle(options);
    checkSource(source);
    const begin = (consumer: Consumer) => new Run(runtime, source, scheme, settings, consumer);
    super((subscriber) => {
      const run = begin({
        get isReady() {
          return !subscriber.closed;
        },
        take: (result) => subscriber.next(result),
        fail: (error) => subscriber.error(error),
        end: () => subscriber.complete(),
      });
      // First, for the source may push, and the subscriber leave, within `start`.
      subscriber.add(() => run.stop());
      run.start();
    });
    this.#begin = begin;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<QuantizedTensor> {
    return new Iteration(this.#begin);
  }
}
