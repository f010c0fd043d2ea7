/**
 * The JSON part of an inference request, checked.
 * @module
 */
import { fail, got } from '../errors.js';
import type { InputDtype } from '../memory/index.js';
import { INPUT_DATATYPES } from '../protocol/index.js';

/** The one tensor of a request. */
export interface RequestInput {
  readonly name: string;
  readonly dtype: InputDtype;
  readonly shape: readonly number[];
  /** Bytes of it behind the JSON part; undefined where it lies within. */
  readonly binaryBytes: number | undefined;
  /** The values within the JSON part. */
  readonly data: unknown;
}

/** An inference request. */
export interface InferRequest {
  readonly id: string | undefined;
  readonly input: RequestInput;
  /** Names of the outputs that are asked for, and whether each is to be binary; undefined for all. */
  readonly outputs: ReadonlyMap<string, boolean> | undefined;
  /** Whether outputs are binary where they do not say. */
  readonly isBinary: boolean;
  /** Parameters of the request, such as options of a preset. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** An object of JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks the JSON part of a request.
 * @throws ERR_QUANTLANE_FORMAT for what is no request of the protocol, ERR_QUANTLANE_DTYPE for a type that cannot be
 * quantized
 */
export function readRequest(json: unknown): InferRequest {
  const request = fields('a request', json);
  const { id, inputs } = request;
  if (id !== undefined && typeof id !== 'string') throw wrong('id: a string', id);
  if (!Array.isArray(inputs) || inputs.length !== 1) throw wrong('inputs: one tensor', inputs);
  const parameters = fields('parameters', request['parameters'] ?? {});
  const isBinary = flag('parameters.binary_data_output', parameters['binary_data_output']) ?? false;
  return { id, input: readInput(inputs[0]), outputs: readOutputs(request['outputs'], isBinary), isBinary, parameters };
}

function readInput(json: unknown): RequestInput {
  const input = fields('an input', json);
  const { name, datatype, shape, data } = input;
  if (typeof name !== 'string') throw wrong('inputs[0].name: a string', name);
  const dtype = typeof datatype === 'string' ? INPUT_DATATYPES[datatype] : undefined;
  if (dtype === undefined) {
    const names = Object.keys(INPUT_DATATYPES).join(', ');
    throw fail('ERR_QUANTLANE_DTYPE', `Expected inputs[0].datatype: one of ${names}, got ${got(datatype)}`);
  }
  if (!Array.isArray(shape)) throw wrong('inputs[0].shape: an array of sizes', shape);
  const parameters = fields('inputs[0].parameters', input['parameters'] ?? {});
  const binaryBytes = parameters['binary_data_size'];
  if (binaryBytes !== undefined && !(Number.isSafeInteger(binaryBytes) && (binaryBytes as number) >= 0)) {
    throw wrong('inputs[0].parameters.binary_data_size: a count of bytes', binaryBytes);
  }
  if ((binaryBytes === undefined) === (data === undefined)) {
    throw wrong('inputs[0]: data, or parameters.binary_data_size', data === undefined ? undefined : 'both');
  }
  if (data !== undefined && dtype !== 'float32') {
    throw fail('ERR_QUANTLANE_DTYPE', `Expected binary data of ${String(datatype)}, got it as JSON`);
  }
  return { name, dtype, shape: shape as number[], binaryBytes: binaryBytes as number | undefined, data };
}

function readOutputs(json: unknown, isBinary: boolean): ReadonlyMap<string, boolean> | undefined {
  if (json === undefined) return undefined;
  if (!Array.isArray(json)) throw wrong('outputs: an array', json);
  return new Map(
    json.map((each, index) => {
      const output = fields(`outputs[${index}]`, each);
      const { name } = output;
      if (typeof name !== 'string') throw wrong(`outputs[${index}].name: a string`, name);
      const parameters = fields(`outputs[${index}].parameters`, output['parameters'] ?? {});
      const own = flag(`outputs[${index}].parameters.binary_data`, parameters['binary_data']);
      return [name, own ?? isBinary] as const;
    }),
  );
}

/**
 * Passes an object through.
 * @throws ERR_QUANTLANE_FORMAT for anything else
 */
export function fields(what: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw wrong(`${what}: an object`, value);
}

function flag(what: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrong(`${what}: true or false`, value);
}

function wrong(expected: string, actual: unknown): Error {
  return fail('ERR_QUANTLANE_FORMAT', `Expected ${expected}, got ${got(actual)}`);
}
