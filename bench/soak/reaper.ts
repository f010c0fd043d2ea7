/**
 * Ends threads of lanes from outside, wherever they are: in a kernel, between two shared words, or asleep.
 * @module
 */
import type { Worker } from 'node:worker_threads';
import type { Random } from './random.js';

/** What the reaper asks before it ends a thread. */
export interface Victims {
  /** Whether a thread may be ended now. */
  isFair(): boolean;
}

/** Milliseconds after which it asks again where it was not fair. */
const PATIENCE_MS = 5;

/** Knows every thread of this process, and ends one now and then. */
export class Reaper {
  /** Threads ended so far. */
  kills = 0;
  readonly #workers = new Set<Worker>();
  readonly #random: Random;
  readonly #victims: Victims;
  readonly #meanMs: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #onWorker = (worker: Worker): void => {
    this.#workers.add(worker);
    worker.once('exit', () => this.#workers.delete(worker));
  };

  /** @param meanMs milliseconds between two kills, on the average; infinity for none */
  constructor(random: Random, victims: Victims, meanMs: number) {
    this.#random = random;
    this.#victims = victims;
    this.#meanMs = meanMs;
    // Node tells of every thread that is started.
    process.on('worker', this.#onWorker);
    this.#arm();
  }

  /** Ends no more threads. */
  stop(): void {
    clearTimeout(this.#timer);
    process.off('worker', this.#onWorker);
  }

  #arm(): void {
    if (!Number.isFinite(this.#meanMs)) return;
    this.#timer = setTimeout(() => this.#strike(), this.#random.below(2 * this.#meanMs));
  }

  /** Ends a thread as soon as that is fair. */
  #strike(): void {
    const workers = [...this.#workers];
    if (workers.length === 0 || !this.#victims.isFair()) {
      this.#timer = setTimeout(() => this.#strike(), PATIENCE_MS);
      return;
    }
    this.kills++;
    void this.#random.pick(workers).terminate();
    this.#arm();
  }
}
