/**
 * Positional reads and writes that go on until they are complete, and the sentences for a file that is refused.
 * @module
 */

import { type FileHandle, open, stat } from 'node:fs/promises';
import { type ErrorDetails, fail, type QuantlaneError } from '../errors.js';

/** The most bytes of one system call; one call takes at most 2^31 - 1. */
const MAX_CALL = 2 ** 30;

/** The most characters of a hostile name that a message repeats. */
const MAX_QUOTED = 80;

/**
 * The error for a file that is not what its format says.
 * @param where - the file's path, or what was parsed
 * @param sentence - "Expected X, got Y", with no full stop
 */
export function refuse(
  where: string,
  sentence: string,
  options?: { details?: ErrorDetails; cause?: unknown },
): QuantlaneError {
  return fail('ERR_QUANTLANE_FORMAT', `${where}: ${sentence}`, options);
}

/**
 * The error for a file that ends too early.
 * @param expected - bytes that the file must have, at least
 * @param actual - bytes that it has
 */
export function truncated(where: string, expected: number, actual: number): QuantlaneError {
  return refuse(where, `Expected at least ${expected} bytes, got ${actual}: the file is truncated`, {
    details: { expected, actual },
  });
}

/** A name from a file, in quotes for a message: control characters escaped, a long name cut. */
export function quote(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTED ? `${name.slice(0, MAX_QUOTED)}...` : name);
}

/**
 * A value from a file for the second half of a message. It never converts an object, whose keys the file chose.
 */
export function describe(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** The short form of a system error for a message, such as `ENOENT`. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}

/**
 * Opens a regular file for reading; an empty file is one too.
 * @returns the handle and the size in bytes
 * @throws `ERR_QUANTLANE_FORMAT` when nothing is there, it is not a regular file (a pipe has no positions), or it may
 *   not be read; the cause is kept.
 */
export async function openToRead(path: string): Promise<{ handle: FileHandle; size: number }> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw refuse(path, `Expected a file that exists, got ${reason(cause)}`, { cause });
  });
  if (!facts.isFile())
    throw refuse(path, `Expected a regular file, got ${facts.isDirectory() ? 'a directory' : 'a device or pipe'}`);
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw refuse(path, `Expected a readable file, got ${reason(cause)}`, { cause });
  });
  return { handle, size: facts.size };
}

/**
 * Fills the whole of `target` from the file; an empty target reads nothing.
 * @param position - bytes from the beginning of the file
 * @param target - may view a SharedArrayBuffer
 * @throws `ERR_QUANTLANE_FORMAT` when the file ends first or cannot be read.
 */
export async function readFully(handle: FileHandle, path: string, position: number, target: Uint8Array): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const length = Math.min(target.length - done, MAX_CALL);
    const { bytesRead } = await handle.read(target, done, length, position + done).catch((cause: unknown) => {
      throw refuse(path, `Expected to read ${length} bytes at ${position + done}, got ${reason(cause)}`, { cause });
    });
    if (bytesRead === 0) throw truncated(path, position + target.length, position + done);
    done += bytesRead;
  }
}

/**
 * Writes the whole of `bytes` to the file; empty bytes write nothing.
 * @param position - bytes from the beginning of the file
 * @param bytes - may view a SharedArrayBuffer
 * @throws `ERR_QUANTLANE_FORMAT` when the disk refuses, as when it is full.
 */
export async function writeFully(handle: FileHandle, path: string, position: number, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, MAX_CALL);
    const { bytesWritten } = await handle.write(bytes, done, length, position + done).catch((cause: unknown) => {
      throw refuse(path, `Expected to write ${length} bytes at ${position + done}, got ${reason(cause)}`, { cause });
    });
    done += bytesWritten;
  }
}
