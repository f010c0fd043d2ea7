/**
 * The answer of an inference: a JSON part, and tensors behind it that are written from shared memory.
 * @module
 */
import { fail } from '../errors.js';
import { bytesIn } from '../memory/index.js';
import type { OutputTensor } from './outputs.js';
import type { InferRequest } from './request.js';

/** An answer before it is written. */
export interface InferAnswer {
  /** The JSON part. */
  readonly head: Buffer;
  /** The bytes behind it. */
  readonly tensors: readonly Uint8Array[];
}

/** An answer on the way: its tensors, and what its JSON part says of them. */
interface Selection {
  readonly tensors: Uint8Array[];
  readonly described: object[];
}

/** A JSON part ends where 64-bit words begin: what lies behind it is then copied by words, and read where it lies. */
const ALIGNMENT = 8;

/**
 * The answer of a request.
 * @param outputs all tensors that there are
 * @param known the JSON part, where it is known from the same request before
 * @throws ERR_QUANTLANE_ARGUMENT for an output that there is not, ERR_QUANTLANE_DTYPE for FP16 that is not to be binary
 */
export function answerOf(
  model: string,
  request: InferRequest,
  outputs: readonly OutputTensor[],
  known?: Buffer,
): InferAnswer {
  if (known !== undefined && request.outputs === undefined) return { head: known, tensors: outputs.map(bytesOf) };
  const { tensors, described } = selected(request, outputs);
  if (known !== undefined) return { head: known, tensors };
  const head = JSON.stringify({
    model_name: model,
    model_version: '1',
    ...(request.id !== undefined && { id: request.id }),
    outputs: described,
  });
  if (tensors.length === 0) return { head: Buffer.from(head), tensors };
  const length = Buffer.byteLength(head);
  return { head: Buffer.from(head + ' '.repeat(-length & (ALIGNMENT - 1))), tensors };
}

/** The outputs that are asked for, in the order in which they are. */
function selected({ outputs: asked, isBinary }: InferRequest, outputs: readonly OutputTensor[]): Selection {
  const tensors: Uint8Array[] = [];
  const described = [...(asked ?? new Map(outputs.map(({ name }) => [name, isBinary])))].map(([name, asBytes]) => {
    const output = outputs.find((each) => each.name === name);
    if (output === undefined) {
      const names = outputs.map((each) => each.name).join(', ');
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected outputs among ${names}, got '${name}'`);
    }
    const { datatype, shape, data } = output;
    if (!asBytes) {
      if (datatype === 'FP16')
        throw fail('ERR_QUANTLANE_DTYPE', `Expected '${name}', of FP16, as binary data, got JSON`);
      return { name, datatype, shape, data: Array.from(data) };
    }
    tensors.push(bytesOf(output));
    return { name, datatype, shape, parameters: { binary_data_size: data.byteLength } };
  });
  return { tensors, described };
}

function bytesOf({ data }: OutputTensor): Uint8Array {
  return bytesIn(data);
}
