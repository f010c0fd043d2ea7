/**
 * The stored tokens of one layer.
 * @module
 */
import { Change } from './change.js';
import { thaw } from './freezer.js';
import { floatBytes, type PageLayout } from './layout.js';
import type { Machine } from './machine.js';
import { type Piece, tokensOf } from './page.js';

/** Keys and values of the tokens of one layer. */
export class Layer {
  readonly #machine: Machine;
  readonly #layout: PageLayout;
  #pieces: readonly Piece[];
  #tokens: number;

  /** Takes over one hold of every page. */
  constructor(machine: Machine, layout: PageLayout, pieces: readonly Piece[] = []) {
    this.#machine = machine;
    this.#layout = layout;
    this.#pieces = pieces;
    this.#tokens = tokensOf(pieces);
  }

  /** Tokens stored. */
  get tokens(): number {
    return this.#tokens;
  }

  /** In the order of their tokens. */
  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  /**
   * Stores tokens whose keys and values are `[tokens, heads, headDim]`, as they are. Where there is no room for all of them,
   * nothing is stored.
   */
  append(keys: Float32Array, values: Float32Array): void {
    const { width } = this.#layout;
    const count = keys.length / width;
    const change = new Change(this.#machine, this.#layout, this.#pieces);
    try {
      for (let from = 0; from < count; ) {
        const piece = change.open();
        const some = Math.min(count - from, piece.capacity - piece.tokens);
        const start = piece.page.byteOffset / 4;
        this.#write(piece, start, keys, from, some);
        this.#write(piece, start + piece.capacity * width, values, from, some);
        change.grow(some);
        change.settle();
        from += some;
      }
    } catch (error) {
      change.undo();
      throw error;
    }
    this.#pieces = change.commit();
    this.#tokens += count;
  }

  /** `count` tokens of `rows` from the token `from` on, head by head behind those of the piece. */
  #write({ tokens, capacity }: Piece, start: number, rows: Float32Array, from: number, count: number): void {
    const { floats } = this.#machine;
    const { heads, headDim } = this.#layout.format;
    for (let t = 0; t < count; t++) {
      for (let head = 0; head < heads; head++) {
        const source = ((from + t) * heads + head) * headDim;
        const target = start + (head * capacity + tokens + t) * headDim;
        // A head is too short for the price of a call that copies.
        for (let c = 0; c < headDim; c++) floats[target + c] = rows[source + c]!;
      }
    }
  }

  /** Forgets all tokens from `count` on. */
  truncate(count: number): void {
    if (count >= this.#tokens) return;
    const kept: Piece[] = [];
    let left = count;
    for (const piece of this.#pieces) {
      const tokens = Math.min(left, piece.tokens);
      if (tokens > 0) kept.push({ ...piece, tokens });
      else piece.page.release();
      left -= tokens;
    }
    this.#pieces = kept;
    this.#tokens = count;
  }

  /** A layer with the same tokens, which reads the same pages. */
  fork(): Layer {
    for (const { page } of this.#pieces) page.retain();
    return new Layer(this.#machine, this.#layout, this.#pieces);
  }

  /**
   * What is stored, as float32 of `[tokens, heads, headDim]` each.
   */
  read(keys: Float32Array, values: Float32Array): void {
    let token = 0;
    for (const piece of this.#pieces) {
      const bytes = floatBytes(this.#layout, piece.capacity);
      this.#machine.with(bytes, (address) => {
        thaw(this.#machine, this.#layout, piece, address);
        this.#readRows(piece, address, token, keys, this.#layout.format.rotate.keys);
        this.#readRows(piece, address + bytes / 2, token, values, this.#layout.format.rotate.values);
      });
      token += piece.tokens;
    }
  }

  #readRows({ capacity, tokens }: Piece, address: number, token: number, into: Float32Array, isRotated: boolean): void {
    const { floats } = this.#machine;
    const { heads, headDim } = this.#layout.format;
    for (let head = 0; head < heads; head++) {
      const rows = address + head * capacity * headDim * 4;
      // The matrix is its own inverse.
      if (isRotated) this.#machine.rotate(rows, tokens, headDim);
      for (let t = 0; t < tokens; t++) {
        const from = rows / 4 + t * headDim;
        into.set(floats.subarray(from, from + headDim), ((token + t) * heads + head) * headDim);
      }
    }
  }

  /** Gives every page back. */
  release(): void {
    for (const { page } of this.#pieces) page.release();
    this.#pieces = [];
    this.#tokens = 0;
  }
}
