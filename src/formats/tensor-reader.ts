/**
 * The part of reading that all formats share: a checked header and a way to read become a `TensorFile`.
 * @module
 */

import { fail, got } from '../errors.js';
import { isCount } from '../numbers.js';
import { isTypedArray } from '../typed-arrays.js';
import { quote } from './refusals.js';
import type { TensorEntry, TensorFile } from './tensor-file.js';

/** The most names that the error for an unknown name lists. */
const MAX_LISTED = 8;

/**
 * Fills the whole of `target`, which may view a SharedArrayBuffer; an empty target reads nothing.
 * @param position - bytes from the beginning of the file
 * @throws `ERR_QUANTLANE_FORMAT` when the file ends first or cannot be read.
 */
export type ReadAt = (position: number, target: Uint8Array) => Promise<void>;

/** Bytes that lie somewhere. */
export interface ByteSource {
  readonly readAt: ReadAt;
  /** Bytes in all. */
  readonly size: number;
  /** Lets go of them; called once. */
  close(): Promise<void>;
}

/** What a format's header says, after all its checks. */
export interface TensorLayout {
  /** The tensors in the order of their bytes in the file. */
  readonly tensors: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Tensors whose bytes lie in another open file, by name; none when left out. */
  readonly elsewhere?: ReadonlyMap<string, ReadAt>;
  /** Gives back what the format opened besides the file; called once, after the file is closed. */
  readonly release?: () => Promise<void>;
}

/** The open file over its layout; takes the source over. */
export function tensorFile(
  source: ByteSource,
  path: string,
  format: TensorFile['format'],
  { tensors, metadata, elsewhere, release }: TensorLayout,
): TensorFile {
  const byName = new Map(tensors.map((entry) => [entry.name, entry]));
  let closing: Promise<void> | undefined;

  function find(name: string): TensorEntry {
    const entry = byName.get(name);
    if (entry === undefined)
      throw fail('ERR_QUANTLANE_ARGUMENT', `${path}: Expected ${listed(tensors)}, got ${quote(String(name))}`);
    return entry;
  }

  async function read(entry: TensorEntry, position: number, target: Uint8Array): Promise<void> {
    if (closing !== undefined) throw fail('ERR_QUANTLANE_CLOSED', `${path}: Expected an open file, got a closed one`);
    // Only the name of the caller's entry is trusted, so no forged entry reads outside its tensor.
    const { name, offset, byteLength } = find(entry.name);
    checkRange(path, name, byteLength, position, target);
    await (elsewhere?.get(name) ?? source.readAt)(offset + position, target);
  }

  function close(): Promise<void> {
    closing ??= source.close().finally(release);
    return closing;
  }

  return Object.freeze({ path, format, tensors, metadata, find, read, close, [Symbol.asyncDispose]: close });
}

/**
 * Checks that a run of bytes lies inside a tensor; an empty run at its end does.
 * @param byteLength - bytes of the tensor
 * @param position - bytes from the beginning of the tensor
 * @throws `ERR_QUANTLANE_ARGUMENT` otherwise.
 */
export function checkRange(path: string, name: string, byteLength: number, position: number, bytes: Uint8Array): void {
  if (!isTypedArray(bytes, 'Uint8Array'))
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a Uint8Array, got ${got(bytes)}`);
  if (isCount(position) && position + bytes.length <= byteLength) return;
  throw fail(
    'ERR_QUANTLANE_ARGUMENT',
    `${path}: Expected a range inside the ${byteLength} bytes of ${quote(name)}, got ${bytes.length} bytes at ${position}`,
  );
}

/** The names of a file for a message, the first few only. */
function listed(tensors: readonly TensorEntry[]): string {
  if (tensors.length === 0) return 'no name, since the file has no tensors';
  const names = tensors.slice(0, MAX_LISTED).map((entry) => quote(entry.name));
  const more = tensors.length - names.length;
  return `one of the tensors ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
