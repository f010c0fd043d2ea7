/**
 * The producer's side of the ring: cuts jobs into descriptors, publishes them, collects what the lanes finished, and
 * takes work back from lanes that died.
 * @module
 */
import { errorId } from '../errors.js';
import { keepAlive } from '../host.js';
import { hasBegun, isDirty, type Ring, SLOTS, withdrawBatch } from '../memory/index.js';
import { State, Word } from '../scheme/descriptor.js';
import { late } from './due.js';
import {
  type DispatchCounts,
  type Dispatching,
  type DispatchOptions,
  type Flight,
  newFlight,
  publishFlight,
} from './flight.js';
import type { Job } from './job.js';
import { joined } from './joined.js';
import { addOutcome, type Outcome } from './outcome.js';
import { StallWatch } from './stalls.js';
import { Turns } from './turns.js';

/** Lanes that may die of one descriptor before its job is given up. */
const ATTEMPTS = 2;
/** Milliseconds after which the producer looks without having been woken. */
const CEILING_MS = 1_000;

/** Hands jobs to the lanes. */
export class Dispatcher implements Dispatching {
  readonly #ring: Ring;
  readonly #lanes: number;
  readonly #onStalled: (lane: number) => void;
  readonly #stalls: StallWatch;
  readonly #counts = { parts: 0, replayed: 0, poisoned: 0, late: 0 };
  /** Jobs that wait for slots. */
  readonly #turns = new Turns<Flight>();
  readonly #flights = new Set<Flight>();
  /** Flight of each slot whose descriptor was not counted yet. */
  readonly #owners = new Array<Flight | undefined>(SLOTS);
  /** Held while there is work: waiting for a shared word does not keep the process alive. */
  readonly #keepAlive = keepAlive();
  #isFlushing = false;
  #isWatching = false;
  /** The earliest time by which a job is due, or an earlier one. */
  #nextDue = Number.POSITIVE_INFINITY;

  /**
   * @param stallDeadline milliseconds that a lane may take for one descriptor
   * @param onStalled called once for a lane that takes longer
   */
  constructor(ring: Ring, lanes: number, stallDeadline: number, onStalled: (lane: number) => void) {
    this.#ring = ring;
    this.#lanes = lanes;
    this.#stalls = new StallWatch(ring, lanes, stallDeadline);
    this.#onStalled = onStalled;
  }

  /** What became of jobs. */
  get counts(): DispatchCounts {
    return { ...this.#counts, running: this.#flights.size };
  }

  /**
   * Has a job carried out on the lanes. Jobs of one turn of the event loop share one wake-up.
   * @returns rejects with the signal's reason, or ERR_QUANTLANE_DEADLINE
   */
  run(job: Job, { signal, source = this, due = Number.POSITIVE_INFINITY }: DispatchOptions = {}): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const flight = newFlight(job, source, due, {
        resolve: (outcome) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(outcome);
        },
        reject: (reason) => {
          signal?.removeEventListener('abort', onAbort);
          reject(reason);
        },
      });
      const onAbort = () => this.#cancel(flight, signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#flights.add(flight);
      this.#turns.push(flight);
      this.#nextDue = Math.min(this.#nextDue, due);
      this.#keepAlive.ref();
      this.#flushSoon();
    });
  }

  /** A lane has died: what it was running is run again elsewhere, once. */
  laneLost(lane: number): void {
    const poison = errorId('ERR_QUANTLANE_POISON_BATCH');
    for (const sequence of this.#ring.heldBy(lane)) {
      // One batch of a run may have done it: each is run again by itself.
      const isRun = this.#owners[sequence & (SLOTS - 1)]?.run !== undefined;
      if (this.#ring.giveBack(sequence, isRun ? 1 : ATTEMPTS, poison) || isRun) this.#counts.replayed++;
      else this.#counts.poisoned++;
    }
    this.#stalls.forget(lane);
    this.#ring.wake(this.#lanes);
    this.#ring.nudge();
  }

  /** There is no lane left: every job that is not finished is rejected with `reason`. No slot may be running. */
  abandon(reason: unknown): void {
    for (const flight of [...this.#flights]) this.#cancel(flight, reason);
    this.#collect();
  }

  /** Lets go of the timer. */
  close(): void {
    this.#keepAlive.close();
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#pump();
      void this.#watch();
    });
  }

  /** Publishes what waits, as far as there are slots. */
  #pump(): void {
    let published = 0;
    // Where the next one does not fit it is waited for: smaller ones would pass it for ever.
    for (let next = this.#turns.next(); next !== undefined; next = this.#turns.next()) {
      if (!this.#ring.hasRoom(next.slots)) break;
      this.#turns.go(next);
      joined(
        next,
        this.#lanes,
        this.#turns.waiting,
        () => this.#turns.next(),
        (other) => this.#turns.go(other),
      );
      this.#publish(next);
      published += next.slots;
    }
    if (published > 0) this.#ring.wake(Math.min(published, this.#lanes));
  }

  #publish(flight: Flight): void {
    const first = this.#ring.head;
    publishFlight(this.#ring, flight);
    for (const other of flight.run?.flights ?? []) other.first = first;
    for (let k = 0; k < flight.slots; k++) this.#owners[(first + k) & (SLOTS - 1)] = flight;
  }

  /** Collects while there is work in the ring. */
  async #watch(): Promise<void> {
    if (this.#isWatching) return;
    this.#isWatching = true;
    while (this.#flights.size > 0) {
      const seen = this.#ring.finishedCount;
      this.#collect();
      const now = performance.now();
      if (now >= this.#nextDue) this.#dropLate(now);
      for (const lane of this.#stalls.look(now)) this.#onStalled(lane);
      if (this.#flights.size === 0) break;
      const ceiling = Math.min(CEILING_MS, this.#stalls.interval, Math.max(1, Math.ceil(this.#nextDue - now)));
      await this.#ring.untilFinished(seen, ceiling);
    }
    this.#isWatching = false;
    this.#keepAlive.unref();
  }

  /** Gives up the jobs that are late and that no lane has begun. */
  #dropLate(now: number): void {
    this.#nextDue = Number.POSITIVE_INFINITY;
    for (const flight of [...this.#flights]) {
      if (flight.isCancelled) continue;
      if (flight.due > now) this.#nextDue = Math.min(this.#nextDue, flight.due);
      else if (!this.#isBegun(flight)) {
        this.#counts.late++;
        this.#cancel(flight, late(now - flight.due));
      }
    }
    this.#collect();
  }

  /** Whether a lane has claimed a part of the job. */
  #isBegun(flight: Flight): boolean {
    const { first, slots, run } = flight;
    if (run !== undefined && first !== undefined) {
      return hasBegun(this.#ring.words, this.#ring.address(first) >> 2, run.flights.indexOf(flight));
    }
    for (let k = 0; first !== undefined && k < slots; k++) {
      if (this.#ring.state((first + k) | 0) !== State.Ready) return true;
    }
    return false;
  }

  /** Counts what is done and ends the jobs that are complete. */
  #collect(): void {
    const ring = this.#ring;
    for (let sequence = ring.tail; sequence !== ring.head; sequence = (sequence + 1) | 0) {
      const slot = sequence & (SLOTS - 1);
      const flight = this.#owners[slot];
      if (flight === undefined) continue;
      const state = ring.state(sequence);
      if (state !== State.Done && state !== State.Cancelled) continue;
      this.#owners[slot] = undefined;
      if (state === State.Done) this.#counts.parts++;
      if (flight.run !== undefined) {
        this.#endRun(flight.run.flights, sequence, state === State.Done);
        continue;
      }
      if (state === State.Done) {
        const before = flight.outcome.status;
        addOutcome(flight.outcome, ring.words, ring.address(sequence) >> 2);
        if (before === 0 && flight.outcome.status !== 0) this.#cancel(flight, undefined);
      }
      flight.remaining--;
      if (flight.remaining === 0) this.#end(flight);
    }
    ring.retire();
    this.#pump();
  }

  /** Ends the jobs of a run; those that there is something to say about get a descriptor of their own. */
  #endRun(run: readonly Flight[], sequence: number, isDone: boolean): void {
    const { words } = this.#ring;
    const at = this.#ring.address(sequence) >> 2;
    const isLost = isDone && words[at + Word.Status] !== 0;
    for (const [index, flight] of run.entries()) {
      // It was withdrawn.
      if (!this.#flights.has(flight)) continue;
      flight.run = undefined;
      if (flight.isCancelled || !(isLost || isDirty(words, at, index))) {
        this.#endOfRun(flight);
        continue;
      }
      this.#turns.ended(flight);
      flight.first = undefined;
      flight.remaining = 0;
      flight.isAlone = true;
      this.#turns.push(flight);
    }
    this.#ring.free(sequence);
  }

  #endOfRun(flight: Flight): void {
    this.#flights.delete(flight);
    this.#turns.ended(flight);
    if (flight.isCancelled) flight.reject(flight.reason);
    else flight.resolve(flight.outcome);
  }

  #end(flight: Flight): void {
    this.#flights.delete(flight);
    if (flight.first !== undefined) {
      this.#turns.ended(flight);
      for (let k = 0; k < flight.slots; k++) this.#ring.free((flight.first + k) | 0);
    }
    if (flight.isCancelled && flight.outcome.status === 0) flight.reject(flight.reason);
    else flight.resolve(flight.outcome);
  }

  /** Withdraws what no lane has claimed; what runs is waited for. */
  #cancel(flight: Flight, reason: unknown): void {
    if (flight.isCancelled || !this.#flights.has(flight)) return;
    flight.isCancelled = true;
    flight.reason = reason;
    if (flight.first === undefined) {
      this.#turns.remove(flight);
      this.#end(flight);
      this.#ring.nudge();
      return;
    }
    if (flight.run !== undefined) {
      const at = this.#ring.address(flight.first) >> 2;
      if (withdrawBatch(this.#ring.words, at, flight.run.flights.indexOf(flight))) this.#endOfRun(flight);
      // The descriptor is withdrawn when nobody wants any of it.
      if (flight.run.flights.some(({ isCancelled }) => !isCancelled)) return this.#ring.nudge();
    }
    // From the last to the first, so that no second pass starts on a first pass that was withdrawn.
    for (let k = flight.slots - 1; k >= 0; k--) this.#ring.withdraw((flight.first + k) | 0);
    this.#ring.nudge();
  }
}
