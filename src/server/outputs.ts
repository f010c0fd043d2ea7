/**
 * Quantized tensors as the outputs of an inference.
 * @module
 */
import { type Datatype, datatypeOf, type TensorArray } from '../protocol/index.js';
import type { QuantizedTensor } from '../runtime/index.js';

/** A tensor of an answer; its array lies in shared memory. */
export interface OutputTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorArray;
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

function tensor(name: string, data: TensorArray, shape: readonly number[], datatype?: Datatype): OutputTensor {
  return { name, data, shape, datatype: datatype ?? datatypeOf(data) };
}
