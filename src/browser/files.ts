/**
 * Tensor files of a page: read from a `File` or `Blob` by position, and written to one.
 * @module
 */
import { declarationsOf, metadataOf, noteOf } from '../formats/container.js';
import { isNpy, npyHeader, npyLayout } from '../formats/npy-header.js';
import { reason, refuse, truncated } from '../formats/refusals.js';
import { safetensorsHeader, safetensorsLayout } from '../formats/safetensors-header.js';
import type { FileDtype, TensorFile } from '../formats/tensor-file.js';
import { type ReadAt, tensorFile } from '../formats/tensor-reader.js';
import { nextTurn } from '../host.js';
import { bytesIn } from '../memory/index.js';
import type { QuantizedTensor } from '../runtime/quantized.js';
import type { PresetOptions } from '../scheme/index.js';

/** Bytes that are copied before the event loop gets its turn: blobs do not take shared memory. */
const COPIED = 2 ** 20;

/** A tensor to be written. */
export interface WrittenTensor {
  readonly dtype: FileDtype;
  /** Dimensions, the slowest first. */
  readonly shape: readonly number[];
  /** The elements, row-major; may view shared memory. */
  readonly data: ArrayBufferView;
}

/**
 * Opens a .npy or .safetensors file. Only its header is read; tensors are when they are asked for.
 * @param name - of the file, for messages and as the name of the one tensor of a .npy file
 * @throws `ERR_QUANTLANE_FORMAT` when it is neither, or is refused by its format.
 */
export async function openTensors(
  file: Blob,
  name = 'name' in file ? String(file.name) : 'tensor',
): Promise<TensorFile> {
  const readAt = readerOf(file, name);
  const first = new Uint8Array(Math.min(file.size, 9));
  await readAt(0, first);
  const source = { readAt, size: file.size, close: async () => undefined };
  if (isNpy(first)) {
    const stem = name.replace(/^.*\//, '').replace(/(?<=.)\.[^.]*$/, '');
    return tensorFile(source, name, 'npy', await npyLayout(readAt, name, file.size, stem));
  }
  // The header of safetensors is JSON behind eight bytes of its length.
  if (first[8] === 0x7b) {
    return tensorFile(source, name, 'safetensors', await safetensorsLayout(readAt, name, file.size));
  }
  throw refuse(name, 'Expected a .npy or .safetensors file, got other first bytes');
}

/**
 * A .npy file of one tensor.
 * @throws `ERR_QUANTLANE_DTYPE` for a type that npy has no name for, `ERR_QUANTLANE_SHAPE`.
 */
export async function npyBlob({ dtype, shape, data }: WrittenTensor): Promise<Blob> {
  return blobOf([npyHeader(dtype, shape), bytesIn(data)]);
}

/**
 * The file that `quantlane quantize` writes of a tensor, which `quantlane dequantize` and `inspect` read.
 * @param name - of the tensor
 * @param options - those of the preset that it was quantized with
 */
export async function quantizedBlob(name: string, q: QuantizedTensor, options: PresetOptions = {}): Promise<Blob> {
  const { scheme, shape, dtype } = q;
  const declarations = declarationsOf(name, scheme, shape, q.outliers?.length);
  const notes = new Map([[name, noteOf(scheme, options, shape, dtype)]]);
  const { bytes } = safetensorsHeader(declarations, metadataOf(scheme.name, notes));
  const parts = [q.data, q.scale, q.zeroPoint, q.outliers, q.outlierValues].filter((part) => part !== null);
  return blobOf([bytes, ...parts.map(bytesIn)]);
}

/** Reads by position from a blob. */
function readerOf(file: Blob, where: string): ReadAt {
  return async (position, target) => {
    const end = position + target.length;
    const bytes = await file
      .slice(position, end)
      .arrayBuffer()
      .catch((cause: unknown) => {
        throw refuse(where, `Expected a readable file, got ${reason(cause)}`, { cause });
      });
    if (bytes.byteLength < target.length) throw truncated(where, end, position + bytes.byteLength);
    target.set(new Uint8Array(bytes));
  };
}

/** A blob of copies of the parts. */
async function blobOf(parts: readonly Uint8Array[]): Promise<Blob> {
  const copies: Uint8Array<ArrayBuffer>[] = [];
  for (const part of parts) {
    for (let at = 0; at < part.length; at += COPIED) {
      copies.push(Uint8Array.from(part.subarray(at, at + COPIED)));
      await nextTurn();
    }
  }
  return new Blob(copies, { type: 'application/octet-stream' });
}
