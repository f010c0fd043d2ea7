/**
 * Files of the safetensors format on disk.
 * @module
 */

import { readerOf } from './disk.js';
import { safetensorsHeader, safetensorsLayout } from './safetensors-header.js';
import type { TensorDeclaration, TensorFile, TensorWriter } from './tensor-file.js';
import { openTensorFile } from './tensor-opener.js';
import { createTensorFile } from './tensor-writer.js';

/**
 * Opens a safetensors file; a file of no tensors is one too.
 * @throws `ERR_QUANTLANE_FORMAT` when the file cannot be read, is not safetensors, or breaks a rule of the format.
 */
export function openSafetensors(path: string): Promise<TensorFile> {
  return openTensorFile(path, 'safetensors', (handle, size) => safetensorsLayout(readerOf(handle, path), path, size));
}

/**
 * Starts a safetensors file with the tensors in the given order.
 * @param path - where the file goes on `close()`
 * @param tensors - names, element types and shapes; may be empty
 * @param metadata - free text; left out of the file when empty
 * @throws `ERR_QUANTLANE_ARGUMENT` for a bad or repeated name or bad metadata, `ERR_QUANTLANE_DTYPE`,
 *   `ERR_QUANTLANE_SHAPE`, and `ERR_QUANTLANE_FORMAT` when the path cannot be written.
 */
export async function createSafetensors(
  path: string,
  tensors: readonly TensorDeclaration[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<TensorWriter> {
  const { bytes, entries } = safetensorsHeader(tensors, metadata);
  return createTensorFile(path, bytes, entries);
}
