/**
 * A page: leased memory that several caches may read. It goes back to the arena with the last of them.
 * @module
 */
import type { Lease } from '../memory/index.js';

/** Leased memory, counted by those who refer to it. */
export class Page {
  /** Bytes from the beginning of the memory, a multiple of 64. */
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly #lease: Lease;
  #holders = 1;

  /** Takes the lease over; the page has one holder. */
  constructor(lease: Lease) {
    this.byteOffset = lease.byteOffset;
    this.byteLength = lease.byteLength;
    this.#lease = lease;
  }

  /** Whether anybody else reads the page, so that it must not be written. */
  get isShared(): boolean {
    return this.#holders > 1;
  }

  /** One holder more. */
  retain(): void {
    this.#holders++;
  }

  /** One holder less; each calls it once. */
  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#lease.release();
  }
}

/**
 * A page of tokens: `sink` and `float` hold float32, `frozen` codes. Head after head, it has `capacity` rows, of which the
 * first `tokens` count.
 */
export interface Piece {
  readonly kind: 'sink' | 'float' | 'frozen';
  readonly page: Page;
  readonly capacity: number;
  readonly tokens: number;
}

/** Tokens of all pieces. */
export function tokensOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.tokens, 0);
}
