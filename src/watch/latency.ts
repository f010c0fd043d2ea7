/**
 * How long calls took of late: percentiles from histograms of bounded size.
 * @module
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { Recent } from './recent.js';

/** Percentiles of the last 30 to 60 seconds, in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** Calls that they are of. */
  readonly calls: number;
}

/** The longest time that is told from a longer one, in microseconds. */
const LONGEST = 60_000_000;

/** Where two parts are added up; one for all, for nothing waits meanwhile. */
const sum = histogram();

/** Latencies, each within 1 % but for those under 128 µs, which are whole microseconds. */
export class Latency {
  readonly #recent = new Recent(histogram, (counter) => counter.reset());

  /** Takes in how long a call took. */
  record(now: number, milliseconds: number): void {
    this.#recent.at(now).record(Math.min(Math.max(1, Math.round(milliseconds * 1000)), LONGEST));
  }

  /** The percentiles; null where there was no call. */
  percentiles(now: number): Percentiles | null {
    sum.reset();
    for (const part of this.#recent.both(now)) if (part.count > 0) sum.add(part);
    if (sum.count === 0) return null;
    const of = (percent: number): number => sum.percentile(percent) / 1000;
    return { p50: of(50), p90: of(90), p99: of(99), max: sum.max / 1000, calls: sum.count };
  }
}

function histogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: LONGEST, figures: 2 });
}
