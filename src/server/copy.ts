/**
 * Copies into shared memory.
 * @module
 */

/** Bytes of a word; copies between words of the same phase go by words. */
const WORD = 8;

/** Where bytes are put in the phase of their target: what one turn of a copy takes, and a phase. */
const between = new Uint8Array((1 << 16) + WORD);
const MOST = 1 << 16;

/**
 * Copies bytes to shared memory. An engine copies there with atomic operations: by words where both sides begin at the same
 * place of a word, else byte by byte, which takes ten times as long. A copy in between, to memory that is not shared and in
 * the phase of the target, takes neither.
 * @param to at least as long as `from`
 */
export function copyToShared(from: Uint8Array, to: Uint8Array): void {
  if ((from.byteOffset - to.byteOffset) % WORD === 0) {
    to.set(from);
    return;
  }
  for (let at = 0; at < from.length; at += MOST) {
    const part = from.subarray(at, at + MOST);
    const phase = (to.byteOffset + at) % WORD;
    between.set(part, phase);
    to.set(between.subarray(phase, phase + part.length), at);
  }
}
