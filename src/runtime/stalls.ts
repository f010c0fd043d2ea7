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
  readonly #lanes: number;
  readonly #seen = new Map<number, Sighting>();
  #last = 0;

  /** @param deadline milliseconds that a lane may take for one descriptor */
  constructor(ring: Ring, lanes: number, deadline: number) {
    this.#ring = ring;
    this.#lanes = lanes;
    this.interval = deadline / LOOKS;
  }

  /** Lanes that hold the same descriptor since the deadline; each is told once. To be called at least every `interval`. */
  look(now: number): number[] {
    if (now - this.#last < this.interval) return [];
    this.#last = now;
    const stalled: number[] = [];
    for (let lane = 0; lane < this.#lanes; lane++) {
      const [sequence] = this.#ring.heldBy(lane);
      const sighting = this.#seen.get(lane);
      if (sequence === undefined) this.#seen.delete(lane);
      else if (sighting?.sequence !== sequence) this.#seen.set(lane, { sequence, looks: 0 });
      else if (++sighting.looks === LOOKS) stalled.push(lane);
    }
    return stalled;
  }

  /** A lane has died: what it holds next is something else. */
  forget(lane: number): void {
    this.#seen.delete(lane);
  }
}
