/**
 * A tensor's bytes, one part after the other, the next of which is read while the last is looked at.
 * @module
 */
import type { TensorEntry, TensorFile } from '../formats/index.js';

/** Bytes of a part, about. */
const CHUNK = 2 ** 20;

/**
 * The bytes of a tensor in parts of about a megabyte.
 * @param multiple every part but the last is a multiple of so many bytes
 */
export async function* readChunks(
  file: TensorFile,
  entry: TensorEntry,
  multiple: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const step = Math.max(Math.floor(CHUNK / multiple), 1) * multiple;
  const read = async (position: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = new Uint8Array(Math.min(step, entry.byteLength - position));
    await file.read(entry, position, bytes);
    return bytes;
  };
  let next = entry.byteLength > 0 ? read(0) : undefined;
  for (let position = step; next !== undefined; position += step) {
    const bytes = await next;
    next = position < entry.byteLength ? read(position) : undefined;
    // Its failure is thrown when its turn comes, if it ever does.
    next?.catch(() => undefined);
    yield bytes;
  }
}
