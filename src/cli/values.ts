/**
 * The bytes of a file as numbers.
 * @module
 */
import { fail } from '../errors.js';
import type { FileDtype, TensorEntry } from '../formats/index.js';
import { isInputDtype, widened } from '../memory/index.js';
import { codeValue } from '../scheme/index.js';

type Numbers =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

const VIEWS = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** Whether a type has fractions. */
export function isFloat(dtype: FileDtype): boolean {
  return dtype.startsWith('float') || dtype === 'bfloat16';
}

/**
 * Passes a tensor of values that can be quantized.
 * @throws ERR_QUANTLANE_DTYPE for any other, such as packed blocks
 */
export function checkFloats({ dtype, blocks }: TensorEntry): void {
  if (isInputDtype(dtype) && blocks === undefined) return;
  throw fail('ERR_QUANTLANE_DTYPE', `Expected float32, float16 or bfloat16, got ${blocks?.type ?? dtype}`);
}

/**
 * The elements of a run of bytes. 64-bit integers become the nearest number.
 * @param bytes whole elements, at the beginning of their buffer
 */
export function valuesOf(dtype: FileDtype, bytes: Uint8Array<ArrayBuffer>): Numbers {
  const { buffer, byteLength } = bytes;
  if (dtype === 'float16' || dtype === 'bfloat16') return widened(dtype, new Uint16Array(buffer, 0, byteLength / 2));
  if (dtype === 'int64') return Float64Array.from(new BigInt64Array(buffer, 0, byteLength / 8), Number);
  if (dtype === 'uint64') return Float64Array.from(new BigUint64Array(buffer, 0, byteLength / 8), Number);
  if (dtype === 'float8e8m0')
    return Float64Array.from(bytes, (byte) => (byte === 255 ? Number.NaN : 2 ** (byte - 127)));
  if (dtype === 'float8e4m3fn' || dtype === 'float8e5m2') {
    return Float32Array.from(bytes, (code) => codeValue(dtype, code));
  }
  const View: new (buffer: ArrayBuffer, offset: number, length: number) => Numbers = VIEWS[dtype];
  return new View(buffer, 0, byteLength / VIEWS[dtype].BYTES_PER_ELEMENT);
}
