/**
 * Chance that can be repeated: the same seed gives the same choices.
 * @module
 */

/** A sequence of choices. */
export class Random {
  #state: number;

  /** @param seed any integer */
  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** 32 random bits, unsigned; xorshift, whose state is never 0. */
  bits(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return Math.imul(state, 0x9e3779b1) >>> 0;
  }

  /** An integer from 0 to `limit` − 1. */
  below(limit: number): number {
    return Math.floor((this.bits() / 2 ** 32) * limit);
  }

  /** An integer from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Whether something happens that has this probability. */
  chance(probability: number): boolean {
    return this.bits() / 2 ** 32 < probability;
  }

  /** One of several. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** Chance of its own, so that who draws from it does not disturb who draws from this. */
  fork(): Random {
    return new Random(this.bits());
  }
}
