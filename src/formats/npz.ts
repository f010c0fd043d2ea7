/**
 * The npz format of NumPy: a zip archive whose members are npy files, one for each tensor.
 * @module
 */

import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { fail } from '../errors.js';
import { isCount } from '../numbers.js';
import { readerOf, readFully, writeFully } from './disk.js';
import { type Inflated, inflateMembers } from './inflate.js';
import { npyHeader, readNpyAt } from './npy-header.js';
import { describe, quote, refuse } from './refusals.js';
import {
  isWellFormed,
  type TensorDeclaration,
  type TensorEntry,
  type TensorFile,
  type TensorWriter,
  tensorBytes,
} from './tensor-file.js';
import { openTensorFile } from './tensor-opener.js';
import type { ReadAt, TensorLayout } from './tensor-reader.js';
import { createTensorFile } from './tensor-writer.js';
import { readZipDirectory, type ZipMember } from './zip-directory.js';
import { localHeader, type StoredMember, zipDirectory } from './zip-records.js';

/** How an npz file is opened. */
export interface NpzOptions {
  /**
   * The most bytes that compressed members may have together when they are inflated.
   * @default 17_179_869_184
   */
  readonly maxInflatedBytes?: number;
  /**
   * Where the temporary file of inflated members goes.
   * @default os.tmpdir()
   */
  readonly directory?: string;
}

/** A tensor that is to be written, with its npy header. */
interface Planned {
  readonly member: StoredMember;
  readonly header: Uint8Array;
  readonly entry: TensorEntry;
}

/** Signatures that an archive begins with: of a member, or of the end of an empty one. */
const BEGINNINGS: readonly (readonly number[])[] = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x50, 0x4b, 0x05, 0x06],
];

/** What the name of a member has after the name of its tensor. */
const SUFFIX = '.npy';

/** Written data begins at a multiple of this. */
const ALIGNMENT = 64;

/** The most bytes of a member's name, and the most tensors. */
const MAX_NAME = 2 ** 16 - 1;
const MAX_TENSORS = 2 ** 17;

const MAX_INFLATED = 2 ** 34;

/** Bytes that are read back at once for a CRC-32. */
const CHUNK = 2 ** 20;

/** Whether the bytes begin as a zip archive does; false for too few bytes. */
export function isZip(bytes: Uint8Array): boolean {
  return BEGINNINGS.some((beginning) => beginning.every((byte, index) => bytes[index] === byte));
}

/**
 * Opens an npz file; its tensors have the names of the members without `.npy`. Stored members are read where they
 * lie, and their CRC-32 is not checked, since they are never read as a whole. Compressed members are inflated to a
 * temporary file first, which takes their size on disk and is deleted by `close()`; their CRC-32 is checked.
 * @throws `ERR_QUANTLANE_FORMAT` when the file cannot be read, is not a plain zip archive, or a member is not an npy
 *   file that could be opened on its own; `ERR_QUANTLANE_ARGUMENT` for a bad option.
 */
export async function openNpz(path: string, options: NpzOptions = {}): Promise<TensorFile> {
  const { maxInflatedBytes = MAX_INFLATED } = options;
  if (!isCount(maxInflatedBytes)) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected maxInflatedBytes from 0, got ${describe(maxInflatedBytes)}`);
  }
  return openTensorFile(path, 'npz', (handle, size) =>
    readLayout(handle, path, size, { ...options, maxInflatedBytes }),
  );
}

/**
 * Starts an npz file with the tensors in the given order, each in a stored member with its data aligned to 64 bytes.
 * Bytes may come in any order, so the CRC-32 of the members is computed at `close()`, which reads the file once more.
 * @param path - where the file goes on `close()`
 * @param tensors - names, element types (any but bfloat16) and shapes; may be empty
 * @throws `ERR_QUANTLANE_ARGUMENT` for a bad or repeated name, `ERR_QUANTLANE_DTYPE`, `ERR_QUANTLANE_SHAPE`, and
 *   `ERR_QUANTLANE_FORMAT` when the path cannot be written.
 */
export async function createNpz(path: string, tensors: readonly TensorDeclaration[]): Promise<TensorWriter> {
  const { planned, end } = plan(tensors);
  const entries = planned.map(({ entry }) => entry);
  return createTensorFile(path, new Uint8Array(), entries, {
    complete: (handle) => writeRecords(handle, path, planned, end),
  });
}

/** Finds the members and parses the header of each. */
async function readLayout(
  handle: FileHandle,
  path: string,
  size: number,
  { maxInflatedBytes, directory }: NpzOptions & { maxInflatedBytes: number },
): Promise<TensorLayout> {
  const members = (await readZipDirectory(handle, path, size)).filter(
    ({ name, bytes }) => bytes > 0 || !isFolder(name),
  );
  checkMembers(members, path);
  const deflated = members.filter(({ method }) => method === 'deflated');
  const total = deflated.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > maxInflatedBytes) {
    throw refuse(path, `Expected compressed members of at most ${maxInflatedBytes} bytes, got ${total}`, {
      details: { expected: maxInflatedBytes, actual: total },
    });
  }
  const inflated = total > 0 ? await inflateMembers(handle, path, deflated, directory) : undefined;
  try {
    return await layoutOf(handle, path, members, inflated);
  } catch (error) {
    await inflated?.remove();
    throw error;
  }
}

/** The tensors of checked members. */
async function layoutOf(
  handle: FileHandle,
  path: string,
  members: readonly ZipMember[],
  inflated: Inflated | undefined,
): Promise<TensorLayout> {
  const tensors: TensorEntry[] = [];
  const elsewhere = new Map<string, ReadAt>();
  for (const { name: memberName, method, bytes, offset } of members) {
    const name = memberName.slice(0, -SUFFIX.length);
    const isHere = method === 'stored';
    const begin = isHere ? offset : (inflated?.offsets[elsewhere.size] ?? 0);
    const source = isHere ? handle : (inflated?.handle ?? handle);
    const who = whoOf(path, memberName);
    const { dtype, shape, dataOffset, byteLength } = await readNpyAt(readerOf(source, who), who, begin, bytes);
    tensors.push(Object.freeze({ name, dtype, shape, offset: begin + dataOffset, byteLength }));
    if (!isHere) elsewhere.set(name, readerOf(source, path));
  }
  const metadata = Object.freeze(Object.create(null));
  const layout = { tensors: Object.freeze(tensors), metadata, elsewhere };
  return inflated === undefined ? layout : { ...layout, release: inflated.remove };
}

/** Refuses members that are no npy files, have a name that leads out of a folder, or come twice. */
function checkMembers(members: readonly ZipMember[], path: string): void {
  const names = new Set<string>();
  for (const { name } of members) {
    const problem = nameProblem(name);
    if (problem !== undefined) throw refuse(path, problem);
    if (names.has(name)) throw refuse(path, `Expected each member once, got ${quote(name)} twice`);
    names.add(name);
  }
}

/** What is wrong with the name of a member, as a sentence, or undefined for a good one. */
function nameProblem(name: string): string | undefined {
  if (!name.endsWith(SUFFIX) || name === SUFFIX) return `Expected only npy members, got ${quote(name)}`;
  const isPlain = !/[\\\p{Cc}]/u.test(name) && name.split('/').every((part) => !['', '.', '..'].includes(part));
  return isPlain ? undefined : `Expected names that stay in their folder, got ${quote(name)}`;
}

/** Whether a member stands for a folder. */
function isFolder(name: string): boolean {
  return name.endsWith('/');
}

/** Where each tensor goes, and where the last one ends. */
function plan(tensors: readonly TensorDeclaration[]): { planned: Planned[]; end: number } {
  if (tensors.length > MAX_TENSORS) throw argument(`Expected at most ${MAX_TENSORS} tensors, got ${tensors.length}`);
  const names = new Set<string>();
  let end = 0;
  const planned = tensors.map(({ name, dtype, shape }) => {
    checkName(name, names);
    const header = npyHeader(dtype, shape);
    const byteLength = tensorBytes(dtype, shape);
    const member = { name: name + SUFFIX, crc: 0, bytes: header.length + byteLength, headerOffset: end };
    const offset = end + localHeader(member, ALIGNMENT).length + header.length;
    end = offset + byteLength;
    if (!isCount(end)) throw argument(`Expected a file below 2^53 bytes, got ${end}`);
    return { member, header, entry: { name, dtype, shape, offset, byteLength } };
  });
  return { planned, end };
}

/** Refuses a declared name that is not text, repeated, or no good name for a member; adds it to the names. */
function checkName(name: unknown, names: Set<string>): void {
  const isText = typeof name === 'string' && isWellFormed(name) && Buffer.byteLength(name + SUFFIX) <= MAX_NAME;
  if (!isText || names.has(name)) throw argument(`Expected a new name that is text, got ${describe(name)}`);
  const problem = nameProblem(name + SUFFIX);
  if (problem !== undefined) throw argument(problem);
  names.add(name);
}

/** Writes everything but the data: the headers of each member, with the CRC-32 of its bytes, and the directory. */
async function writeRecords(handle: FileHandle, path: string, planned: readonly Planned[], end: number): Promise<void> {
  const members: StoredMember[] = [];
  const chunk = new Uint8Array(CHUNK);
  for (const { member, header, entry } of planned) {
    let crc = crc32(header);
    for (let done = 0; done < entry.byteLength; done += CHUNK) {
      const part = chunk.subarray(0, Math.min(CHUNK, entry.byteLength - done));
      await readFully(handle, path, entry.offset + done, part);
      crc = crc32(part, crc);
    }
    members.push({ ...member, crc });
    await writeFully(handle, path, member.headerOffset, localHeader({ ...member, crc }, ALIGNMENT));
    await writeFully(handle, path, entry.offset - header.length, header);
  }
  await writeFully(handle, path, end, zipDirectory(members, end));
}

/** A member for messages. */
function whoOf(path: string, name: string): string {
  return `${path}: member ${quote(name)}`;
}

/** The error for a bad argument. */
function argument(sentence: string): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', sentence);
}
