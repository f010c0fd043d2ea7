/**
 * A piece of the arena in the hands of one owner, and the token that stands for it while the runtime owns it.
 *
 * ```text
 *            consume()                release()
 *   owned ─────────────► consumed ─────────────► (memory given back)
 *     │  ◄───────────── Ownership
 *     │     restore()
 *     └── release() ──► released                 (memory given back)
 * ```
 * @module
 */

import { fail, type QuantlaneError } from '../errors.js';
import type { Block } from './allocator.js';

/** Who owns the memory of a handle: its holder, the runtime, or nobody through this handle. */
export type LeaseState = 'owned' | 'consumed' | 'released';

/** What is known of a lease whose handle is gone. It never refers to the handle, or that would not be collected. */
export interface Trace {
  /** Bytes from the beginning of the memory, a multiple of 64. */
  readonly byteOffset: number;
  /** Bytes that the allocator took: the request rounded up to 64, at least 64. */
  readonly allocatedBytes: number;
  /** Whether the handle owns the memory: collecting it then is a leak. */
  isOwned: boolean;
}

/** What a lease asks of the arena that made it. */
export interface LeaseHome {
  /** Takes the memory back and watches the handle no more. */
  giveBack(lease: Lease, block: Block): void;
}

/** Memory that is owned until it is released, consumed, or leaked: collected while still owned. */
export class Lease {
  /** Bytes from the beginning of the memory, a multiple of 64. */
  readonly byteOffset: number;
  /** Bytes as requested; 0 is possible. */
  readonly byteLength: number;
  /** Bytes that the lease takes of the arena: `byteLength` rounded up to 64, at least 64. */
  readonly allocatedBytes: number;
  /** Number of this lease among all of its arena, from 1; tells apart leases of the same offset. */
  readonly generation: number;
  readonly #home: LeaseHome;
  readonly #block: Block;
  #state: LeaseState = 'owned';
  #isGivenBack = false;
  #trace: Trace | undefined;

  /** Leases are made by `Arena.lease` and `Arena.acquire`. */
  constructor(home: LeaseHome, block: Block, byteLength: number, allocatedBytes: number, generation: number) {
    this.byteOffset = block.offset;
    this.byteLength = byteLength;
    this.allocatedBytes = allocatedBytes;
    this.generation = generation;
    this.#home = home;
    this.#block = block;
  }

  /** @internal What is to be known when the handle is gone; undefined once the memory is given back. */
  trace(): Trace | undefined {
    if (this.#isGivenBack) return undefined;
    const { byteOffset, allocatedBytes } = this;
    this.#trace ??= { byteOffset, allocatedBytes, isOwned: this.#state === 'owned' };
    return this.#trace;
  }

  /** @internal Whether `trace` was asked for. */
  get isTraced(): boolean {
    return this.#trace !== undefined;
  }

  /** Who owns the memory; `consumed` also after the runtime has given it back. */
  get state(): LeaseState {
    return this.#state;
  }

  /** Whether the handle does not own the memory any more: released or consumed. */
  get released(): boolean {
    return this.#state !== 'owned';
  }

  /**
   * Gives the memory back. Views on it must not be used any more: the bytes may be leased again.
   * @throws `ERR_QUANTLANE_DOUBLE_RELEASE` when it was released or consumed before.
   */
  release(): void {
    if (this.#state !== 'owned') throw doubleRelease(`lease ${this.generation} that was ${this.#state} before`);
    this.#giveBack('released');
  }

  /**
   * Hands the memory to the runtime; the handle cannot be used any more, unless the token restores it.
   * @throws `ERR_QUANTLANE_LEASE_RELEASED` when the handle does not own it.
   */
  consume(): Ownership {
    this.assertOwned();
    this.#setState('consumed');
    return new Ownership(this);
  }

  /**
   * @internal Hands the memory to the runtime, which has given it back already: `consume` and the end of its token.
   * @throws `ERR_QUANTLANE_LEASE_RELEASED` when the handle does not own it.
   */
  spend(): void {
    this.assertOwned();
    this.#giveBack('consumed');
  }

  /**
   * Passes when the handle owns the memory.
   * @throws `ERR_QUANTLANE_LEASE_RELEASED` when it was released or consumed.
   */
  assertOwned(): void {
    if (this.#state === 'owned') return;
    throw fail('ERR_QUANTLANE_LEASE_RELEASED', `Expected a lease that is owned, got one that was ${this.#state}`, {
      details: { generation: this.generation },
    });
  }

  /** Releases what is still owned; does nothing after `release` or `consume`. */
  [Symbol.dispose](): void {
    if (this.#state === 'owned') this.release();
  }

  /** @internal The end of its token, which refers to the handle, so that that is not collected before. */
  endOwnership(isRestored: boolean): void {
    if (!isRestored) return this.#giveBack('consumed');
    this.#setState('owned');
  }

  #giveBack(state: LeaseState): void {
    this.#setState(state);
    this.#isGivenBack = true;
    this.#home.giveBack(this, this.#block);
  }

  #setState(state: LeaseState): void {
    this.#state = state;
    if (this.#trace !== undefined) this.#trace.isOwned = state === 'owned';
  }
}

/** The memory of a consumed lease. It must be ended once: nobody counts a token that is lost. */
export class Ownership {
  /** Bytes from the beginning of the memory, a multiple of 64. */
  readonly byteOffset: number;
  /** Bytes as requested. */
  readonly byteLength: number;
  /** Bytes that it takes of the arena; what `Arena.acquire` calls `holding`. */
  readonly allocatedBytes: number;
  /** Number of the lease among all of its arena. */
  readonly generation: number;
  #lease: Lease | undefined;

  /** Tokens are made by `Lease.consume`. */
  constructor(lease: Lease) {
    this.byteOffset = lease.byteOffset;
    this.byteLength = lease.byteLength;
    this.allocatedBytes = lease.allocatedBytes;
    this.generation = lease.generation;
    this.#lease = lease;
  }

  /**
   * Gives the memory back to the arena.
   * @throws `ERR_QUANTLANE_DOUBLE_RELEASE` when the token was ended before.
   */
  release(): void {
    this.#finish(false);
  }

  /**
   * Gives the memory back to the handle, which is owned again.
   * @throws `ERR_QUANTLANE_DOUBLE_RELEASE` when the token was ended before.
   */
  restore(): void {
    this.#finish(true);
  }

  /** Ends the token, once. */
  #finish(isRestored: boolean): void {
    const lease = this.#lease;
    if (lease === undefined) throw doubleRelease(`the token of lease ${this.generation} that was ended before`);
    this.#lease = undefined;
    lease.endOwnership(isRestored);
  }
}

/** The error for memory that would be given back twice. */
function doubleRelease(what: string): QuantlaneError {
  return fail('ERR_QUANTLANE_DOUBLE_RELEASE', `Expected to release memory once, got ${what}`);
}
