/**
 * Opening a tensor file without saying which format it has.
 * @module
 */

import { extname } from 'node:path';
import { openToRead, readFully } from './disk.js';
import { openGguf } from './gguf.js';
import { isGguf } from './gguf-header.js';
import { openNpy } from './npy.js';
import { isNpy } from './npy-header.js';
import { isZip, openNpz } from './npz.js';
import { refuse } from './refusals.js';
import { openSafetensors } from './safetensors.js';
import type { TensorFile } from './tensor-file.js';

/** Bytes that tell the formats apart: a magic, or the first byte of JSON after a length. */
const SNIFFED = 9;

/**
 * Opens a tensor file: by its extension `.npy`, `.npz`, `.safetensors` or `.gguf`, in any case, else by its first
 * bytes.
 * @param path - a regular file; an empty file is refused
 * @throws `ERR_QUANTLANE_FORMAT` when the file does not exist (the cause is kept), has none of the formats, or is refused
 *   by its format.
 */
export async function openTensors(path: string): Promise<TensorFile> {
  const extension = extname(path).toLowerCase();
  if (extension === '.npy') return openNpy(path);
  if (extension === '.npz') return openNpz(path);
  if (extension === '.safetensors') return openSafetensors(path);
  if (extension === '.gguf') return openGguf(path);
  const first = await firstBytes(path);
  if (isNpy(first)) return openNpy(path);
  if (isGguf(first)) return openGguf(path);
  if (isZip(first)) return openNpz(path);
  // Last, since this byte of a GGUF file is a part of a count and may be anything.
  if (first[SNIFFED - 1] === 0x7b) return openSafetensors(path);
  throw refuse(path, 'Expected an npy, npz, safetensors or GGUF file, got neither its extension nor its first bytes');
}

/** The first bytes of a file, or all of a shorter one. */
async function firstBytes(path: string): Promise<Uint8Array> {
  const { handle, size } = await openToRead(path);
  try {
    const bytes = new Uint8Array(Math.min(size, SNIFFED));
    await readFully(handle, path, 0, bytes);
    return bytes;
  } finally {
    await handle.close();
  }
}
