/**
 * A change of the pieces of a layer that happens as a whole or not at all.
 *
 * Until it is committed the layer reads its old pieces. Nothing that these show is written: new tokens go to pages of the
 * change's own, or behind the tokens of a page that nobody else reads.
 * @module
 */
import { freeze } from './freezer.js';
import { floatBytes, type PageLayout } from './layout.js';
import type { Machine } from './machine.js';
import { type Page, type Piece, tokensOf } from './page.js';

/** New tokens at the end of a layer, and the blocks that are quantized for them. */
export class Change {
  readonly #machine: Machine;
  readonly #layout: PageLayout;
  readonly #pieces: Piece[];
  /** Pages that were taken for this change. */
  readonly #taken = new Set<Page>();
  /** Pages of the layer that it no longer needs. */
  readonly #dropped: Page[] = [];
  #tokens: number;

  constructor(machine: Machine, layout: PageLayout, pieces: readonly Piece[]) {
    this.#machine = machine;
    this.#layout = layout;
    this.#pieces = [...pieces];
    this.#tokens = tokensOf(pieces);
  }

  /** The last piece, with room for a token at least and in no other hands. */
  open(): Piece {
    const last = this.#pieces.at(-1);
    if (last === undefined || last.kind === 'frozen' || last.tokens === last.capacity) return this.#add();
    return last.page.isShared ? this.#replace(this.#pieces.length - 1, this.#copied(last)) : last;
  }

  /** The last piece has `count` tokens more. */
  grow(count: number): void {
    const index = this.#pieces.length - 1;
    const piece = this.#pieces[index]!;
    this.#pieces[index] = { ...piece, tokens: piece.tokens + count };
    this.#tokens += count;
  }

  /** Quantizes every full block that at least `residual` tokens follow, the oldest first. */
  settle(): void {
    if (!this.#layout.freezes) return;
    const { block, residual } = this.#layout.format;
    let index = this.#pieces.findIndex(({ kind }) => kind === 'float');
    if (index < 0) return;
    let after = this.#tokens - tokensOf(this.#pieces.slice(0, index));
    for (; after - block >= residual && index < this.#pieces.length; index++) {
      const piece = this.#pieces[index]!;
      const page = this.#take(this.#layout.frozen.bytes);
      freeze(this.#machine, this.#layout, piece.page, page);
      this.#replace(index, { ...piece, kind: 'frozen', page });
      after -= block;
    }
  }

  /** The change happens. @returns the new pieces */
  commit(): readonly Piece[] {
    for (const page of this.#dropped) page.release();
    return this.#pieces;
  }

  /** The change does not happen. */
  undo(): void {
    for (const page of this.#taken) page.release();
  }

  #add(): Piece {
    const { sinks, block } = this.#layout.format;
    const isSink = this.#tokens < sinks;
    const capacity = isSink ? sinks : block;
    const page = this.#take(floatBytes(this.#layout, capacity));
    const piece: Piece = { kind: isSink ? 'sink' : 'float', page, capacity, tokens: 0 };
    this.#pieces.push(piece);
    return piece;
  }

  #copied(piece: Piece): Piece {
    const { byteOffset, byteLength } = piece.page;
    const page = this.#take(byteLength);
    this.#machine.bytes.copyWithin(page.byteOffset, byteOffset, byteOffset + byteLength);
    return { ...piece, page };
  }

  #replace(index: number, piece: Piece): Piece {
    const { page } = this.#pieces[index]!;
    if (this.#taken.delete(page)) page.release();
    else this.#dropped.push(page);
    this.#pieces[index] = piece;
    return piece;
  }

  #take(bytes: number): Page {
    const page = this.#machine.page(bytes);
    this.#taken.add(page);
    return page;
  }
}
