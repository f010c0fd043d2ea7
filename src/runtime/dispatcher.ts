/**
 * The producer's side of the ring: cuts jobs into descriptors, publishes them, collects what the lanes finished, and
 * takes work back from lanes that died.
 * @module
 */
import { errorId } from '../errors.js';
import { type Ring, SLOTS } from '../memory/index.js';
import { Mode, Source } from '../scheme/codes.js';
import { State, Word } from '../scheme/descriptor.js';
import { type Job, writeJob } from './job.js';
import { addOutcome, emptyOutcome, type Outcome } from './outcome.js';

/** Most descriptors of one pass of a job. */
const MAX_CHUNKS = 64;
/** A chunk has at least so many elements, unless a unit has more: below, a descriptor costs more than it brings. */
const CHUNK_ELEMENTS = 65_536;
/** Lanes that may die of one descriptor before its job is given up. */
const ATTEMPTS = 2;
/** Milliseconds after which the producer looks without having been woken. */
const CEILING_MS = 1_000;

/** A job in the ring or before it. */
interface Flight {
  readonly job: Job;
  readonly chunks: number;
  /** Descriptors of all its passes. */
  readonly slots: number;
  readonly outcome: Outcome;
  /** First sequence number; undefined while it waits for slots. */
  first: number | undefined;
  /** Descriptors that are neither done nor withdrawn. */
  remaining: number;
  /** Reason to give up: an abort, or the end of the lanes. */
  reason: unknown;
  isCancelled: boolean;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
}

/** Hands jobs to the lanes. */
export class Dispatcher {
  readonly #ring: Ring;
  readonly #lanes: number;
  /** Jobs that wait for slots, in order. */
  readonly #backlog: Flight[] = [];
  readonly #flights = new Set<Flight>();
  /** Flight of each slot whose descriptor was not counted yet. */
  readonly #owners = new Array<Flight | undefined>(SLOTS);
  /** A referenced timer keeps the process alive while there is work: waiting for a shared word does not. */
  readonly #keepAlive = setInterval(() => undefined, 2 ** 30).unref();
  #isFlushing = false;
  #isWatching = false;

  constructor(ring: Ring, lanes: number) {
    this.#ring = ring;
    this.#lanes = lanes;
  }

  /** Has a job carried out on the lanes. Jobs of one turn share one wake-up. */
  run(job: Job, signal?: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const { units, elements } = job.kind.layout;
      const chunks = Math.min(units, MAX_CHUNKS, Math.max(1, Math.ceil(elements / CHUNK_ELEMENTS)));
      const flight: Flight = {
        job,
        chunks,
        slots: chunks * (job.kind.isTwoPass ? 2 : 1),
        outcome: emptyOutcome(),
        first: undefined,
        remaining: 0,
        reason: undefined,
        isCancelled: false,
        resolve: (outcome) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(outcome);
        },
        reject: (reason) => {
          signal?.removeEventListener('abort', onAbort);
          reject(reason);
        },
      };
      const onAbort = () => this.#cancel(flight, signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#flights.add(flight);
      this.#backlog.push(flight);
      this.#keepAlive.ref();
      this.#flushSoon();
    });
  }

  /** A lane has died: what it was running is run again elsewhere, once. */
  laneLost(lane: number): void {
    const poison = errorId('ERR_QUANTLANE_POISON_BATCH');
    for (const sequence of this.#ring.heldBy(lane)) this.#ring.giveBack(sequence, ATTEMPTS, poison);
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
    clearInterval(this.#keepAlive);
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
    while (this.#backlog.length > 0) {
      const flight = this.#backlog[0]!;
      if (!this.#ring.hasRoom(flight.slots)) break;
      this.#backlog.shift();
      this.#publish(flight);
      published += flight.slots;
    }
    if (published > 0) this.#ring.wake(Math.min(published, this.#lanes));
  }

  #publish(flight: Flight): void {
    const first = this.#ring.head;
    flight.first = first;
    if (flight.job.kind.isTwoPass) {
      this.#publishPass(flight, Mode.Range, Source.Data, -1);
      this.#publishPass(flight, Mode.Quantize, Source.Barrier, first);
    } else {
      this.#publishPass(flight, flight.job.kind.mode, flight.job.kind.source, -1);
    }
  }

  #publishPass(flight: Flight, mode: Mode, source: Source, barrier: number): void {
    const { job, chunks } = flight;
    const { units } = job.kind.layout;
    const words = this.#ring.words;
    const pass = this.#ring.head & (SLOTS - 1);
    for (let chunk = 0; chunk < chunks; chunk++) {
      const sequence = this.#ring.head;
      const at = this.#ring.address(sequence) >> 2;
      // The state is left alone: the slot is free, and `publish` makes it ready.
      writeJob(job, words, at);
      words[at + Word.Mode] = mode;
      words[at + Word.Source] = source;
      // The second pass goes from the end to the start: what the first one read last is still in the cache.
      const part = barrier >= 0 ? chunks - 1 - chunk : chunk;
      words[at + Word.First] = Math.floor((units * part) / chunks);
      words[at + Word.Last] = Math.floor((units * (part + 1)) / chunks);
      words[at + Word.PassFirst] = pass;
      words[at + Word.PassCount] = chunks;
      words[at + Word.Leads] = mode === Mode.Range && job.kind.isTwoPass ? 1 : 0;
      if (barrier >= 0) {
        words[at + Word.BarrierFirst] = barrier & (SLOTS - 1);
        words[at + Word.BarrierCount] = chunks;
        words[at + Word.RingBase] = this.#ring.base;
        words[at + Word.RingCount] = SLOTS;
      }
      this.#owners[sequence & (SLOTS - 1)] = flight;
      flight.remaining++;
      this.#ring.publish();
    }
  }

  /** Collects while there is work in the ring. */
  async #watch(): Promise<void> {
    if (this.#isWatching) return;
    this.#isWatching = true;
    while (this.#flights.size > 0) {
      const seen = this.#ring.finishedCount;
      this.#collect();
      if (this.#flights.size === 0) break;
      await this.#ring.untilFinished(seen, CEILING_MS);
    }
    this.#isWatching = false;
    this.#keepAlive.unref();
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

  #end(flight: Flight): void {
    this.#flights.delete(flight);
    if (flight.first !== undefined) {
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
      this.#backlog.splice(this.#backlog.indexOf(flight), 1);
      this.#end(flight);
      this.#ring.nudge();
      return;
    }
    // From the last to the first, so that no second pass starts on a first pass that was withdrawn.
    for (let k = flight.slots - 1; k >= 0; k--) this.#ring.withdraw((flight.first + k) | 0);
    this.#ring.nudge();
  }
}
