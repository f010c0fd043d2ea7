/**
 * The clock of a contender whose runs are one long flow, such as a stream.
 * @module
 */
import { median } from './statistics.js';

/**
 * Looks at the clock after every so many runs: a block that the scheduler leaves alone, on a busy machine too, where the
 * flow as a whole would be interrupted. The median of these blocks counts, as that of the blocks of a turn does.
 */
export class Marks {
  readonly #every: number;
  readonly #times: number[] = [];
  #start = process.hrtime.bigint();
  #seen = 0;

  /** @param every runs of a block */
  constructor(every: number) {
    this.#every = every;
  }

  /** A run is over. */
  count(): void {
    if (++this.#seen % this.#every !== 0) return;
    const now = process.hrtime.bigint();
    this.#times.push(Number(now - this.#start));
    this.#start = now;
  }

  /**
   * Nanoseconds of all runs.
   * @throws where there were not as many as expected
   */
  timeOf(runs: number): number {
    if (this.#seen !== runs) throw new Error(`Expected ${runs} results, got ${this.#seen}`);
    return (median(this.#times) / this.#every) * runs;
  }
}
