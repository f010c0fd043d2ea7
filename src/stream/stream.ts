/**
 * A stream of quantized tensors, in the order of its source.
 * @module
 */
import { isObservable, Observable, type Subscriber } from 'rxjs';
import { fail, got } from '../errors.js';
import type { QuantizedTensor, Runtime, SchemeInput, TensorInput } from '../runtime/index.js';
import { type Feed, PullFeed, PushFeed } from './feed.js';
import { type StreamOptions, settle } from './options.js';
import { OrderedWork } from './ordered.js';

/** Where batches come from. */
export type StreamSource =
  | Observable<TensorInput>
  | AsyncIterable<TensorInput>
  | Iterable<TensorInput>
  | ReadableStream<TensorInput>;

/** Who takes the results. */
interface Consumer {
  /** A result may be taken, or the stream has ended. */
  onReady(): void;
}

/** One run of a stream, for one consumer. */
class Run {
  readonly #work: OrderedWork;
  readonly #feed: Feed;
  readonly #signal: AbortSignal | undefined;
  #isSourceDone = false;
  #end: { readonly error: unknown } | undefined;
  #isStopped = false;
  readonly #onAbort = (): void => this.#fail(this.#signal?.reason);

  constructor(runtime: Runtime, source: StreamSource, scheme: SchemeInput, options: StreamOptions, consumer: Consumer) {
    const settings = settle(options);
    this.#signal = settings.signal;
    this.#work = new OrderedWork(runtime, scheme, settings, () => consumer.onReady());
    const events = {
      done: () => {
        this.#isSourceDone = true;
        consumer.onReady();
      },
      failed: (error: unknown) => {
        this.#fail(error);
        consumer.onReady();
      },
    };
    this.#onFail = () => consumer.onReady();
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#feed = isObservable(source)
      ? new PushFeed(source, this.#work, settings, events)
      : new PullFeed(iteratorOf(source), runtime.engine.arena, this.#work, settings, events);
    if (this.#signal?.aborted === true) this.#onAbort();
    if (this.#end !== undefined) this.stop();
    this.#feed.proceed();
  }

  readonly #onFail: () => void;

  /** The next result, the end, or undefined while there is neither. */
  take(): { readonly result: QuantizedTensor } | { readonly error: unknown } | 'complete' | undefined {
    if (this.#end !== undefined) return this.#end;
    const front = this.#work.take();
    if (front !== undefined && 'error' in front) this.#fail(front.error);
    else if (front !== undefined) this.#feed.proceed();
    else if (this.#isSourceDone && this.#work.size === 0 && this.#feed.waiting === 0) return 'complete';
    return front;
  }

  /** Lets go of the source and gives up what is in work. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#feed?.stop();
    this.#work.stop();
  }

  #fail(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    if (this.#feed !== undefined) this.stop();
    this.#onFail();
  }
}

/**
 * The results of a source, in its order: an Observable that can also be iterated. Each subscription or iteration works
 * the source off anew, as far as the source allows. Whoever takes a result releases it.
 *
 * Subscribed to, it delivers as fast as the results come; iterated, it holds at most `concurrency` results for the one
 * who iterates.
 */
export class QuantizedStream extends Observable<QuantizedTensor> implements AsyncIterable<QuantizedTensor> {
  readonly #start: (consumer: Consumer) => Run;

  constructor(runtime: Runtime, source: StreamSource, scheme: SchemeInput, options: StreamOptions = {}) {
    const start = (consumer: Consumer) => new Run(runtime, source, scheme, options, consumer);
    super((subscriber) => deliver(start, subscriber));
    this.#start = start;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<QuantizedTensor, void, undefined> {
    let wake = (): void => undefined;
    const run = this.#start({ onReady: () => wake() });
    try {
      for (;;) {
        const ready = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const taken = run.take();
        if (taken === 'complete') return;
        if (taken === undefined) await ready;
        else if ('error' in taken) throw taken.error;
        else yield taken.result;
      }
    } finally {
      run.stop();
    }
  }
}

/** Delivers results to a subscriber; gives back what ends it. */
function deliver(start: (consumer: Consumer) => Run, subscriber: Subscriber<QuantizedTensor>): () => void {
  let run: Run | undefined;
  let isDelivering = false;
  const onReady = (): void => {
    // Not before the run is there, and not within a delivery: the loop below goes on by itself.
    if (run === undefined || isDelivering) return;
    isDelivering = true;
    while (!subscriber.closed) {
      const taken = run.take();
      if (taken === undefined) break;
      if (taken === 'complete') subscriber.complete();
      else if ('error' in taken) subscriber.error(taken.error);
      else subscriber.next(taken.result);
    }
    isDelivering = false;
  };
  run = start({ onReady });
  onReady();
  return () => run.stop();
}

function iteratorOf(
  source: Exclude<StreamSource, Observable<TensorInput>>,
): AsyncIterator<TensorInput> | Iterator<TensorInput> {
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
    if (Symbol.iterator in source) return source[Symbol.iterator]();
  }
  const expected = 'an Observable, an AsyncIterable, an Iterable or a ReadableStream';
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected} of tensors, got ${got(source)}`);
}
