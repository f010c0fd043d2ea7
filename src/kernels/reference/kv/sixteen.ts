/**
 * Floats as integers of 16 bits with one step (equation 61), so that their products with codes are exact.
 * @module
 */
import { roundHalfEven } from '../../../numbers.js';

const { fround } = Math;

/** Integers from −limit to limit, and their step. */
export interface Sixteen {
  readonly integers: Int16Array;
  readonly step: number;
}

/** Values as integers; a NaN is 0. */
export function toSixteen(values: Float32Array, limit: number): Sixteen {
  let amax = 0;
  // A value that is NaN is not the largest.
  for (const value of values) if (Math.abs(value) > amax) amax = Math.abs(value);
  const multiplier = fround(limit / amax);
  const integers = Int16Array.from(values, (value) => {
    const scaled = fround(value * multiplier);
    return Number.isNaN(scaled) ? 0 : roundHalfEven(Math.min(Math.max(scaled, -limit), limit));
  });
  return { integers, step: fround(amax / limit) };
}

/** The sum of the products of integers and codes; it is below 2^31 and thus exact. */
export function exactProduct(integers: Int16Array, codes: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < codes.length; i++) sum += integers[i]! * codes[i]!;
  return sum;
}
