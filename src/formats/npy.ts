/**
 * Files of the npy format on disk.
 * @module
 */

import { parse } from 'node:path';
import { readerOf } from './disk.js';
import { npyHeader, npyLayout } from './npy-header.js';
import { type FileDtype, type TensorFile, type TensorWriter, tensorBytes } from './tensor-file.js';
import { openTensorFile } from './tensor-opener.js';
import { createTensorFile } from './tensor-writer.js';

/**
 * Opens an npy file; its one tensor has the name of the file without the extension.
 * @throws `ERR_QUANTLANE_FORMAT` when the file cannot be read, is not npy, is not as long as its header says, or
 *   holds what has no place here: objects, records, complex numbers, big-endian or column-major data.
 */
export function openNpy(path: string): Promise<TensorFile> {
  return openTensorFile(path, 'npy', (handle, size) => npyLayout(readerOf(handle, path), path, size, stem(path)));
}

/**
 * Starts an npy file of one tensor, named as the path without folder and extension.
 * @param path - where the file goes on `close()`
 * @param tensor - `dtype`: any but bfloat16; `shape`: dimensions, the slowest first
 * @throws `ERR_QUANTLANE_DTYPE` for bfloat16 or an unknown type, `ERR_QUANTLANE_SHAPE` for a bad shape,
 *   `ERR_QUANTLANE_FORMAT` when the path cannot be written.
 */
export async function createNpy(
  path: string,
  tensor: { readonly dtype: FileDtype; readonly shape: readonly number[] },
): Promise<TensorWriter> {
  const { dtype, shape } = tensor;
  const header = npyHeader(dtype, shape);
  const byteLength = tensorBytes(dtype, shape);
  return createTensorFile(path, header, [{ name: stem(path), dtype, shape, offset: header.length, byteLength }]);
}

/** The name of a file without folder and extension. */
function stem(path: string): string {
  return parse(path).name;
}
