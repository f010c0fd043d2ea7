/**
 * One run of a stream: from its source, through work, to one consumer.
 * @module
 */
import { isObservable } from 'rxjs';
import type { QuantizedTensor, Runtime, SchemeInput } from '../runtime/index.js';
import { closingOf } from './closing.js';
import { type Feed, PullFeed, PushFeed } from './feed.js';
import type { StreamSettings } from './options.js';
import { OrderedWork } from './ordered.js';
import type { StreamSource } from './source.js';

/** Who takes the results. */
export interface Consumer {
  /** Whether it takes a result, or the end, now. */
  readonly isReady: boolean;
  /** Takes a result, which is the consumer's from now on. */
  take(result: QuantizedTensor): void;
  /** Takes the error that is the end. */
  fail(error: unknown): void;
  /** Takes the end. */
  end(): void;
}

/** One run of a stream. */
export class Run {
  readonly #consumer: Consumer;
  readonly #work: OrderedWork;
  readonly #feed: Feed;
  /** Those that end the run: that of the caller, and that of the runtime. */
  readonly #signals: readonly AbortSignal[];
  #isSourceDone = false;
  /** What ended the run early. */
  #failure: { readonly error: unknown } | undefined;
  #isStopped = false;
  #isEndTaken = false;
  #isPumping = false;

  constructor(
    runtime: Runtime,
    source: StreamSource,
    scheme: SchemeInput,
    settings: StreamSettings,
    consumer: Consumer,
  ) {
    this.#consumer = consumer;
    this.#work = new OrderedWork(runtime, scheme, settings, () => this.pump());
    const closing = closingOf(runtime);
    this.#signals = settings.signal === undefined ? [closing] : [settings.signal, closing];
    const events = {
      done: () => {
        this.#isSourceDone = true;
        this.pump();
      },
      failed: (error: unknown) => this.#fail(error),
    };
    const { arena } = runtime.engine;
    this.#feed = isObservable(source)
      ? new PushFeed(source, arena, this.#work, settings, events)
      : new PullFeed(source, arena, this.#work, settings, events);
  }

  /** Turns to the source, unless the run is over already. */
  start(): void {
    for (const signal of this.#signals) {
      if (signal.aborted) return this.#fail(signal.reason);
    }
    for (const signal of this.#signals) signal.addEventListener('abort', this.#onAbort);
    this.#feed.start();
  }

  /** Hands the consumer what it takes. */
  pump(): void {
    // The consumer may ask for more while it takes a result: the loop below goes on by itself.
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (!this.#isEndTaken && this.#consumer.isReady && this.#step()) {
      // One result, or the end, a step.
    }
    this.#isPumping = false;
    // What was taken, or dropped, has left room behind.
    if (!this.#isStopped) this.#feed.proceed();
  }

  /** Lets go of the source, gives up what is in work, and releases what was not taken; more than once is once. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#onAbort);
    this.#feed.stop();
    this.#work.stop();
  }

  /** Hands over a result or the end; false where there is neither. */
  #step(): boolean {
    const front = this.#failure ?? this.#work.take();
    if (front === undefined) {
      if (!this.#isSourceDone || this.#work.size + this.#feed.waiting > 0) return false;
      this.#isEndTaken = true;
      this.stop();
      this.#consumer.end();
    } else if ('error' in front) {
      this.#isEndTaken = true;
      this.stop();
      this.#consumer.fail(front.error);
    } else {
      this.#consumer.take(front.result);
    }
    return true;
  }

  readonly #onAbort = (event: Event): void => this.#fail((event.target as AbortSignal).reason);

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#failure = { error };
    this.stop();
    this.pump();
  }
}
