/**
 * Tensors as a client sends and reads them: always as bytes.
 * @module
 */
import { fail, got } from '../errors.js';
import { bytesOf, type InputDtype } from '../memory/dtype.js';
import { arrayFrom, arrayOf, DATATYPE_OF, isDatatype, type TensorArray } from '../protocol/index.js';

/** A tensor that is to be quantized. */
export interface ClientTensor {
  readonly dtype: InputDtype;
  /** Sizes of the dimensions, outermost first. */
  readonly shape: readonly number[];
  /** A Float32Array for float32; for the types of 16 bits a Uint16Array of their bits, or a Float16Array for float16. */
  readonly data: ArrayBufferView;
}

/** A tensor that was quantized. Its arrays are those of the library; a scale of float16 is its bits. */
export interface ClientQuantized {
  /** Name of the model. */
  readonly model: string;
  readonly codes: TensorArray;
  readonly shape: readonly number[];
  /** Null where the codes hold their scales, as blocks of ggml do. */
  readonly scale: TensorArray | null;
  /** Null where the model is symmetric. */
  readonly zeroPoint: TensorArray | null;
  /** The scale of the scales; null where there is none. */
  readonly tensorScale: TensorArray | null;
  /** Shape of `scale` and `zeroPoint`. */
  readonly parameterShape: readonly number[];
}

/** A request in parts. */
export interface EncodedTensor {
  /** The JSON part. */
  readonly head: Uint8Array;
  /** The tensor; a view of what was given. */
  readonly bytes: Uint8Array;
}

interface Output {
  readonly shape: readonly number[];
  readonly data: TensorArray;
}

/**
 * A tensor as a request.
 * @throws ERR_QUANTLANE_DTYPE, ERR_QUANTLANE_SHAPE for data that is not of the type or the shape
 */
export function encoded(
  { dtype, shape, data }: ClientTensor,
  parameters: Readonly<Record<string, unknown>>,
  id?: string,
): EncodedTensor {
  const size = bytesOf(dtype, shape);
  const names =
    dtype === 'float32' ? ['Float32Array'] : ['Uint16Array', ...(dtype === 'float16' ? ['Float16Array'] : [])];
  const kind = Object.prototype.toString.call(data).slice('[object '.length, -1);
  if (!names.includes(kind)) {
    throw fail('ERR_QUANTLANE_DTYPE', `Expected data of ${dtype} as ${names.join(' or ')}, got ${got(data)}`);
  }
  if (data.byteLength !== size) {
    throw fail('ERR_QUANTLANE_SHAPE', `Expected ${size} bytes for shape [${shape}], got ${data.byteLength}`);
  }
  const input = { name: 'x', datatype: DATATYPE_OF[dtype], shape, parameters: { binary_data_size: size } };
  const request = {
    ...(id !== undefined && { id }),
    parameters: { ...parameters, binary_data_output: true },
    inputs: [input],
  };
  const head = new TextEncoder().encode(JSON.stringify(request));
  return { head, bytes: new Uint8Array(data.buffer, data.byteOffset, size) };
}

/**
 * What an answer holds.
 * @param head the JSON part
 * @param rest the bytes behind it, of which the result may be views
 * @throws ERR_QUANTLANE_FORMAT for what is no answer of the protocol
 */
export function decoded(head: Uint8Array, rest: Uint8Array): ClientQuantized {
  const { model_name: model, outputs } = jsonOf(head) as { model_name?: unknown; outputs?: unknown };
  if (typeof model !== 'string' || !Array.isArray(outputs)) throw wrong('model_name and outputs', outputs);
  const found = new Map<string, Output>();
  let at = 0;
  for (const each of outputs) {
    const { name, datatype, shape, data, parameters } = each as Record<string, unknown>;
    if (typeof name !== 'string' || !isDatatype(datatype) || !Array.isArray(shape)) throw wrong('an output', each);
    const size = (parameters as { binary_data_size?: unknown } | undefined)?.binary_data_size;
    if (typeof size !== 'number') {
      if (!Array.isArray(data)) throw wrong('data of an output', data);
      found.set(name, { shape, data: arrayFrom(datatype, data.flat(Number.POSITIVE_INFINITY) as number[]) });
      continue;
    }
    const bytes = rest.subarray(at, at + size);
    if (bytes.length !== size) throw wrong(`${size} bytes of ${name}`, bytes.length);
    found.set(name, { shape, data: arrayOf(datatype, bytes) });
    at += size;
  }
  const codes = found.get('codes');
  if (codes === undefined || at !== rest.length) throw wrong('codes, and no more bytes than declared', rest.length);
  const scale = found.get('scale');
  return {
    model,
    codes: codes.data,
    shape: codes.shape,
    scale: scale?.data ?? null,
    zeroPoint: found.get('zero_point')?.data ?? null,
    tensorScale: found.get('tensor_scale')?.data ?? null,
    parameterShape: scale?.shape ?? [],
  };
}

/**
 * The JSON of bytes.
 * @throws ERR_QUANTLANE_FORMAT for what is none
 */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw fail('ERR_QUANTLANE_FORMAT', `Expected an answer in JSON, got ${(cause as Error).message}`, { cause });
  }
}

function wrong(expected: string, actual: unknown): Error {
  return fail('ERR_QUANTLANE_FORMAT', `Expected an answer with ${expected}, got ${got(actual)}`);
}
