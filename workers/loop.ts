/**
 * The loop of a lane: claims descriptors from the ring and carries them out.
 * @module
 */
import { errorId } from '../src/errors.js';
import { nextTurn } from '../src/host.js';
import type { Kernel } from '../src/kernels/kernel.js';
import { clearOutcome } from '../src/memory/outcome-words.js';
import { MAX_LANES, Ring } from '../src/memory/ring.js';
import { eachOfRun } from '../src/memory/run-words.js';
import { Word } from '../src/scheme/descriptor.js';

/**
 * Milliseconds that a lane spins after its last batch, at first: to wake a thread costs about as much. A spin that finds
 * work makes the next one twice as long, one that finds none half as long, so that a lane whose batches come closely is
 * awake for them, and one whose batches come rarely does not burn the time that the caller's thread needs. On two cores
 * that were busy with other work too, calls with less than 0.3 ms between them took 0.42 to 0.58 of the time that they
 * took where the lane always spun for 50 µs; on an idle machine it was not measured.
 */
const SPIN_MS = 0.05;
/** The longest spin: what two wake-ups cost; to spin longer costs more than it can save. */
const MOST_SPIN_MS = 0.1;
/** Below this a spin is left out, but for every eighth, which finds out whether batches come closely again. */
const LEAST_SPIN_MS = 0.0125;
const PROBE = 8;
/** Milliseconds that it then blocks its thread, because to wake it from there is faster than through its event loop. */
const DOZE_MS = 0.5;
/** Milliseconds of work after which the lane looks at its control channel. */
const TURN_MS = 1;
/** Milliseconds after which a sleeping lane looks for work without having been woken. */
const SLEEP_MS = 10_000;

/** One lane. */
export class Lane {
  readonly index: number;
  readonly kernel: Kernel;
  readonly startedAt = performance.now();
  batches = 0;
  busyMs = 0;
  readonly #ring: Ring;
  #isDraining = true;

  /** A lane that claims nothing until `resume`. */
  constructor(index: number, memory: WebAssembly.Memory, kernel: Kernel) {
    this.index = index;
    this.kernel = kernel;
    this.#ring = new Ring(memory.buffer as unknown as SharedArrayBuffer);
  }

  /** Claims and carries out descriptors until the ring is stopped. */
  async run(): Promise<void> {
    const ring = this.#ring;
    let turnEnd = performance.now() + TURN_MS;
    let hasDozed = false;
    const spin = new Spin(ring);
    for (;;) {
      // The count first: a stop, or work, that comes after a look makes the wait that follows it end at once.
      const seen = ring.workCount;
      if (ring.isStopped) return;
      if (this.#isDraining) {
        await ring.rest(SLEEP_MS);
        continue;
      }
      const address = ring.claim(this.index);
      if (address >= 0) {
        this.#execute(address);
        hasDozed = false;
        if (performance.now() < turnEnd) continue;
        await nextTurn();
      } else if (!hasDozed) {
        spin.wait(seen);
        ring.doze(seen, DOZE_MS);
        hasDozed = true;
        continue;
      } else {
        await ring.sleep(seen, SLEEP_MS);
      }
      turnEnd = performance.now() + TURN_MS;
    }
  }

  #execute(address: number): void {
    const words = this.#ring.words;
    const start = performance.now();
    const batches = words[(address >> 2) + Word.RunCount]!;
    if (batches > 0) eachOfRun(words, address, this.#carryOut);
    else {
      clearOutcome(words, address);
      this.#carryOut(address);
    }
    this.busyMs += performance.now() - start;
    this.batches += Math.max(1, batches);
    this.#ring.finish(address);
  }

  readonly #carryOut = (address: number): void => {
    try {
      this.kernel.execute(address);
    } catch {
      // A trap. The text cannot cross, so the producer names the batch.
      this.#ring.words[(address >> 2) + Word.Status] = errorId('ERR_QUANTLANE_KERNEL');
    }
  };

  /**
   * Claims no more. It is called between two batches, so none is in hand when it returns. All lanes look for work anew:
   * where this one sleeps, it must not be the one that is woken for work to come, or that was woken for work just now.
   */
  drain(): void {
    this.#isDraining = true;
    this.#ring.wake(MAX_LANES);
  }

  /** Claims work from now on. */
  resume(): void {
    this.#isDraining = false;
    this.#ring.rouse();
  }
}

/** How long a lane spins, by what its last spins found. */
class Spin {
  readonly #ring: Ring;
  #milliseconds = SPIN_MS;
  #skipped = 0;

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  /** Spins, unless it was in vain the last times, until there is work or the time is over. */
  wait(seen: number): void {
    if (this.#milliseconds < LEAST_SPIN_MS && ++this.#skipped < PROBE) return;
    this.#skipped = 0;
    this.#ring.spin(seen, Math.max(this.#milliseconds, LEAST_SPIN_MS));
    const hasFound = this.#ring.workCount !== seen;
    const next = Math.max(this.#milliseconds, LEAST_SPIN_MS / 2) * (hasFound ? 2 : 0.5);
    this.#milliseconds = Math.min(MOST_SPIN_MS, next);
  }
}
