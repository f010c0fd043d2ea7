/**
 * What rounds of measurements say: a median and how far it may be trusted.
 * @module
 */

/** A median and the interval that holds the true one with 95 % confidence. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Resamples of a bootstrap; enough for ends of an interval that move by less than they are rounded to. */
const RESAMPLES = 2_000;
const CONFIDENCE = 0.95;

/**
 * The middle one, or the mean of the two in the middle.
 * @throws for no values
 */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * The value that a share of all values is below, interpolated between neighbours.
 * @param share from 0, the smallest, to 1, the largest
 * @throws for no values
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('Expected values, got none');
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

/** Numbers from 0 up to 1 that only depend on the seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The median of values and its interval: percentiles of the medians of resamples (bootstrap). The same values and seed
 * give the same interval.
 */
export function estimate(values: readonly number[], seed = 1): Estimate {
  const random = randomFrom(seed);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)]!)),
  );
  const tail = (1 - CONFIDENCE) / 2;
  return { value: median(values), low: quantile(medians, tail), high: quantile(medians, 1 - tail) };
}

/**
 * How many times as large `above` is as `below`, round by round.
 *
 * The ratio is taken within each round and the median over the rounds, rather than the ratio of two medians: what slows a
 * shared machine down lasts longer than a round, so it falls on both sides of a pair and cancels, while it would widen
 * the interval of either median alone.
 * @throws where the rounds are not pairs
 */
export function ratio(above: readonly number[], below: readonly number[]): Estimate {
  if (above.length !== below.length) throw new Error(`Expected pairs, got ${above.length} and ${below.length} rounds`);
  return estimate(above.map((value, round) => value / below[round]!));
}

/** How much larger `above` is than `below`, round by round; see `ratio`. */
export function difference(above: readonly number[], below: readonly number[]): Estimate {
  if (above.length !== below.length) throw new Error(`Expected pairs, got ${above.length} and ${below.length} rounds`);
  return estimate(above.map((value, round) => value - below[round]!));
}
