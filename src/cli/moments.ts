/**
 * Range, mean and deviation of values that come in parts.
 * @module
 */

/** What is known of a run of values; NaN and infinite ones are counted and left out of the rest. */
export class Moments {
  count = 0;
  nan = 0;
  infinite = 0;
  /** NaN where there is no finite value. */
  min = Number.NaN;
  max = Number.NaN;
  #mean = 0;
  /** Sum of squared distances from the mean. */
  #squares = 0;

  /** Takes in a part. */
  add(values: ArrayLike<number>): void {
    let [sum, min, max, finite] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      // The difference is NaN for both kinds.
      if (value - value !== 0) {
        if (Number.isNaN(value)) this.nan++;
        else this.infinite++;
        continue;
      }
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
      finite++;
    }
    if (finite === 0) return;
    const mean = sum / finite;
    let squares = 0;
    for (let index = 0; index < values.length; index++) {
      const distance = values[index]! - mean;
      if (distance - distance === 0) squares += distance * distance;
    }
    this.#merge(finite, mean, squares);
    if (!(min >= this.min)) this.min = min;
    if (!(max <= this.max)) this.max = max;
  }

  /** Finite values' mean; NaN where there is none. */
  get mean(): number {
    return this.count === 0 ? Number.NaN : this.#mean;
  }

  /** Finite values' standard deviation (of all, not of a sample); NaN where there is none. */
  get std(): number {
    return this.count === 0 ? Number.NaN : Math.sqrt(this.#squares / this.count);
  }

  /** Largest size of a finite value; NaN where there is none. */
  get amax(): number {
    return Math.max(-this.min, this.max);
  }

  /** Joins the moments of two parts (Chan, Golub and LeVeque). */
  #merge(count: number, mean: number, squares: number): void {
    const all = this.count + count;
    const distance = mean - this.#mean;
    this.#squares += squares + distance * distance * ((this.count * count) / all);
    this.#mean += (distance * count) / all;
    this.count = all;
  }
}
