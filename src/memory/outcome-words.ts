/**
 * The words of a descriptor that a kernel writes its outcome to, before it does.
 * @module
 */
import { Word } from '../scheme/descriptor.js';

/** Empties the words that a kernel writes its outcome to, before the descriptor at `address` is carried out anew. */
export function clearOutcome(words: Int32Array, address: number): void {
  const at = address >> 2;
  words[at + Word.Status] = 0;
  words[at + Word.BadCount] = 0;
  words[at + Word.BadFirst] = -1;
  clearRange(words, at, words[at + Word.WithoutZero] === 1);
}

/** Bits of +∞ and of −∞. */
const INFINITY = 0x7f800000;
const NEGATIVE_INFINITY = -0x00800000;

/** Empties the partial range of the descriptor at word index `at`: to zero, or, of values alone, inside out. */
export function clearRange(words: Int32Array, at: number, isAlone: boolean): void {
  words[at + Word.High] = isAlone ? NEGATIVE_INFINITY : 0;
  words[at + Word.Low] = isAlone ? INFINITY : -0x80000000;
}
