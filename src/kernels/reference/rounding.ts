/**
 * Rounding to integers, by definition. Both begin with ⌊v + ½⌋, which rounds ties up. For a float32 the sum is exact in
 * float64, or v is so near to zero that its rounding decides nothing.
 * @module
 */

/** The nearest integer to `v`, ties to the even one. */
export function roundHalfEven(v: number): number {
  const up = Math.floor(v + 0.5);
  return up - v === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** The nearest integer to `v`, ties to the one farther from zero. */
export function roundHalfAway(v: number): number {
  const up = Math.floor(v + 0.5);
  return up - v === 0.5 && v < 0 ? up - 1 : up;
}
