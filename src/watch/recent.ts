/**
 * Counts of the recent past: two parts of half a minute each, of which the older one is begun anew when the younger one is
 * full. So what is read is of the last 30 to 60 seconds, and takes the memory of two counters whatever happens.
 * @module
 */

/** Milliseconds of a part. */
export const PART_MS = 30_000;

/** Counters of the recent past. */
export class Recent<T> {
  readonly #clear: (counter: T) => void;
  #now: T;
  #before: T;
  #part = Number.NEGATIVE_INFINITY;

  /** @param clear begins a counter anew */
  constructor(make: () => T, clear: (counter: T) => void) {
    this.#clear = clear;
    this.#now = make();
    this.#before = make();
  }

  /** The counter of this moment, milliseconds of a clock; for a moment of an older part that of the newest one. */
  at(now: number): T {
    const part = Math.floor(now / PART_MS);
    const passed = part - this.#part;
    if (passed <= 0) return this.#now;
    this.#part = part;
    [this.#now, this.#before] = [this.#before, this.#now];
    this.#clear(this.#now);
    if (passed > 1) this.#clear(this.#before);
    return this.#now;
  }

  /** Both counters, the younger one first. */
  both(now: number): readonly [T, T] {
    return [this.at(now), this.#before];
  }
}
