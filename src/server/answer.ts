/**
 * The answer of an inference: a JSON part, and tensors behind it that are written from shared memory.
 * @module
 */
import { fail } from '../errors.js';
import type { OutputTensor } from './outputs.js';
import type { InferRequest } from './request.js';

/** An answer before it is written. */
export interface InferAnswer {
  /** The JSON part. */
  readonly head: Buffer;
  /** The bytes behind it. */
  readonly tensors: readonly Uint8Array[];
}

/**
 * The answer of a request.
 * @param outputs all tensors that there are
 * @throws ERR_QUANTLANE_ARGUMENT for an output that there is not, ERR_QUANTLANE_DTYPE for FP16 that is not to be binary
 */
export function answerOf(model: string, request: InferRequest, outputs: readonly OutputTensor[]): InferAnswer {
  const asked = request.outputs ?? new Map(outputs.map(({ name }) => [name, request.isBinary]));
  const tensors: Uint8Array[] = [];
  const described = [...asked].map(([name, isBinary]) => {
    const output = outputs.find((each) => each.name === name);
    if (output === undefined) {
      const names = outputs.map((each) => each.name).join(', ');
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected outputs among ${names}, got '${name}'`);
    }
    const { datatype, shape, data } = output;
    if (!isBinary) {
      if (datatype === 'FP16')
        throw fail('ERR_QUANTLANE_DTYPE', `Expected '${name}', of FP16, as binary data, got JSON`);
      return { name, datatype, shape, data: Array.from(data) };
    }
    tensors.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { name, datatype, shape, parameters: { binary_data_size: data.byteLength } };
  });
  const head = {
    model_name: model,
    model_version: '1',
    ...(request.id !== undefined && { id: request.id }),
    outputs: described,
  };
  return { head: Buffer.from(JSON.stringify(head)), tensors };
}
