/**
 * Steps of many texts in one pass through the model.
 * @module
 */
import { setImmediate } from 'node:timers/promises';
import type { LlamaModel, Segment } from './model.js';

/** Texts, and rows of tokens, that one pass takes; a text with more rows is a pass of its own. */
const MOST_TEXTS = 32;
const MOST_ROWS = 512;

/** A step that is to be taken. */
interface Request {
  readonly segment: Segment;
  readonly signal: AbortSignal;
  resolve(logits: Float32Array): void;
  reject(error: unknown): void;
}

/**
 * Collects the steps of texts and takes them together. The logits of a text are the same alone and among others, for no
 * operation of the model mixes rows.
 */
export class Stepper {
  readonly #model: LlamaModel;
  readonly #waiting: Request[] = [];
  #isRunning = false;

  constructor(model: LlamaModel) {
    this.#model = model;
  }

  /**
   * Adds tokens to a text. The cache is not touched before the next turn of the event loop.
   * @param signal gives the step up as long as it waits
   * @returns the logits after the last token; after one that fails the cache has the tokens that it had
   */
  step(segment: Segment, signal: AbortSignal): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ segment, signal, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      // All texts of the last pass have their logits now and ask for the next step, so that they are together again.
      await setImmediate();
      await this.#pass(this.#take());
    }
    this.#isRunning = false;
  }

  /** The requests of the next pass, the longest waiting first. */
  #take(): Request[] {
    const taken: Request[] = [];
    let rows = 0;
    while (taken.length < MOST_TEXTS && this.#waiting.length > 0) {
      const [next] = this.#waiting as [Request];
      rows += next.segment.ids.length;
      if (taken.length > 0 && rows > MOST_ROWS) break;
      this.#waiting.shift();
      if (next.signal.aborted) next.reject(next.signal.reason);
      else taken.push(next);
    }
    return taken;
  }

  async #pass(requests: readonly Request[]): Promise<void> {
    if (requests.length === 0) return;
    try {
      const outcomes = await this.#model.attempt(requests.map(({ segment }) => segment));
      for (const [at, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') requests[at]!.resolve(outcome.value);
        else requests[at]!.reject(outcome.reason);
      }
    } catch (error) {
      for (const { reject } of requests) reject(error);
    }
  }
}
