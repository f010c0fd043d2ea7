/**
 * Lanes that hold a descriptor for too long: an endless loop would hold it, and whoever waits for it, for ever.
 * @module
 */
import type { Ring } from '../memory/index.js';

/** Times that a lane must be seen with the same descriptor. Looks rather than time alone: a process may have slept. */
const LOOKS = 4;

/** A descriptor that a lane was seen with. */
interface Sighting {
  readonly sequence: number;
  looks: number;
}

/** Watches what lanes hold. */
export class StallWatch {
  /** Milliseconds between two looks. */
  readonly interval: number;
  readonly #ring: Ring;
  readonly #seen = new Map<number, Sighting>();
  #last = 0;

  /** @param deadline milliseconds that a lane may take for one descriptor */
  constructor(ring: Ring, deadline: number) {
    this.#ring = ring;
    this.interval = deadline / LOOKS;
  }

  /** Lanes that hold the same descriptor since the deadline; each is told once. To be called at least every `interval`. */
  look(now: number): number[] {
    if (now - this.#last < this.interval) return [];
    this.#last = now;
    const running = this.#ring.running();
    for (const lane of this.#seen.keys()) if (!running.has(lane)) this.#seen.delete(lane);
    const stalled: number[] = [];
    for (const [lane, sequence] of running) {
      const sighting = this.#seen.get(lane);
      if (sighting?.sequence !== sequence) this.#seen.set(lane, { sequence, looks: 0 });
      else if (++sighting.looks === LOOKS) stalled.push(lane);
    }
    return stalled;
  }

  /** A lane has died: what it holds next is something else. */
  forget(lane: number): void {
    this.#seen.delete(lane);
  }
}
