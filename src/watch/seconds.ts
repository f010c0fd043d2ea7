/**
 * A few numbers for each of the last seconds, in a ring.
 * @module
 */

/** Seconds that are kept: five minutes. */
export const SECONDS = 300;

/** Numbers by second. What a second has not seen is what it begins with. */
export class Seconds {
  /** The numbers, those of one second together; `at` says where. */
  readonly numbers: Float64Array;
  readonly #empty: Float64Array;
  /** The newest second, and the first one that counts. */
  #newest = Number.NEGATIVE_INFINITY;
  #first = Number.POSITIVE_INFINITY;

  /** @param empty what a second begins with, number by number */
  constructor(empty: readonly number[]) {
    this.#empty = Float64Array.from(empty);
    this.numbers = new Float64Array(empty.length * SECONDS);
  }

  /** Where the numbers of this moment begin, milliseconds of a clock that does not go back. */
  at(now: number): number {
    const second = Math.floor(now / 1000);
    if (second > this.#newest) this.#begin(second);
    return this.#place(second);
  }

  /**
   * Where the numbers of each second up to the one of this moment begin, the oldest first: those of the last `count`
   * seconds, but none before the first one that was written.
   */
  *last(now: number, count: number): Generator<number> {
    this.at(now);
    const from = Math.max(this.#newest - Math.min(count, SECONDS) + 1, this.#first);
    for (let second = from; second <= this.#newest; second++) yield this.#place(second);
  }

  #begin(second: number): void {
    if (this.#first === Number.POSITIVE_INFINITY) this.#first = second;
    const from = Math.max(this.#newest + 1, second - SECONDS + 1);
    for (let each = from; each <= second; each++) this.numbers.set(this.#empty, this.#place(each));
    this.#newest = second;
  }

  #place(second: number): number {
    // The seconds before the first one may be negative.
    return (((second % SECONDS) + SECONDS) % SECONDS) * this.#empty.length;
  }
}
