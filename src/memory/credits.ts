/**
 * Requests that wait for room in the arena, and the order in which they get it.
 *
 * They are served first come, first served, with one exception: a request that holds memory meanwhile (a job with its
 * input, waiting for room for its result) may pass requests that hold none and do not fit. It alone can give memory
 * back; the others would wait for it for ever. As it got its input through the same queue, it cannot starve them.
 *
 * When all memory in use is held by waiting requests, and none of them fits, nobody can ever give any back. Then the
 * newest that holds some is rejected, so that its owner gives its memory back and the rest go on. Memory that is parked
 * counts as held: leases whose turn in a stream comes only when the requests before them are served.
 * @module
 */

import { tellArena } from '../channels.js';
import { fail, type QuantlaneError } from '../errors.js';
import { atNextTurn } from '../host.js';
import type { Lease } from './lease.js';
import { formatSize } from './size.js';

/** What the waiting requests ask of the arena. */
export interface Room {
  /** Whether `take(bytes)` would succeed now. */
  fits(bytes: number): boolean;
  /** Leases memory that fits. */
  take(bytes: number): Lease;
  /** Why the request can never be served, or undefined. */
  problem(bytes: number): QuantlaneError | undefined;
  /** Bytes in use that somebody may still give back: leaked ones excluded. */
  busy(): number;
  /** Told when requests left unserved, so that a request may fit that did not before. */
  eased(): void;
}

/** A request that waits. */
interface Waiter {
  /** Bytes as requested. */
  readonly bytes: number;
  /** Bytes in use that its owner keeps until it is served. */
  readonly holding: number;
  readonly resolve: (lease: Lease) => void;
  readonly reject: (reason: unknown) => void;
  /** Takes the listener off the request's signal. */
  forget(): void;
}

/** The queue of an arena. */
export class Credits {
  readonly #room: Room;
  /** Every request, the oldest first. */
  readonly #waiters = new Set<Waiter>();
  /** Those that hold memory, the oldest first. */
  readonly #holders = new Set<Waiter>();
  /** Bytes that all requests hold together. */
  #held = 0;
  /** Who knows of parked memory. */
  readonly #parked = new Set<() => number>();
  #isReviewDue = false;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Number of requests that wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Counts memory as held while requests wait: `bytes` says how much at the time.
   * @returns ends that; a second time it does nothing
   */
  park(bytes: () => number): () => void {
    this.#parked.add(bytes);
    return () => void this.#parked.delete(bytes);
  }

  /**
   * Waits for room; does not wait when there is some and no request before it.
   * @param bytes - from 0, and not impossible
   * @param holding - bytes in use, as rounded, that the requester keeps until it is served
   * @param signal - takes the request out of the queue; not aborted yet
   * @returns rejects with the signal's reason, the error of `close`, `ERR_QUANTLANE_ARENA_STUCK` when all memory is
   *   held by requests that wait, or `ERR_QUANTLANE_ARENA_TOO_SMALL` when leaks made it impossible.
   */
  wait(bytes: number, holding: number, signal: AbortSignal | undefined): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const abort = () => this.#abandon(waiter, signal?.reason);
      const forget = () => signal?.removeEventListener('abort', abort);
      const waiter: Waiter = { bytes, holding, resolve, reject, forget };
      this.#waiters.add(waiter);
      if (holding > 0) this.#holders.add(waiter);
      this.#held += holding;
      this.serve();
      if (!this.#waiters.has(waiter)) return;
      tellArena('waits', bytes);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Gives room to every request whose turn it is; to be called when memory was given back. */
  serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#leave(next);
      next.resolve(this.#room.take(next.bytes));
    }
    if (this.#stuck() || this.#parked.size > 0) this.reviewSoon();
  }

  /**
   * Looks for requests that can never be served, in a later task: whoever is about to abort one or give memory back
   * does so first. To be called when memory leaked; does nothing when none wait.
   */
  reviewSoon(): void {
    if (this.#waiters.size === 0 || this.#isReviewDue) return;
    this.#isReviewDue = true;
    atNextTurn(() => this.#reviewNow());
  }

  /** Rejects every request. */
  close(error: unknown): void {
    for (const waiter of [...this.#waiters]) this.#refuse(waiter, error);
  }

  /** The request to be served now, if any. */
  #next(): Waiter | undefined {
    const [oldest] = this.#waiters;
    if (oldest === undefined || this.#fits(oldest)) return oldest;
    const [holder] = this.#holders;
    if (holder === undefined || this.#fits(holder)) return holder;
    if (!this.#stuck()) return undefined;
    for (const waiter of this.#holders) if (this.#fits(waiter)) return waiter;
    return undefined;
  }

  #fits(waiter: Waiter): boolean {
    return this.#room.fits(waiter.bytes);
  }

  /** Whether only waiting requests, and what is parked, hold memory. */
  #stuck(parked = 0): boolean {
    return this.#waiters.size > 0 && this.#held + parked >= this.#room.busy();
  }

  /** Rejects requests that became impossible, then, if nothing else can move, one that holds memory. */
  #reviewNow(): void {
    this.#isReviewDue = false;
    const before = this.#waiters.size;
    for (const waiter of [...this.#waiters]) {
      const problem = this.#room.problem(waiter.bytes);
      if (problem !== undefined) this.#refuse(waiter, problem);
    }
    this.serve();
    let parked = 0;
    for (const bytes of this.#parked) parked += bytes();
    if (this.#stuck(parked)) this.#unstick();
    if (this.#waiters.size < before) this.#room.eased();
  }

  /**
   * Rejects the newest request that holds memory. What it held is then in use but held by no request, so no other is
   * rejected until its owner has given it back.
   */
  #unstick(): void {
    // Of those behind the first that holds memory one may fit: it would be served next if nothing were parked.
    for (const waiter of this.#holders) {
      if (!this.#fits(waiter)) continue;
      this.#leave(waiter);
      waiter.resolve(this.#room.take(waiter.bytes));
      return;
    }
    const newest = [...this.#holders].at(-1);
    if (newest === undefined) return;
    const { bytes, holding } = newest;
    const inUse = this.#room.busy();
    const message =
      `Expected room for ${formatSize(bytes)}, got a deadlock: all memory in use (${formatSize(inUse)}) is held by ` +
      'requests that wait for more; take a larger arena or fewer batches at a time';
    this.#refuse(newest, fail('ERR_QUANTLANE_ARENA_STUCK', message, { details: { bytes, holding, inUse } }));
    this.serve();
  }

  /** Takes an aborted request out; the next may fit where it did not. */
  #abandon(waiter: Waiter, reason: unknown): void {
    this.#refuse(waiter, reason);
    this.serve();
    this.#room.eased();
  }

  /** Takes a request out and rejects it. */
  #refuse(waiter: Waiter, reason: unknown): void {
    this.#leave(waiter);
    waiter.reject(reason);
  }

  /** Takes a request out of the queue, whatever becomes of it. */
  #leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    this.#holders.delete(waiter);
    this.#held -= waiter.holding;
    waiter.forget();
  }
}
