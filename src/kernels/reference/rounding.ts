/**
 * Rounding to integers, by definition.
 * @module
 */
import { roundHalfEven } from '../../numbers.js';
import { Rounding } from '../../scheme/codes.js';

/** The nearest integer to any float64, ties to the one farther from zero; ⌊v⌋ and what is left of v are exact. */
export function roundHalfAway(v: number): number {
  const down = Math.floor(v);
  const rest = v - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return v < 0 ? down : down + 1;
}

/** `v`, any float64, rounded. */
export function round(rounding: Rounding, v: number): number {
  if (rounding === Rounding.Truncate) return Math.trunc(v);
  if (rounding === Rounding.Floor) return Math.floor(v);
  return rounding === Rounding.HalfAway ? roundHalfAway(v) : roundHalfEven(v);
}
