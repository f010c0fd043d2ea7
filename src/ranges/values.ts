/**
 * The values of a batch as float32.
 * @module
 */
import { fail, got } from '../errors.js';
import { checkDtype, type InputDtype, widened } from '../memory/index.js';
import type { Run } from './reading.js';

/** What an observer takes: numbers for float32, raw bits for the 16-bit types. */
export type ObservedValues = Float32Array | Uint16Array;

/**
 * Passes an array that fits its type.
 * @throws `ERR_QUANTLANE_DTYPE`
 */
export function checkValues(values: ObservedValues, dtype: InputDtype): ObservedValues {
  const isWide = checkDtype(dtype) === 'float32';
  if (isWide ? values instanceof Float32Array : values instanceof Uint16Array) return values;
  const expected = isWide ? 'a Float32Array of float32 values' : `a Uint16Array of ${dtype} bits`;
  throw fail('ERR_QUANTLANE_DTYPE', `Expected ${expected}, got ${got(values)}`);
}

/** A run of values as float32; those of float32 are a view, the others a copy. */
export function floatsOf(values: ObservedValues, dtype: InputDtype, { first, count }: Run): Float32Array {
  const run = values.subarray(first, first + count);
  return run instanceof Float32Array ? run : widened(dtype as 'float16' | 'bfloat16', run);
}

/** The finite values in their order; the array itself where there are no others. */
export function finiteOf(values: Float32Array, areAll: boolean): Float32Array {
  return areAll ? values : values.filter((value) => value - value === 0);
}
