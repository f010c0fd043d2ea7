/**
 * The values of a batch as float32, and those among them that are not finite.
 * @module
 */
import { fail, got } from '../errors.js';
import { checkDtype, type InputDtype, widened } from '../memory/index.js';

/** What an observer takes: numbers for float32, raw bits for the 16-bit types. */
export type ObservedValues = Float32Array | Uint16Array;

/**
 * The values as float32; those of float32 are the array itself, the others a copy.
 * @throws `ERR_QUANTLANE_DTYPE` where the array does not fit the type
 */
export function floatsOf(values: ObservedValues, dtype: InputDtype): Float32Array {
  if (checkDtype(dtype) === 'float32') {
    if (values instanceof Float32Array) return values;
    throw fail('ERR_QUANTLANE_DTYPE', `Expected a Float32Array of float32 values, got ${got(values)}`);
  }
  if (!(values instanceof Uint16Array)) {
    throw fail('ERR_QUANTLANE_DTYPE', `Expected a Uint16Array of ${dtype} bits, got ${got(values)}`);
  }
  return widened(dtype as 'float16' | 'bfloat16', values);
}

/** How many values are not finite, and the index of the first; −1 where all are. */
export function nonFiniteOf(values: Float32Array): { readonly count: number; readonly first: number } {
  let count = 0;
  let first = -1;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value - value === 0) continue;
    if (count++ === 0) first = index;
  }
  return { count, first };
}

/** The finite values in their order; the array itself where `bad`, the number of others, is 0. */
export function finiteOf(values: Float32Array, bad: number): Float32Array {
  if (bad === 0) return values;
  const finite = new Float32Array(values.length - bad);
  let length = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value - value === 0) finite[length++] = value;
  }
  return finite;
}

/** Smallest and largest of finite values, zeros as +0 so that their order does not matter; (∞, −∞) for none. */
export function extremesOf(values: Float32Array): { readonly min: number; readonly max: number } {
  let min = Infinity;
  let max = -Infinity;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  // −0 + 0 is +0.
  return { min: min + 0, max: max + 0 };
}
