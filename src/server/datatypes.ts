/**
 * Element types of the Open Inference Protocol, version 2, and those of the library.
 * @module
 */
import type { InputDtype } from '../memory/index.js';
import type { QuantizedTensor } from '../runtime/index.js';

/** An element type as the protocol names it. */
export type Datatype = 'FP32' | 'FP16' | 'BF16' | 'FP64' | 'INT8' | 'UINT8' | 'INT16' | 'UINT16' | 'INT32';

/** Types of values that can be quantized. */
export const INPUT_DATATYPES: Readonly<Record<string, InputDtype>> = Object.freeze({
  FP32: 'float32',
  FP16: 'float16',
  BF16: 'bfloat16',
});

const BY_ARRAY: Readonly<Record<string, Datatype>> = {
  Float32Array: 'FP32',
  Float64Array: 'FP64',
  Int8Array: 'INT8',
  Uint8Array: 'UINT8',
  Int16Array: 'INT16',
  Uint16Array: 'UINT16',
  Int32Array: 'INT32',
};

/** Typed arrays that an answer is made of. */
export type OutputArray = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array;

/** A tensor of an answer; its array lies in shared memory. */
export interface OutputTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: OutputArray;
}

/** The tensors of a quantized one: `codes`, and `scale` and `zero_point` where it has them. */
export function outputsOf(quantized: QuantizedTensor): OutputTensor[] {
  const { data, dataShape, scale, zeroPoint, tensorScale, parameterShape, scheme } = quantized;
  const outputs = [tensor('codes', data, dataShape)];
  if (scale !== null) {
    const bits = scheme.scaleDtype === 'float16' ? 'FP16' : undefined;
    outputs.push(tensor('scale', scale, parameterShape, bits));
  }
  if (zeroPoint !== null) outputs.push(tensor('zero_point', zeroPoint, parameterShape));
  if (tensorScale !== null) outputs.push(tensor('tensor_scale', tensorScale, [1]));
  return outputs;
}

function tensor(name: string, data: OutputArray, shape: readonly number[], datatype?: Datatype): OutputTensor {
  return { name, data, shape, datatype: datatype ?? BY_ARRAY[data.constructor.name]! };
}
