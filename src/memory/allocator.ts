/**
 * Which bytes of a range are taken: a two-level segregated fit. Free blocks lie in lists by size class, two bitmaps
 * say which lists have any, and neighbours are joined when they are freed. All of it is kept in JavaScript objects,
 * never in the range itself, so a kernel that writes beyond its block cannot corrupt it.
 *
 * Sizes are counted in units of 64 bytes. Below 16 units a class is one size; above, each power of two has 16 classes:
 *
 * ```text
 * units   1 2 … 15 | 16 17 … 31 | 32 34 … 62 | 64 68 …
 * class   1 2 … 15 | 16 17 … 31 | 32 33 … 47 | 48 49 …
 * ```
 * @module
 */

import { fail } from '../errors.js';

/** Every block begins at a multiple of this many bytes and is a multiple of it long: a cache line. */
const GRANULARITY = 64;

/** Classes of each power of two, and its logarithm. */
const CLASSES = 16;
const CLASS_BITS = 4;

/** A run of bytes between two others, taken or free. Only the allocator changes it. */
export interface Block {
  /** Bytes from the beginning of the memory. */
  offset: number;
  units: number;
  /** Whether it is not taken. */
  free: boolean;
  /** Neighbours in the range. */
  before: Block | undefined;
  after: Block | undefined;
  /** Neighbours in the list of its class, while it is free. */
  previous: Block | undefined;
  next: Block | undefined;
}

/**
 * The bytes that a request takes: rounded up to 64, at least 64.
 * @param bytes - from 0
 */
export function roundedBytes(bytes: number): number {
  return Math.max(Math.ceil(bytes / GRANULARITY), 1) * GRANULARITY;
}

/** Hands out blocks of a range of bytes. */
export class Allocator {
  /** Bytes that can be taken in all: what lies between the bounds after both are rounded inwards to 64. */
  readonly capacity: number;
  /** First block of each class's list. */
  readonly #lists: (Block | undefined)[] = [];
  /** Bit `row`: some class of the row has a free block. A row is 16 classes. */
  #rows = 0;
  /** By row, bit `column`: class `row * 16 + column` has a free block. */
  readonly #columns = new Int32Array(32);
  /** Blocks that were joined to others, to be used again, in a list: in the long run none is made. */
  #spare: Block | undefined;
  #inUse = 0;

  /**
   * @param start - first byte of the range
   * @param end - the byte after its last; an empty range is one that nothing fits in
   */
  constructor(start: number, end: number) {
    const offset = Math.ceil(start / GRANULARITY) * GRANULARITY;
    const units = Math.max(Math.floor((end - offset) / GRANULARITY), 0);
    this.capacity = units * GRANULARITY;
    if (units > 0) this.#insert(this.#newBlock(offset, units));
  }

  /** Bytes taken, as rounded. */
  get inUse(): number {
    return this.#inUse;
  }

  /** Bytes of the largest request that fits now; 0 when none does. */
  get largestFree(): number {
    if (this.#rows === 0) return 0;
    const row = highestBit(this.#rows);
    let units = 0;
    for (let block = this.#lists[row * CLASSES + highestBit(this.#columns[row]!)]; block; block = block.next) {
      units = Math.max(units, block.units);
    }
    return units * GRANULARITY;
  }

  /** Whether `allocate(bytes)` would succeed now. */
  fits(bytes: number): boolean {
    return this.#find(roundedBytes(bytes) / GRANULARITY) !== undefined;
  }

  /**
   * Takes a block; a request of zero bytes takes 64.
   * @param bytes - from 0
   * @returns its offset is a multiple of 64; undefined when no free block is long enough
   */
  allocate(bytes: number): Block | undefined {
    const units = roundedBytes(bytes) / GRANULARITY;
    const block = this.#find(units);
    if (block === undefined) return undefined;
    this.#remove(block);
    if (block.units > units) this.#insert(this.#split(block, units));
    this.#inUse += units * GRANULARITY;
    return block;
  }

  /**
   * Gives a block back and joins it with its free neighbours. It must not be used any more.
   * @param block - what `allocate` answered
   * @throws `ERR_QUANTLANE_DOUBLE_RELEASE` when it is not taken.
   */
  free(block: Block): void {
    if (block.free) {
      throw fail('ERR_QUANTLANE_DOUBLE_RELEASE', `Expected a taken block, got the free one at ${block.offset}`);
    }
    this.#inUse -= block.units * GRANULARITY;
    let whole = block;
    if (block.before?.free) {
      whole = block.before;
      this.#remove(whole);
      this.#join(whole);
    }
    if (whole.after?.free) {
      this.#remove(whole.after);
      this.#join(whole);
    }
    this.#insert(whole);
  }

  /**
   * A free block of at least so many units, or undefined. The first list of a class in which every block is long
   * enough decides in constant time. Only when there is none are the blocks of the request's own class looked
   * through, some of which may do: without that, a request for all of an empty range could fail.
   */
  #find(units: number): Block | undefined {
    if (units * GRANULARITY > this.capacity - this.#inUse) return undefined; // and no word below overflows
    const sufficient = classOf(units + classWidth(units) - 1);
    const row = sufficient >> CLASS_BITS;
    const columns = this.#columns[row]! & (-1 << (sufficient & (CLASSES - 1)));
    if (columns !== 0) return this.#lists[row * CLASSES + lowestBit(columns)];
    const rows = this.#rows & (-2 << row);
    if (rows !== 0) {
      const next = lowestBit(rows);
      return this.#lists[next * CLASSES + lowestBit(this.#columns[next]!)];
    }
    let block = this.#lists[classOf(units)];
    while (block !== undefined && block.units < units) block = block.next;
    return block;
  }

  /** Puts a block first in the list of its class. */
  #insert(block: Block): void {
    const index = classOf(block.units);
    const first = this.#lists[index];
    block.free = true;
    block.next = first;
    if (first !== undefined) first.previous = block;
    this.#lists[index] = block;
    this.#columns[index >> CLASS_BITS]! |= 1 << (index & (CLASSES - 1));
    this.#rows |= 1 << (index >> CLASS_BITS);
  }

  /** Takes a block out of the list of its class. */
  #remove(block: Block): void {
    const index = classOf(block.units);
    const { previous, next } = block;
    if (previous !== undefined) previous.next = next;
    else this.#lists[index] = next;
    if (next !== undefined) next.previous = previous;
    block.free = false;
    block.previous = undefined;
    block.next = undefined;
    if (this.#lists[index] !== undefined) return;
    const row = index >> CLASS_BITS;
    this.#columns[row]! &= ~(1 << (index & (CLASSES - 1)));
    if (this.#columns[row] === 0) this.#rows &= ~(1 << row);
  }

  /** A block with no neighbours, in no list. */
  #newBlock(offset: number, units: number): Block {
    const block = this.#spare;
    if (block === undefined) {
      return { offset, units, free: false, before: undefined, after: undefined, previous: undefined, next: undefined };
    }
    this.#spare = block.next;
    block.offset = offset;
    block.units = units;
    block.next = undefined;
    return block;
  }

  /** Cuts a block after so many units; returns the rest, which is in no list yet. */
  #split(block: Block, units: number): Block {
    const rest = this.#newBlock(block.offset + units * GRANULARITY, block.units - units);
    rest.before = block;
    rest.after = block.after;
    if (rest.after !== undefined) rest.after.before = rest;
    block.after = rest;
    block.units = units;
    return rest;
  }

  /** Makes a block and the one after it, which is in no list, one block. */
  #join(block: Block): void {
    const gone = block.after!;
    block.units += gone.units;
    block.after = gone.after;
    if (block.after !== undefined) block.after.before = block;
    gone.free = true;
    gone.before = undefined;
    gone.after = undefined;
    gone.next = this.#spare;
    this.#spare = gone;
  }
}

/** The class of a free block of so many units, from 1. */
function classOf(units: number): number {
  if (units < CLASSES) return units;
  const power = highestBit(units);
  // The bits after the highest choose the class within the power of two.
  return (power - CLASS_BITS) * CLASSES + (units >> (power - CLASS_BITS));
}

/** How many sizes, in units, share the class of a block of so many units. */
function classWidth(units: number): number {
  return units < CLASSES ? 1 : 1 << (highestBit(units) - CLASS_BITS);
}

/** Position of the lowest bit that is set, of a word that is not 0. */
function lowestBit(word: number): number {
  return highestBit(word & -word);
}

/** Position of the highest bit that is set, of a word that is not 0. */
function highestBit(word: number): number {
  return 31 - Math.clz32(word);
}
