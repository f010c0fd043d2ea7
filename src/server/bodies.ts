/**
 * Memory for the bodies of small answers, which is used again: to ask for it anew, and to collect it, takes longer than to
 * fill it.
 * @module
 */

/** Bytes of a piece of memory: bodies that are longer have memory of their own. */
const PIECE = 8_192;
/** Pieces that are kept; 2 MiB in all. */
const KEPT = 256;

const free: Buffer[] = [];

/** The parts one after the other, `bytes` in all. */
export function bodyOf(parts: readonly Uint8Array[], bytes: number): Buffer {
  if (bytes > PIECE) return Buffer.concat(parts, bytes);
  const piece = free.pop() ?? Buffer.allocUnsafeSlow(PIECE);
  let at = 0;
  for (const part of parts) {
    piece.set(part, at);
    at += part.length;
  }
  return piece.subarray(0, bytes);
}

/** A body that was written: nobody may read it any more. */
export function giveBack({ buffer }: Buffer): void {
  if (buffer.byteLength === PIECE && free.length < KEPT) free.push(Buffer.from(buffer as ArrayBuffer));
}
