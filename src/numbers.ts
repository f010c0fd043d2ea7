/**
 * Numbers: facts and functions that rooms of every floor need.
 * @module
 */

/** The largest finite float32. */
export const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** Whether a value can count bytes or elements: a safe integer from 0; negative zero cannot. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

/** The product of sizes that are known to be good, as those of axes are; 1 for none. */
export function productOf(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

/** The ratio of two sums of squares in dB: 10·log10(signal / noise); Infinity without noise. */
export function decibels(signal: number, noise: number): number {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

/** The nearest integer to any float64, ties to the even one; ⌊v⌋ and what is left of v are exact. */
export function roundHalfEven(v: number): number {
  const down = Math.floor(v);
  const rest = v - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** ⌊log2⌋ of a positive number. */
export function exponentOf(x: number): number {
  const near = Math.floor(Math.log2(x));
  if (2 ** near > x) return near - 1;
  return 2 ** (near + 1) <= x ? near + 1 : near;
}
