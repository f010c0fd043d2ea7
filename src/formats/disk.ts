/**
 * Positional reads and writes that go on until they are complete.
 * @module
 */

import { type FileHandle, open, stat } from 'node:fs/promises';
import { reason, refuse, truncated } from './refusals.js';
import type { ReadAt } from './tensor-reader.js';

/** The most bytes of one system call; one call takes at most 2^31 - 1. */
const MAX_CALL = 2 ** 30;

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

/** Reads by position from an open file. */
export function readerOf(handle: FileHandle, path: string): ReadAt {
  return (position, target) => readFully(handle, path, position, target);
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
