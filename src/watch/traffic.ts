/**
 * What came through: batches, values and bytes in all and by second, and how long batches took.
 * @module
 */
import { Latency, type Percentiles } from './latency.js';
import { Seconds } from './seconds.js';

/** Seconds that a rate is the mean of. */
const RATE_SECONDS = 5;

/** Numbers of a second. */
const enum At {
  Batches,
  Elements,
  Bytes,
  Failed,
}

/** Batches, values and bytes. */
export interface Amounts {
  readonly batches: number;
  readonly elements: number;
  /** Bytes of the values as they came in. */
  readonly bytes: number;
  /** Batches that were refused or failed; they are not among the others. */
  readonly failed: number;
}

/** Numbers by second, the oldest first, up to the last second that is over. */
export interface TrafficSeries {
  readonly batches: readonly number[];
  readonly elements: readonly number[];
  readonly bytes: readonly number[];
}

/** Counts what comes through. */
export class Traffic {
  readonly #seconds = new Seconds([0, 0, 0, 0]);
  readonly #latency = new Latency();
  readonly #total = { batches: 0, elements: 0, bytes: 0, failed: 0 };

  /** Takes in a batch that is quantized, and the milliseconds that this took. */
  add(now: number, elements: number, bytes: number, milliseconds: number): void {
    const { numbers } = this.#seconds;
    const at = this.#seconds.at(now);
    numbers[at + At.Batches]!++;
    numbers[at + At.Elements]! += elements;
    numbers[at + At.Bytes]! += bytes;
    this.#total.batches++;
    this.#total.elements += elements;
    this.#total.bytes += bytes;
    this.#latency.record(now, milliseconds);
  }

  /** Takes in a batch that failed. */
  fail(now: number): void {
    this.#seconds.numbers[this.#seconds.at(now) + At.Failed]!++;
    this.#total.failed++;
  }

  /** All since the beginning. */
  get total(): Amounts {
    return { ...this.#total };
  }

  /** A second's amounts: the mean of the last five that are over. */
  rate(now: number): Amounts {
    const { batches, elements, bytes } = this.series(now, RATE_SECONDS);
    const mean = (numbers: readonly number[]): number => sumOf(numbers) / RATE_SECONDS;
    const failed = this.#past(now, RATE_SECONDS, At.Failed);
    return { batches: mean(batches), elements: mean(elements), bytes: mean(bytes), failed: mean(failed) };
  }

  /** How long batches took; null where there were none of late. */
  latency(now: number): Percentiles | null {
    return this.#latency.percentiles(now);
  }

  /** The last `count` seconds that are over. */
  series(now: number, count: number): TrafficSeries {
    return {
      batches: this.#past(now, count, At.Batches),
      elements: this.#past(now, count, At.Elements),
      bytes: this.#past(now, count, At.Bytes),
    };
  }

  #past(now: number, count: number, which: At): number[] {
    const all = [...this.#seconds.last(now, count + 1)].map((at) => this.#seconds.numbers[at + which]!);
    return all.slice(0, -1);
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
