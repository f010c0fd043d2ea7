/**
 * The element types that the runtime takes as input, and the views and sizes of tensors of them.
 * @module
 */

import { fail, got } from '../errors.js';
import { isCount } from '../numbers.js';

/** An element type of an input tensor. */
export type InputDtype = 'float32' | 'float16' | 'bfloat16';

/** Every input type, the widest first. */
export const INPUT_DTYPES: readonly InputDtype[] = Object.freeze(['float32', 'float16', 'bfloat16'] as const);

/** Bytes of one element. */
export const INPUT_DTYPE_BYTES: Readonly<Record<InputDtype, number>> = Object.freeze({
  float32: 4,
  float16: 2,
  bfloat16: 2,
});

/** The view on shared memory of a type: numbers for float32, raw bits for the 16-bit types. */
export type InputView<D extends InputDtype = InputDtype> = D extends 'float32'
  ? Float32Array<SharedArrayBuffer>
  : Uint16Array<SharedArrayBuffer>;

/** The most dimensions of a tensor. */
const MAX_DIMENSIONS = 8;

/** Whether a value names an input type. */
export function isInputDtype(value: unknown): value is InputDtype {
  return (INPUT_DTYPES as readonly unknown[]).includes(value);
}

/**
 * Passes an input type through.
 * @throws `ERR_QUANTLANE_DTYPE` for anything else.
 */
export function checkDtype<D extends InputDtype>(dtype: D): D {
  if (isInputDtype(dtype)) return dtype;
  throw fail('ERR_QUANTLANE_DTYPE', `Expected one of ${INPUT_DTYPES.join(', ')}, got ${got(dtype)}`);
}

/**
 * A view on the elements of a tensor; for no elements an empty one.
 * @param byteOffset - a multiple of the bytes of one element
 * @param elements - number of elements
 * @throws `ERR_QUANTLANE_DTYPE` for an unknown type.
 */
export function viewOf<D extends InputDtype>(
  dtype: D,
  buffer: SharedArrayBuffer,
  byteOffset: number,
  elements: number,
): InputView<D> {
  const view: InputView =
    checkDtype<InputDtype>(dtype) === 'float32'
      ? new Float32Array(buffer, byteOffset, elements)
      : new Uint16Array(buffer, byteOffset, elements);
  return view as InputView<D>;
}

/**
 * Number of elements: 1 for a scalar (`[]`), 0 when a dimension is 0.
 * @param shape - at most 8 dimensions, the slowest first
 * @throws `ERR_QUANTLANE_SHAPE` when it is no list of integers from 0, or the product (zeros counted as 1, so that
 *   the answer does not depend on their order) is above 2^53 - 1.
 */
export function elementsOf(shape: readonly number[]): number {
  if (!Array.isArray(shape)) throw wrongShape('a shape that is a list of dimensions', got(shape));
  if (shape.length > MAX_DIMENSIONS) {
    throw wrongShape(`a shape of at most ${MAX_DIMENSIONS} dimensions`, String(shape.length));
  }
  let bound = 1;
  let empty = false;
  // By index: a hole in the list must be seen, and `for … of` would call an iterator of the caller's.
  for (let axis = 0; axis < shape.length; axis += 1) {
    const dimension: unknown = shape[axis];
    if (!isCount(dimension)) throw wrongShape('dimensions that are integers from 0 to 2^53 - 1', got(dimension));
    if (dimension === 0) empty = true;
    else bound *= dimension;
  }
  if (!Number.isSafeInteger(bound)) throw wrongShape('a tensor below 2^53 elements', `[${shape.join(', ')}]`);
  return empty ? 0 : bound;
}

/**
 * Number of bytes of a tensor: 0 when a dimension is 0.
 * @param shape - at most 8 dimensions, the slowest first
 * @throws `ERR_QUANTLANE_DTYPE` for an unknown type, `ERR_QUANTLANE_SHAPE` for a bad or overflowing shape.
 */
export function bytesOf(dtype: InputDtype, shape: readonly number[]): number {
  const bytes = INPUT_DTYPE_BYTES[checkDtype(dtype)] * elementsOf(shape);
  if (!Number.isSafeInteger(bytes)) throw wrongShape('a tensor below 2^53 bytes', `[${shape.join(', ')}]`);
  return bytes;
}

/** The error for a bad shape. */
function wrongShape(expected: string, actual: string): Error {
  return fail('ERR_QUANTLANE_SHAPE', `Expected ${expected}, got ${actual}`);
}
