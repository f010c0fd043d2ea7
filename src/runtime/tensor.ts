/**
 * Tensors that callers bring: leased ones, and plain ones that are copied into the arena.
 * @module
 */
import { fail, got } from '../errors.js';
import { nextTurn } from '../host.js';
import { checkDtype, elementsOf, type InputDtype, type TensorLease } from '../memory/index.js';
import { isTypedArray } from '../typed-arrays.js';

/** A tensor in ordinary memory; using it costs one copy. */
export interface PlainTensor {
  readonly dtype: InputDtype;
  /** Sizes of the dimensions, outermost first. */
  readonly shape: readonly number[];
  /** The values, row-major: a `Float32Array`, or raw bits in a `Uint16Array` for float16 and bfloat16. */
  readonly data: Float32Array | Uint16Array;
}

/** A tensor that can be quantized. */
export type TensorInput = TensorLease | PlainTensor;

/** Bytes copied before the event loop gets its turn. */
const COPY_SLICE = 2 ** 20;

/**
 * Passes a plain tensor whose data fits its type and shape.
 * @throws ERR_QUANTLANE_DTYPE, ERR_QUANTLANE_SHAPE
 */
export function checkPlain(tensor: PlainTensor): PlainTensor {
  if (typeof tensor !== 'object' || tensor === null) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a leased tensor or { dtype, shape, data }, got ${got(tensor)}`);
  }
  const { dtype, shape, data } = tensor;
  checkDtype(dtype);
  const isRight = dtype === 'float32' ? isTypedArray(data, 'Float32Array') : isTypedArray(data, 'Uint16Array');
  if (!isRight) {
    const expected = dtype === 'float32' ? 'a Float32Array' : 'a Uint16Array of raw bits';
    throw fail('ERR_QUANTLANE_DTYPE', `Expected ${expected} as data of ${dtype}, got ${got(data)}`);
  }
  const elements = elementsOf(shape);
  if (data.length === elements) return tensor;
  const text = `Expected ${elements} values for shape [${shape.join(', ')}], got ${data.length}`;
  throw fail('ERR_QUANTLANE_SHAPE', text);
}

/** Copies in slices, between which the event loop gets its turn. */
export async function copySlowly(from: Uint8Array, to: Uint8Array, signal?: AbortSignal): Promise<void> {
  for (let at = 0; at < from.byteLength; at += COPY_SLICE) {
    if (at > 0) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    to.set(from.subarray(at, at + COPY_SLICE), at);
  }
}
