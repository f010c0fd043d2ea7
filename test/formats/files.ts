/** Temporary folders, whole files and the errors of the tests in this folder. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { type ErrorCode, FormatError, QuantlaneError } from '#src/errors.js';
import type { FileDtype, TensorEntry, TensorFile } from '#src/formats/index.js';

/** Every element type with its bytes, written down a second time on purpose. */
export const DTYPES: readonly (readonly [FileDtype, number])[] = [
  ['float64', 8],
  ['float32', 4],
  ['float16', 2],
  ['bfloat16', 2],
  ['int64', 8],
  ['uint64', 8],
  ['int32', 4],
  ['uint32', 4],
  ['int16', 2],
  ['uint16', 2],
  ['int8', 1],
  ['uint8', 1],
  ['bool', 1],
  ['float8e4m3fn', 1],
  ['float8e5m2', 1],
  ['float8e8m0', 1],
];

/** The types that NumPy's files have a name for that can be written. */
export const NAMED = DTYPES.filter(([dtype]) => dtype !== 'bfloat16' && !dtype.startsWith('float8'));

/** Scalar, empty, and one to four dimensions. */
export const SHAPES: readonly (readonly number[])[] = [
  [],
  [0],
  [0, 5],
  [5, 0],
  [7],
  [1],
  [3, 4],
  [2, 3, 4],
  [2, 1, 3, 2],
];

/** A new folder that is deleted after the tests of the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quantlane-test-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes bytes to a named file and gives its path. */
export async function put(folder: string, name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** The names in a folder, sorted. */
export async function names(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort();
}

/** `length` bytes that differ from their neighbours and depend on the seed. */
export function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17 + 5) & 0xff);
}

/** Latin-1 text as bytes. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** Joins byte arrays. */
export function join2(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** All bytes of one tensor. */
export async function readAll(file: TensorFile, entry: TensorEntry): Promise<Uint8Array> {
  const bytes = new Uint8Array(entry.byteLength);
  await file.read(entry, 0, bytes);
  return bytes;
}

/** Fails unless the call throws an error of the format whose message matches. */
export function expectRefused(call: () => unknown, message: RegExp): void {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).code).toBe('ERR_QUANTLANE_FORMAT');
    expect((error as FormatError).message).toMatch(message);
    return;
  }
  expect.fail(`Expected a refusal that matches ${message}, got none`);
}

/** Fails unless the promise rejects with the code and a message that matches; gives the error. */
export async function expectRejected(
  promise: Promise<unknown>,
  code: ErrorCode,
  message: RegExp,
): Promise<QuantlaneError> {
  const error = await promise.then(
    () => expect.fail(`Expected a rejection with ${code}, got none`),
    (reason: unknown) => reason as QuantlaneError,
  );
  expect(error).toBeInstanceOf(QuantlaneError);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  return error;
}
