/**
 * Ranges. A range contains zero and begins as [−0, +0], or it is that of the values alone and begins inside out.
 * @module
 */
import { NonFinite } from '../../scheme/codes.js';
import { Word } from '../../scheme/descriptor.js';
import type { Descriptor } from './descriptor.js';

/** A range under collection. */
export class Range {
  /** The largest value, at least +0 but for a range of the values alone; NaN where a NaN decides. */
  high = 0;
  /** The smallest value, at most −0 but for a range of the values alone. */
  low = -0;
  /** How many values were not finite. */
  bad = 0;

  /** Empties the range; `alone` where zero need not be in it. */
  clear(alone: boolean): void {
    this.high = alone ? Number.NEGATIVE_INFINITY : 0;
    this.low = alone ? Number.POSITIVE_INFINITY : -0;
    this.bad = 0;
  }

  /** Adds another range; NaN wins. */
  merge(high: number, low: number): void {
    if (Number.isNaN(high) || high > this.high) this.high = high;
    if (Number.isNaN(low) || low < this.low) this.low = low;
  }

  /**
   * Adds `count` values, by the policy of `d`: `error` and `saturate` leave out what is not finite, `propagate` takes
   * infinities, and NaN where the scheme lets it poison. Non-finite ones are reported in `d`: the first value has the
   * index `element` and each next one an index larger by `step`.
   */
  scan(d: Descriptor, values: Float32Array, count: number, element: number, step: number): void {
    const takesInfinity = d.int(Word.NonFinite) === NonFinite.Propagate;
    const takesNan = takesInfinity && d.int(Word.NanPoisons) !== 0;
    let high = this.high;
    let low = this.low;
    let bad = 0;
    let first = -1;
    for (let i = 0; i < count; i++) {
      const x = values[i]!;
      if (!Number.isFinite(x)) {
        if (bad++ === 0) first = i;
        if (takesNan && Number.isNaN(x)) high = Number.NaN;
        if (!takesInfinity) continue;
      }
      // −0 is below +0, which only a range of the values alone can tell.
      if (x > high || (x === 0 && high === 0)) high = Math.max(x, high);
      if (x < low || (x === 0 && low === 0)) low = Math.min(x, low);
    }
    this.high = high;
    this.low = low;
    if (bad > 0) this.#report(d, bad, element + first * step);
  }

  #report(d: Descriptor, bad: number, first: number): void {
    this.bad += bad;
    const before = d.int(Word.BadCount);
    if (before === 0 || first < d.address(Word.BadFirst)) d.setInt(Word.BadFirst, first);
    d.setInt(Word.BadCount, before + bad);
  }
}
