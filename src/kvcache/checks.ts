/**
 * What a call of a cache is given.
 * @module
 */
import { fail, got } from '../errors.js';
import { isCount } from '../numbers.js';

/** @throws ERR_QUANTLANE_ARGUMENT for what is no integer from `least` to `most` */
export function checkCount(name: string, value: unknown, least: number, most: number): void {
  if (isCount(value) && value >= least && value <= most) return;
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected ${name}: an integer from ${least} to ${most}, got ${got(value)}`);
}

/** @throws ERR_QUANTLANE_SHAPE for what is no Float32Array of a multiple of `width` values, at least one of them */
export function checkRows(name: string, values: Float32Array, width: number): void {
  const length = values instanceof Float32Array ? values.length : Number.NaN;
  if (length > 0 && length % width === 0) return;
  const actual = Number.isNaN(length) ? got(values) : `${length} values`;
  throw fail('ERR_QUANTLANE_SHAPE', `Expected ${name}: a Float32Array of a multiple of ${width} values, got ${actual}`);
}

/** @throws ERR_QUANTLANE_NON_FINITE with the details `{ count, first }` */
export function checkFinite(name: string, values: Float32Array): void {
  let count = 0;
  let first = -1;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    // The difference is NaN for infinities and NaN, else 0.
    if (value - value === 0) continue;
    count++;
    if (first < 0) first = index;
  }
  if (count === 0) return;
  const text = `Expected finite ${name}, got ${count} NaN or infinite, the first at ${first}`;
  throw fail('ERR_QUANTLANE_NON_FINITE', text, { details: { count, first } });
}
