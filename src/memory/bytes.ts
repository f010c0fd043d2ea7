/**
 * The bytes of a view.
 * @module
 */

/** Bytes of any typed array, in the same memory. */
export function bytesIn(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
