/**
 * Element types of the Open Inference Protocol, version 2, and what holds them here.
 * @module
 */
import type { InputDtype } from '../memory/index.js';

/** An element type as the protocol names it. */
export type Datatype = 'FP32' | 'FP16' | 'BF16' | 'FP64' | 'INT8' | 'UINT8' | 'INT16' | 'UINT16' | 'INT32';

/** Types of values that can be quantized. */
export const INPUT_DATATYPES: Readonly<Record<string, InputDtype>> = Object.freeze({
  FP32: 'float32',
  FP16: 'float16',
  BF16: 'bfloat16',
});

/** The other way round. */
export const DATATYPE_OF: Readonly<Record<InputDtype, Datatype>> = Object.freeze({
  float32: 'FP32',
  float16: 'FP16',
  bfloat16: 'BF16',
});

/** Typed arrays that tensors are made of; those of 16-bit floats are of their bits. */
export type TensorArray = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array;

const ARRAYS = {
  FP32: Float32Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP64: Float64Array,
  INT8: Int8Array,
  UINT8: Uint8Array,
  INT16: Int16Array,
  UINT16: Uint16Array,
  INT32: Int32Array,
} as const satisfies Readonly<Record<Datatype, unknown>>;

/** The element type of an array; one of 16-bit floats cannot be told from integers. */
export function datatypeOf(data: TensorArray): Datatype {
  return BY_ARRAY[data.constructor.name]!;
}

const BY_ARRAY: Readonly<Record<string, Datatype>> = {
  Float32Array: 'FP32',
  Float64Array: 'FP64',
  Int8Array: 'INT8',
  Uint8Array: 'UINT8',
  Int16Array: 'INT16',
  Uint16Array: 'UINT16',
  Int32Array: 'INT32',
};

/** Whether a value names a type that is known here. */
export function isDatatype(value: unknown): value is Datatype {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value);
}

/** Values of a type: from bytes, as they lie where their place allows it, else a copy. */
export function arrayOf(datatype: Datatype, bytes: Uint8Array): TensorArray {
  const { BYTES_PER_ELEMENT: size } = ARRAYS[datatype];
  const whole = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new ARRAYS[datatype](whole.buffer as ArrayBuffer, whole.byteOffset, whole.byteLength / size);
}

/** Values of a type from numbers, such as those of JSON. */
export function arrayFrom(datatype: Datatype, numbers: readonly number[]): TensorArray {
  return ARRAYS[datatype].from(numbers);
}
