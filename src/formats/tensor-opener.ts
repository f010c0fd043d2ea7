/**
 * The part of opening a file on disk that all formats share.
 * @module
 */

import type { FileHandle } from 'node:fs/promises';
import { openToRead, readerOf } from './disk.js';
import type { TensorFile } from './tensor-file.js';
import { type TensorLayout, tensorFile } from './tensor-reader.js';

/**
 * Opens a file, lets the format read and check its header, and keeps it open; a refused file is closed again.
 * @param layout - reads the header; gets the handle and the size of the file in bytes
 * @throws `ERR_QUANTLANE_FORMAT` when the file cannot be opened or its header is refused.
 */
export async function openTensorFile(
  path: string,
  format: TensorFile['format'],
  layout: (handle: FileHandle, size: number) => Promise<TensorLayout>,
): Promise<TensorFile> {
  const { handle, size } = await openToRead(path);
  try {
    const source = { readAt: readerOf(handle, path), size, close: () => handle.close() };
    return tensorFile(source, path, format, await layout(handle, size));
  } catch (error) {
    await handle.close();
    throw error;
  }
}
