/**
 * The GGUF format of ggml and llama.cpp: tensors of numbers or packed blocks, and typed values beside them.
 * @module
 */

import type { FileHandle } from 'node:fs/promises';
import { readFully } from './disk.js';
import { NeedsBytes } from './gguf-cursor.js';
import { type GgufDeclaration, type GgufHeader, ggufHeader, parseGgufHeader } from './gguf-header.js';
import type { GgufValues } from './gguf-values.js';
import type { TensorFile, TensorWriter } from './tensor-file.js';
import { openTensorFile } from './tensor-opener.js';
import { createTensorFile } from './tensor-writer.js';

/** A GGUF file that is open for reading. */
export interface GgufFile extends TensorFile {
  readonly format: 'gguf';
  /** 2 or 3. */
  readonly version: number;
  /** Bytes to which tensors are aligned. */
  readonly alignment: number;
  /** All values with their types; `metadata` has those that are not lists, as text. */
  readonly values: GgufValues;
}

/** Bytes that are read first; a header that is longer is read again, four times as much. */
const FIRST_READ = 2 ** 18;
const GROWTH = 4;

/**
 * Opens a GGUF file of version 2 or 3, little-endian; a file of no tensors is one too. Numbers come as they are;
 * a tensor of a block type is `uint8` of shape [rows, bytes per row], with `blocks` that name the type and the shape
 * in elements.
 * @throws `ERR_QUANTLANE_FORMAT` when the file cannot be read, is not GGUF, or breaks a rule of the format.
 */
export async function openGguf(path: string): Promise<GgufFile> {
  let header: GgufHeader | undefined;
  const file = await openTensorFile(path, 'gguf', async (handle, size) => {
    header = await readHeader(handle, path, size);
    return header;
  });
  const { version, alignment, values } = header!;
  return Object.freeze({ ...file, format: 'gguf', version, alignment, values });
}

/**
 * Starts a GGUF file of version 3 with the tensors in the given order. Block types are written as their bytes.
 * @param path - where the file goes on `close()`
 * @param tensors - names, ggml types and shapes in elements; may be empty
 * @param values - typed values by key, such as `general.architecture`, which llama.cpp asks for; may be empty
 * @throws `ERR_QUANTLANE_ARGUMENT` for a bad or repeated name or a bad value, `ERR_QUANTLANE_DTYPE`,
 *   `ERR_QUANTLANE_SHAPE`, and `ERR_QUANTLANE_FORMAT` when the path cannot be written.
 */
export async function createGguf(
  path: string,
  tensors: readonly GgufDeclaration[],
  values: GgufValues = {},
): Promise<TensorWriter> {
  const { bytes, entries, size } = ggufHeader(tensors, values);
  return createTensorFile(path, bytes, entries, { size });
}

/** Reads the header. Its length stands nowhere, so it is parsed again with more bytes while they do not suffice. */
async function readHeader(handle: FileHandle, path: string, size: number): Promise<GgufHeader> {
  let length = FIRST_READ;
  for (;;) {
    const bytes = new Uint8Array(Math.min(size, length));
    await readFully(handle, path, 0, bytes);
    try {
      return parseGgufHeader(bytes, size, path);
    } catch (error) {
      if (!(error instanceof NeedsBytes)) throw error;
      length = Math.max(length * GROWTH, error.bytes);
    }
  }
}
