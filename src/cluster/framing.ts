/**
 * Tensors in a message: a safetensors file in memory.
 * @module
 */
import { fail } from '../errors.js';
import {
  type FileDtype,
  parseSafetensorsHeader,
  safetensorsHeader,
  type TensorDeclaration,
  type TensorEntry,
} from '../formats/index.js';
import { bytesIn } from '../memory/index.js';
import { copySlowly } from '../runtime/tensor.js';

/** A tensor that is put into a message. */
export interface FramedTensor extends TensorDeclaration {
  /** Its bytes; may view shared memory. */
  readonly bytes: Uint8Array;
}

/** What a message holds. */
export interface Frame {
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensor of that name; undefined where there is none. */
  find(name: string): (TensorEntry & { readonly bytes: Uint8Array }) | undefined;
}

/** Bytes of the length before the header. */
const PREFIX = 8;

/** Tensors and texts as one safetensors file; the bytes of the tensors are copied, in slices where they are many. */
export async function framed(
  tensors: readonly FramedTensor[],
  metadata: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes: header, entries } = safetensorsHeader(tensors, metadata);
  const last = entries.at(-1);
  const total = last === undefined ? header.length : last.offset + last.byteLength;
  const message = new Uint8Array(total);
  message.set(header);
  for (const [index, { offset, byteLength }] of entries.entries()) {
    await copySlowly(tensors[index]!.bytes, message.subarray(offset, offset + byteLength), signal);
  }
  return message;
}

/**
 * What such a file holds. The bytes of its tensors are views, at any address.
 * @throws ERR_QUANTLANE_FORMAT for what is no safetensors file
 */
export function unframed(received: Uint8Array): Frame {
  // It may be a Buffer, whose `slice` does not copy.
  const message = bytesIn(received);
  if (message.length < PREFIX) throw wrong(`at least ${PREFIX} bytes`, message.length);
  const length = new DataView(message.buffer, message.byteOffset).getBigUint64(0, true);
  if (length > message.length - PREFIX) throw wrong(`a header within ${message.length} bytes`, length);
  const header = message.subarray(PREFIX, PREFIX + Number(length));
  const { tensors, metadata } = parseSafetensorsHeader(header, message.length, 'message');
  return {
    metadata,
    find: (name) => {
      const entry = tensors.find((tensor) => tensor.name === name);
      if (entry === undefined) return undefined;
      return { ...entry, bytes: message.subarray(entry.offset, entry.offset + entry.byteLength) };
    },
  };
}

/** Numbers as a tensor: a scalar for one number, a list for an array. */
export function numbersTensor(name: string, numbers: number | ArrayLike<number>): FramedTensor {
  const isOne = typeof numbers === 'number';
  const values = isOne ? Float64Array.of(numbers) : Float64Array.from(numbers);
  return { name, dtype: 'float64', shape: isOne ? [] : [values.length], bytes: new Uint8Array(values.buffer) };
}

/** The numbers of such a tensor; undefined where there is none. */
export function numbersOf(frame: Frame, name: string): number | Float64Array | undefined {
  const tensor = frame.find(name);
  if (tensor === undefined) return undefined;
  assertDtype(tensor, 'float64');
  const values = new Float64Array(tensor.bytes.slice().buffer);
  return tensor.shape.length === 0 ? values[0]! : values;
}

/** @throws ERR_QUANTLANE_FORMAT where a tensor has another type */
export function assertDtype({ name, dtype }: TensorDeclaration, expected: FileDtype): void {
  if (dtype !== expected) throw wrong(`${name} of type ${expected}`, dtype);
}

function wrong(expected: string, actual: unknown): Error {
  return fail('ERR_QUANTLANE_FORMAT', `Expected a message with ${expected}, got ${String(actual)}`);
}
