/**
 * How codes are used: which of them, how evenly, and how many lie at an end (equation 52 of docs/quantization.md).
 * @module
 */
import { fail, got } from '../errors.js';

/** The most codes that there may be. */
const MAX_CODES = 2 ** 24;

/** Counts codes that come in parts; merges in any order to the same numbers. */
export class CodeUsage {
  /** The smallest and the largest code. */
  readonly codes: readonly [lo: number, hi: number];
  readonly #counts: Float64Array;

  /** @throws `ERR_QUANTLANE_ARGUMENT` where `lo` and `hi` are no integers in order, or too far apart */
  constructor(lo: number, hi: number) {
    if (!(Number.isSafeInteger(lo) && Number.isSafeInteger(hi) && lo <= hi && hi - lo < MAX_CODES)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected up to ${MAX_CODES} codes, got ${got(lo)} to ${got(hi)}`);
    }
    this.codes = Object.freeze([lo, hi] as const);
    this.#counts = new Float64Array(hi - lo + 1);
  }

  /**
   * Counts codes.
   * @throws `ERR_QUANTLANE_ARGUMENT` for one that there is not; those before it are counted
   */
  add(codes: ArrayLike<number>): void {
    const counts = this.#counts;
    const [lo, hi] = this.codes;
    for (let index = 0; index < codes.length; index++) {
      const place = codes[index]! - lo;
      const count = counts[place];
      if (count === undefined) {
        throw fail('ERR_QUANTLANE_ARGUMENT', `Expected codes from ${lo} to ${hi}, got ${codes[index]} at ${index}`);
      }
      counts[place] = count + 1;
    }
  }

  /**
   * Takes in what another one counted.
   * @throws `ERR_QUANTLANE_ARGUMENT` where its codes are others
   */
  merge(other: CodeUsage): void {
    if (other.codes.join() !== this.codes.join()) {
      throw fail(
        'ERR_QUANTLANE_ARGUMENT',
        `Expected codes ${this.codes.join(' to ')}, got ${other.codes.join(' to ')}`,
      );
    }
    other.#counts.forEach((count, place) => {
      this.#counts[place]! += count;
    });
  }

  /** How often each code occurs, the smallest first. */
  get counts(): Float64Array {
    return this.#counts.slice();
  }

  /** How many codes were counted. */
  get total(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** How many different codes there were. */
  get used(): number {
    return this.#counts.reduce((used, count) => used + (count > 0 ? 1 : 0), 0);
  }

  /** How many were the smallest or the largest code. */
  get atEnds(): number {
    const { length } = this.#counts;
    return length === 1 ? this.#counts[0]! : this.#counts[0]! + this.#counts[length - 1]!;
  }

  /** Bits of a code that carry information: the entropy of their shares; 0 for none. */
  get entropy(): number {
    const { total } = this;
    const bitsOf = (count: number): number => (count === 0 ? 0 : (count / total) * Math.log2(total / count));
    return this.#counts.reduce((bits, count) => bits + bitsOf(count), 0);
  }
}
