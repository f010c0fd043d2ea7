/**
 * Rounding to integers, by definition. Those to the nearest begin with ⌊v + ½⌋, which rounds ties up. For a float32 the
 * sum is exact in float64, or v is so near to zero that its rounding decides nothing.
 * @module
 */
import { Rounding } from '../../scheme/codes.js';

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

/** `v`, any float64, rounded; for one of float64 ⌊v⌋ and what is left of v are exact. */
export function round(rounding: Rounding, v: number): number {
  if (rounding === Rounding.Truncate) return Math.trunc(v);
  const down = Math.floor(v);
  const rest = v - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  if (rounding === Rounding.HalfAway) return v < 0 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}
