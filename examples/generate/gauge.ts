/**
 * How generation goes: its speed, the error of its activations, the size of its cache.
 * @module
 */
import { mergeStatistics } from '../../src/index.js';
import { type ErrorStatistics, NO_ERROR } from '../../src/runtime/index.js';

/** Counts tokens and errors. */
export class Gauge {
  #tokens = 0;
  #errors = NO_ERROR;
  #begin: number | undefined;

  /** Counts the error of quantized activations. The clock runs from the first ones on. */
  addError(statistics: ErrorStatistics): void {
    this.#begin ??= performance.now();
    this.#errors = mergeStatistics(this.#errors, statistics);
  }

  /** Counts a token. */
  addToken(): void {
    this.#tokens++;
  }

  /**
   * How it goes, in a line.
   * @param cacheBytes bytes of keys and values
   */
  line(cacheBytes: number): string {
    const seconds = (performance.now() - (this.#begin ?? performance.now())) / 1000;
    const rate = seconds > 0 ? this.#tokens / seconds : 0;
    const kibibytes = (cacheBytes / 1024).toFixed(0);
    return `${rate.toFixed(0)} tokens/s, activations ${this.#errors.sqnr.toFixed(1)} dB SQNR, cache ${kibibytes} KiB`;
  }
}
