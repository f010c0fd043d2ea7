/**
 * A stream has no positions, so it is copied to a temporary file before it is opened.
 * @module
 */

import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail } from '../errors.js';
import { isTypedArray } from '../typed-arrays.js';
import { writeFully } from './disk.js';
import { describe, reason, refuse } from './refusals.js';

/** A stream that has become a file. */
export interface Spooled {
  /** The file, named `stdin` without an extension: its format is found by its first bytes. */
  readonly path: string;
  /** Deletes the file and its folder; a second call changes nothing. */
  remove(): Promise<void>;
  /** The same as `remove()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Copies a stream, such as standard input, to a new temporary file; an empty stream gives an empty file. When it
 * fails nothing is left behind.
 * @param stream - chunks of bytes, in order
 * @param directory - where the temporary folder is made
 * @throws `ERR_QUANTLANE_ARGUMENT` for a chunk that is not bytes, `ERR_QUANTLANE_FORMAT` when the disk refuses, and
 *   whatever the stream throws.
 */
export async function spool(stream: AsyncIterable<Uint8Array>, directory: string = tmpdir()): Promise<Spooled> {
  const folder = await mkdtemp(join(directory, 'quantlane-')).catch((cause: unknown) => {
    throw refuse(directory, `Expected a folder that can be written, got ${reason(cause)}`, { cause });
  });
  const path = join(folder, 'stdin');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await copy(stream, path);
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, remove, [Symbol.asyncDispose]: remove };
}

/** Writes the chunks of a stream to a new file, one after the other. */
async function copy(stream: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const handle = await open(path, 'wx').catch((cause: unknown) => {
    throw refuse(path, `Expected a path that can be written, got ${reason(cause)}`, { cause });
  });
  try {
    let position = 0;
    for await (const chunk of stream) {
      if (!isTypedArray(chunk, 'Uint8Array')) {
        throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a stream of Uint8Array, got ${describe(chunk)}`);
      }
      await writeFully(handle, path, position, chunk);
      position += chunk.length;
    }
  } finally {
    await handle.close();
  }
}
