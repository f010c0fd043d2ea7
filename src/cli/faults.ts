/**
 * NaN and infinite values that the boxes of one tensor report, counted for the whole tensor.
 * @module
 */
import { fail, QuantlaneError } from '../errors.js';
import { coordinates } from './grid.js';

/** NaN and infinite values of one tensor. */
export class Faults {
  #count = 0;
  #first = Number.POSITIVE_INFINITY;

  /** Whether there are any. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /**
   * Counts what a box reports.
   * @param at first element of the box in the tensor
   * @throws any other error
   */
  take(error: unknown, at: number): void {
    if (!(error instanceof QuantlaneError) || error.code !== 'ERR_QUANTLANE_NON_FINITE') throw error;
    this.#count += error.details['count'] as number;
    this.#first = Math.min(this.#first, at + (error.details['first'] as number));
  }

  /** @throws ERR_QUANTLANE_NON_FINITE where there are any */
  check(shape: readonly number[]): void {
    if (this.isEmpty) return;
    const place = shape.length < 2 ? '' : `, [${coordinates(shape, this.#first).join(', ')}]`;
    const text = `Expected finite values, got ${this.#count} NaN or infinite, the first at ${this.#first}${place}`;
    throw fail('ERR_QUANTLANE_NON_FINITE', text, { details: { count: this.#count, first: this.#first } });
  }
}
