/**
 * A stream as an async iterator.
 * @module
 */
import type { QuantizedTensor } from '../runtime/index.js';
import type { Consumer, Run } from './run.js';

type Step = IteratorResult<QuantizedTensor, undefined>;

/** A `next()` that is not answered. */
interface Asked {
  resolve(step: Step): void;
  reject(error: unknown): void;
}

/**
 * Iterates a run, which begins with the first `next()`. Unlike a generator it is ended by `return()` at once, even while
 * a `next()` is not answered.
 */
export class Iteration implements AsyncIterableIterator<QuantizedTensor> {
  readonly #run: Run;
  readonly #asked: Asked[] = [];
  #isStarted = false;
  #isOver = false;

  /** @param begin makes the run for a consumer */
  constructor(begin: (consumer: Consumer) => Run) {
    const asked = this.#asked;
    this.#run = begin({
      get isReady() {
        return asked.length > 0;
      },
      take: (result) => asked.shift()!.resolve({ value: result, done: false }),
      fail: (error) => {
        asked.shift()!.reject(error);
        this.#end();
      },
      end: () => this.#end(),
    });
  }

  next(): Promise<Step> {
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      if (this.#isStarted) return this.#run.pump();
      this.#isStarted = true;
      this.#run.start();
    });
  }

  return(): Promise<Step> {
    this.#run.stop();
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    this.#isOver = true;
    for (const asked of this.#asked.splice(0)) asked.resolve({ value: undefined, done: true });
  }
}
