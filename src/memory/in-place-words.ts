/**
 * Words of the shared memory that a thread uses for work of its own: the runtime's thread those of the ring, a thread that
 * is connected to it some of its own.
 * @module
 */

/** Bytes of a descriptor, as `Size.Descriptor`. */
const DESCRIPTOR_BYTES = 512;
/** Bytes of the words for ranges. */
const RANGE_BYTES = 64 * 4;

/** Bytes that `ThreadWords` take, whole cache lines. */
export const THREAD_WORDS_BYTES = 2 * DESCRIPTOR_BYTES + RANGE_BYTES;

/** Words for work in place. */
export interface InPlaceWords {
  /** The whole memory as signed words. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Word index of 64 words for the ranges of a unit that is worked off in parts. */
  readonly ranges: number;
  /** Byte address of descriptor 0 or 1. */
  inPlace(which: 0 | 1): number;
}

/** Words for work in place at an address of the memory. */
export class ThreadWords implements InPlaceWords {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly #start: number;

  /** @param start byte address, a multiple of 64, of `THREAD_WORDS_BYTES` bytes that nobody else uses */
  constructor(buffer: SharedArrayBuffer, start: number) {
    this.words = new Int32Array(buffer);
    this.#start = start;
    // Another owner may have left anything there.
    this.words.fill(0, start >> 2, (start + THREAD_WORDS_BYTES) >> 2);
  }

  get ranges(): number {
    return (this.#start + 2 * DESCRIPTOR_BYTES) >> 2;
  }

  inPlace(which: 0 | 1): number {
    return this.#start + which * DESCRIPTOR_BYTES;
  }
}
