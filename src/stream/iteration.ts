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

const END: Step = Object.freeze({ value: undefined, done: true });

/**
 * Iterates a run, which begins with the first `next()`. Unlike a generator it is ended by `return()` at once, even while
 * a `next()` is not answered.
 */
export class Iteration implements AsyncIterableIterator<QuantizedTensor> {
  readonly #run: Run;
  readonly #asked: Asked[] = [];
  /** Whether a `next()` looks for what is there already, and what it has found: most results need no resolver. */
  #isLooking = false;
  #found: Promise<Step> | undefined;
  #isStarted = false;
  #isOver = false;

  /** @param begin makes the run for a consumer */
  constructor(begin: (consumer: Consumer) => Run) {
    const isReady = (): boolean => this.#isLooking || this.#asked.length > 0;
    this.#run = begin({
      get isReady() {
        return isReady();
      },
      take: (result) => {
        const step: Step = { value: result, done: false };
        if (this.#isLooking) this.#find(Promise.resolve(step));
        else this.#asked.shift()!.resolve(step);
      },
      fail: (error) => {
        if (this.#isLooking) this.#find(Promise.reject(error));
        else this.#asked.shift()!.reject(error);
        this.#end();
      },
      end: () => this.#end(),
    });
  }

  next(): Promise<Step> {
    // Those that asked before come first.
    if (this.#isStarted && this.#asked.length === 0) this.#look();
    const found = this.#found;
    this.#found = undefined;
    if (found !== undefined) return found;
    if (this.#isOver) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      if (this.#isStarted) return;
      this.#isStarted = true;
      this.#run.start();
    });
  }

  return(): Promise<Step> {
    this.#run.stop();
    this.#end();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #look(): void {
    this.#isLooking = true;
    this.#run.pump();
    this.#isLooking = false;
  }

  #find(step: Promise<Step>): void {
    this.#isLooking = false;
    this.#found = step;
  }

  #end(): void {
    this.#isOver = true;
    for (const asked of this.#asked.splice(0)) asked.resolve(END);
  }
}
