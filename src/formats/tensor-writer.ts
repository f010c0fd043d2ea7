/**
 * The part of writing that all formats share: a temporary file beside the final path, a record of the bytes that were
 * written, and a rename when none is missing.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { FormatError, fail } from '../errors.js';
import { writeFully } from './disk.js';
import { quote, reason, refuse } from './refusals.js';
import type { TensorEntry, TensorWriter } from './tensor-file.js';
import { checkRange } from './tensor-reader.js';

/** A run of written bytes of one tensor: from `begin` up to, but without, `end`. */
interface Run {
  begin: number;
  end: number;
}

/** What a format needs besides its header and its tensors. */
export interface FileEnding {
  /** Bytes of the whole file, of which those that are not written are zero; the end of the last write by default. */
  readonly size?: number;
  /** Completes the file when all its tensors are written; may read them back. */
  readonly complete?: (handle: FileHandle) => Promise<void>;
}

/**
 * Starts a file: writes the header to a temporary sibling and waits for the data. A failure leaves no file.
 * @param path - where the file goes on `close()`
 * @param header - all bytes before the data
 * @param tensors - where each tensor goes, in absolute offsets; no tensors at all is a file of only a header
 * @param ending - for formats that do not end with their last tensor
 * @throws `ERR_QUANTLANE_FORMAT` when the folder does not exist or the disk refuses; the cause is kept.
 */
export async function createTensorFile(
  path: string,
  header: Uint8Array,
  tensors: readonly TensorEntry[],
  ending: FileEnding = {},
): Promise<TensorWriter> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(temporary, 'wx+').catch((cause: unknown) => {
    throw refuse(path, `Expected a path that can be written, got ${reason(cause)}`, { cause });
  });
  try {
    await writeFully(handle, path, 0, header);
    if (ending.size !== undefined) await extend(handle, path, ending.size);
  } catch (error) {
    await discard(handle, temporary);
    throw error;
  }
  return tensorWriter(handle, path, temporary, tensors, ending.complete);
}

/** The writer over its temporary file; takes the handle over. */
function tensorWriter(
  handle: FileHandle,
  path: string,
  temporary: string,
  tensors: readonly TensorEntry[],
  complete: FileEnding['complete'],
): TensorWriter {
  const slots = new Map(tensors.map((entry) => [entry.name, { entry, runs: [] as Run[] }]));
  let closing: Promise<void> | undefined;
  let aborting: Promise<void> | undefined;

  async function write(name: string, position: number, bytes: Uint8Array): Promise<void> {
    if (closing !== undefined || aborting !== undefined) throw closed(path);
    const slot = slots.get(name);
    if (slot === undefined)
      throw fail('ERR_QUANTLANE_ARGUMENT', `${path}: Expected a declared tensor, got ${quote(String(name))}`);
    checkRange(path, name, slot.entry.byteLength, position, bytes);
    // The length is taken now: bytes count as written only when the disk has them.
    const end = position + bytes.length;
    await writeFully(handle, path, slot.entry.offset + position, bytes);
    addRun(slot.runs, position, end);
  }

  async function finish(): Promise<void> {
    try {
      for (const { entry, runs } of slots.values()) checkComplete(path, entry, runs);
      await complete?.(handle);
      await handle.sync();
      await handle.close();
      await rename(temporary, path);
    } catch (cause) {
      await discard(handle, temporary);
      if (cause instanceof FormatError) throw cause;
      throw refuse(path, `Expected a path that can be written, got ${reason(cause)}`, { cause });
    }
  }

  async function close(): Promise<void> {
    if (aborting !== undefined) throw closed(path);
    closing ??= finish();
    await closing;
  }

  async function abort(): Promise<void> {
    if (closing !== undefined) {
      // A close that fails has already deleted the file and told its own caller.
      await closing.catch(() => undefined);
      return;
    }
    aborting ??= discard(handle, temporary);
    await aborting;
  }

  return Object.freeze({ write, close, abort, [Symbol.asyncDispose]: abort });
}

/** Makes a new file so long, with zeros at its end. */
async function extend(handle: FileHandle, path: string, size: number): Promise<void> {
  await handle.truncate(size).catch((cause: unknown) => {
    throw refuse(path, `Expected room for ${size} bytes, got ${reason(cause)}`, { cause });
  });
}

/** Closes the handle, if it still is open, and deletes the temporary file, if it still is there. */
async function discard(handle: FileHandle, temporary: string): Promise<void> {
  await handle.close().catch(() => undefined);
  await rm(temporary, { force: true });
}

/** The error for a call after the end of the writer. */
function closed(path: string): Error {
  return fail('ERR_QUANTLANE_CLOSED', `${path}: Expected an open writer, got one that was closed or aborted`);
}

/**
 * Checks that every byte of a tensor was written; a tensor of no bytes always is complete.
 * @throws `ERR_QUANTLANE_FORMAT` with the written count otherwise.
 */
function checkComplete(path: string, { name, byteLength }: TensorEntry, runs: readonly Run[]): void {
  const written = runs.reduce((sum, run) => sum + run.end - run.begin, 0);
  if (written === byteLength) return;
  throw refuse(path, `Expected all ${byteLength} bytes of ${quote(name)} to be written, got ${written}`, {
    details: { expected: byteLength, actual: written },
  });
}

/**
 * Adds a run to sorted runs that neither touch nor overlap, and keeps them so; overlap is counted once. An empty
 * run counts nothing. Runs that arrive in order cost constant time.
 */
function addRun(runs: Run[], begin: number, end: number): void {
  let at = runs.length;
  while (at > 0 && runs[at - 1].end >= begin) at -= 1;
  let last = at;
  const merged = { begin, end };
  while (last < runs.length && runs[last].begin <= end) {
    merged.begin = Math.min(merged.begin, runs[last].begin);
    merged.end = Math.max(merged.end, runs[last].end);
    last += 1;
  }
  runs.splice(at, last - at, merged);
}
