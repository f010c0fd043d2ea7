/**
 * Parameters and ranges of a tensor that do not come from its values: from files, or from a calibration.
 * @module
 */
import type { QuantizeOptions } from '../runtime/index.js';

type Numbers = Float32Array | Int32Array | Int16Array | Uint16Array | Int8Array | Uint8Array;

/** One number a parameter: scales and zero points for a scheme whose parameters are given, ranges for any other. */
export type Given =
  | { readonly parameters: { readonly scale: Float32Array; readonly zeroPoint: Numbers | undefined } }
  | { readonly range: { readonly min: Float32Array; readonly max: Float32Array } };

/** The part of it that belongs to `count` parameters from `first` on, as the runtime takes it. */
export function givenPart(
  given: Given,
  { first, count }: { readonly first: number; readonly count: number },
): Pick<QuantizeOptions, 'parameters' | 'range'> {
  const part = <T extends Numbers>(numbers: T): T => numbers.subarray(first, first + count) as T;
  if ('range' in given) return { range: { min: part(given.range.min), max: part(given.range.max) } };
  const { scale, zeroPoint } = given.parameters;
  const zero = zeroPoint === undefined ? {} : { zeroPoint: part(zeroPoint) };
  return { parameters: { scale: part(scale), ...zero } };
}
