/**
 * What came out of a stream, summed up.
 * @module
 */
import { mergeStatistics, type QuantizedTensor } from '../src/index.js';
import { INPUT_DTYPE_BYTES } from '../src/memory/index.js';
import { NO_ERROR } from '../src/runtime/index.js';

/** What a preset made of the tokens of a file. */
export interface Totals {
  readonly preset: string;
  readonly tokens: number;
  readonly elements: number;
  readonly bytesIn: number;
  /** Bytes of codes, scales and zero points. */
  readonly bytesOut: number;
  /** Signal to quantization noise in dB; null without any error. */
  readonly sqnr: number | null;
  /** Largest absolute error. */
  readonly maxError: number;
  /** Codes at an end of their range whose error is more than half a step. */
  readonly saturated: number;
  /** Seconds of streaming. */
  readonly seconds: number;
  readonly elementsPerSecond: number;
  /** Bytes that were copied into shared memory. */
  readonly copiedBytes: number;
}

/** Sums up the results of one preset. */
export class Account {
  tokens = 0;
  seconds = 0;
  copiedBytes = 0;
  #elements = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #errors = NO_ERROR;

  /** Counts a result and gives it back. */
  add(result: QuantizedTensor): void {
    const elements = result.shape[0]!;
    this.tokens++;
    this.#elements += elements;
    this.#bytesIn += elements * INPUT_DTYPE_BYTES[result.dtype];
    this.#bytesOut += result.byteLength;
    this.#errors = mergeStatistics(this.#errors, result.stats!);
    result.release();
  }

  /** The sums so far. */
  totals(preset: string): Totals {
    const { sqnr, maxError, saturated } = this.#errors;
    return {
      preset,
      tokens: this.tokens,
      elements: this.#elements,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      sqnr: Number.isFinite(sqnr) ? sqnr : null,
      maxError,
      saturated,
      seconds: this.seconds,
      elementsPerSecond: this.#elements / this.seconds,
      copiedBytes: this.copiedBytes,
    };
  }
}
