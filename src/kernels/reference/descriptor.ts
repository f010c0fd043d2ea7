/**
 * The words of one descriptor as numbers.
 * @module
 */
import { NonFinite } from '../../scheme/codes.js';
import { Size, Word } from '../../scheme/descriptor.js';
import { type Memory, NAN_BITS } from './memory.js';

/** The descriptor at a byte address, a multiple of 4. */
export class Descriptor {
  readonly #words: Int32Array;
  readonly #reals: Float32Array;
  readonly #memory: Memory;
  readonly #address: number;

  constructor(memory: Memory, address: number) {
    this.#words = new Int32Array(memory.buffer, address, Size.DescriptorWords);
    this.#reals = new Float32Array(memory.buffer, address, Size.DescriptorWords);
    this.#memory = memory;
    this.#address = address;
  }

  /** A word that counts, names a choice or holds a code. */
  int(word: Word): number {
    return this.#words[word]!;
  }

  /** A word that holds an address, a size or a distance. */
  address(word: Word): number {
    return this.#words[word]! >>> 0;
  }

  /** A word that holds the bits of a float32. */
  real(word: Word): number {
    return this.#reals[word]!;
  }

  /** A word and the next one, which hold the bits of a float64. */
  wideReal(word: Word): number {
    return this.#memory.getFloat64(this.#address + word * 4);
  }

  setInt(word: Word, value: number): void {
    this.#words[word] = value;
  }

  /** Writes the bits of a float32, NaN as the canonical one. */
  setReal(word: Word, value: number): void {
    if (Number.isNaN(value)) this.#words[word] = NAN_BITS;
    else this.#reals[word] = value;
  }

  /** Whether values that are not finite are refused: no codes, no parameters. */
  refuses(): boolean {
    return this.int(Word.NonFinite) === NonFinite.Error;
  }
}
