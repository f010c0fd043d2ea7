/**
 * One shared `WebAssembly.Memory` that every lane's kernels run over, and the leases of its bytes.
 *
 * Accounting is exact and in bytes as the allocator takes them: each request rounded up to 64, at least 64.
 * @module
 */

import { tellArena } from '../channels.js';
import { fail, got, type QuantlaneError } from '../errors.js';
import { atNextTurn } from '../host.js';
import { isCount } from '../numbers.js';
import type { AcquireOptions, ArenaOptions, ArenaStatistics } from './accounts.js';
import { Allocator, type Block, roundedBytes } from './allocator.js';
import { Credits } from './credits.js';
import { Lease, type LeaseHome, type Trace } from './lease.js';
import { allocateMemory } from './pages.js';
import { formatSize } from './size.js';

/** Leases of one turn that are kept before they are watched. */
const MAX_FRESH = 256;

/** Leases pieces of one shared memory of fixed size. */
export class Arena {
  /** Its size never changes: growing under atomics misbehaves, and pages that are not touched cost nothing. */
  readonly memory: WebAssembly.Memory;
  /** The bytes of `memory`. */
  readonly buffer: SharedArrayBuffer;
  /** Bytes that can be leased in all. */
  readonly capacity: number;
  readonly #start: number;
  readonly #allocator: Allocator;
  readonly #credits: Credits;
  readonly #home: LeaseHome;
  readonly #listeners = new Set<() => void>();
  /** Leases of this turn of the event loop that nobody watches yet: so many from the first on. */
  readonly #fresh = new Array<Lease | undefined>(MAX_FRESH).fill(undefined);
  #freshCount = 0;
  #isWatchDue = false;
  readonly #watchLater = () => {
    this.#isWatchDue = false;
    this.#watchFresh();
  };
  /** Leases that were not given back. */
  #leases = 0;
  readonly #leaks: Trace[] = [];
  #leakedBytes = 0;
  /** Bytes of the largest request that leaks leave possible; undefined after a leak, until somebody asks. */
  #possible: number | undefined;
  /** Neither the registry nor a trace refers to a handle, or it would never be collected. */
  readonly #registry = new FinalizationRegistry<Trace>((trace) => {
    if (trace.isOwned) this.#leak(trace);
  });
  #generation = 0;
  #peak = 0;
  #closed: { readonly error: unknown } | undefined;

  /**
   * @throws `ERR_QUANTLANE_ARGUMENT` for a size that is no positive integer, a total of 2 GiB or more, or when the host
   *   has no room for the memory (the cause is kept).
   */
  constructor(options: ArenaOptions) {
    const { bytes, reserved = 0, memory, isShared = true } = options;
    if (!isCount(bytes) || bytes === 0) throw expected('an arena of at least 1 byte, as an integer', got(bytes));
    if (!isCount(reserved)) throw expected('a count of reserved bytes', got(reserved));
    this.capacity = roundedBytes(bytes);
    this.#start = reserved === 0 ? 0 : roundedBytes(reserved);
    this.#possible = this.capacity;
    this.memory = memory ?? allocateMemory(this.#start + this.capacity, isShared);
    this.buffer = this.memory.buffer as unknown as SharedArrayBuffer;
    this.#allocator = new Allocator(this.#start, this.#start + this.capacity);
    this.#credits = new Credits({
      fits: (size) => this.#allocator.fits(size),
      take: (size) => this.#take(size),
      problem: (size) => this.#problem(size),
      busy: () => this.#allocator.inUse - this.#leakedBytes,
      eased: () => this.#notify(),
    });
    this.#home = { giveBack: (lease, block) => this.#giveBack(lease, block) };
  }

  /**
   * Leases memory now. The bytes are as the last owner left them, not zero.
   * @param bytes - from 0
   * @throws `ERR_QUANTLANE_ARENA_TOO_SMALL` when it can never fit, `ERR_QUANTLANE_ARENA_FULL` when it does not fit now
   *   or requests wait before it, `ERR_QUANTLANE_ARGUMENT` for no count of bytes, the error of `close` after it.
   */
  lease(bytes: number): Lease {
    const lease = this.tryLease(bytes);
    if (lease !== undefined) return lease;
    const waiting = this.#credits.size;
    const largest = this.#allocator.largestFree;
    throw fail(
      'ERR_QUANTLANE_ARENA_FULL',
      `Expected room for ${formatSize(bytes)}, got ${formatSize(largest)} in one piece; ${waiting} waiting before it`,
      { details: { bytes, largestFree: largest, waiting } },
    );
  }

  /** The same for a count of bytes, but undefined where `lease` throws. */
  leaseIfRoom(bytes: number): Lease | undefined {
    if (this.#closed !== undefined || this.#credits.size > 0) return undefined;
    const block = this.#allocator.allocate(bytes);
    return block && this.#made(block, bytes);
  }

  /** The same, but undefined where `lease` throws `ERR_QUANTLANE_ARENA_FULL`. */
  tryLease(bytes: number): Lease | undefined {
    this.#check(bytes);
    return this.#credits.size === 0 && this.#allocator.fits(bytes) ? this.#take(bytes) : undefined;
  }

  /**
   * Leases memory when there is room, first come, first served; see `Credits` for the one exception.
   * @param bytes - from 0
   * @returns rejects as `lease` throws, except that it waits where `lease` is full; with the signal's reason; and with
   *   `ERR_QUANTLANE_ARENA_STUCK` when all memory in use is held by requests that wait and this is the newest of them.
   */
  acquire(bytes: number, options: AcquireOptions = {}): Promise<Lease> {
    const { signal, holding = 0 } = options;
    try {
      if (!isCount(holding)) throw expected('a count of bytes held', got(holding));
      signal?.throwIfAborted();
      this.#check(bytes);
    } catch (error) {
      return Promise.reject(error);
    }
    // Rounding up makes `byteLength` of a single lease as good as its `allocatedBytes`.
    return this.#credits.wait(bytes, holding === 0 ? 0 : roundedBytes(holding), signal);
  }

  /**
   * Whether `lease(bytes)` would succeed now.
   * @throws `ERR_QUANTLANE_ARGUMENT` for no count of bytes.
   */
  has(bytes: number): boolean {
    checkBytes(bytes);
    return this.#closed === undefined && this.#credits.size === 0 && this.#allocator.fits(bytes);
  }

  /**
   * Calls `listener` when memory was given back, or waiting requests left unserved, after those that wait were served:
   * `has` may be true where it was not. It runs inside the release and must not throw.
   * @returns stops the calls; a second time it does nothing
   */
  onRelease(listener: () => void): () => void {
    const call = () => listener(); // its own identity: the same function may listen twice
    this.#listeners.add(call);
    return () => void this.#listeners.delete(call);
  }

  /**
   * Counts memory as held by requests that wait: leases that nobody will give back before those are served.
   * @param bytes - how many at the time, the sum of `allocatedBytes`
   * @returns ends that; a second time it does nothing
   */
  park(bytes: () => number): () => void {
    return this.#credits.park(bytes);
  }

  /**
   * Rejects all requests that wait, and later ones, with `error`. Leases stay valid and can be released. A second
   * close changes nothing.
   */
  close(error: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    this.#credits.close(error);
  }

  /** Bytes in use, as rounded. */
  get inUse(): number {
    return this.#allocator.inUse;
  }

  /** Bytes of those that nobody will give back. */
  get leakedBytes(): number {
    return this.#leakedBytes;
  }

  /** What is leased at this moment. */
  statistics(): ArenaStatistics {
    return {
      capacity: this.capacity,
      inUse: this.#allocator.inUse,
      peak: this.#peak,
      leases: this.#leases,
      leaked: this.#leaks.length,
      leakedBytes: this.#leakedBytes,
      waiting: this.#credits.size,
    };
  }

  /** Throws for a request that need not be looked at: closed, no count, or impossible. */
  #check(bytes: number): void {
    if (this.#closed !== undefined) throw this.#closed.error;
    checkBytes(bytes);
    const problem = this.#problem(bytes);
    if (problem !== undefined) throw problem;
  }

  /** Why a request can never be served, or undefined. */
  #problem(bytes: number): QuantlaneError | undefined {
    this.#possible ??= this.#longestRun();
    if (bytes <= this.#possible) return undefined;
    const lost = this.#leakedBytes === 0 ? '' : `; ${formatSize(this.#leakedBytes)} leaked`;
    const { capacity } = this;
    return fail(
      'ERR_QUANTLANE_ARENA_TOO_SMALL',
      `Expected a request of at most ${formatSize(this.#possible)}, got ${formatSize(bytes)}: ` +
        `the arena has ${formatSize(capacity)}${lost}`,
      { details: { bytes, capacity, possible: this.#possible, leakedBytes: this.#leakedBytes } },
    );
  }

  /** Leases memory that is known to fit. */
  #take(bytes: number): Lease {
    return this.#made(this.#allocator.allocate(bytes)!, bytes);
  }

  #made(block: Block, bytes: number): Lease {
    this.#generation += 1;
    this.#leases += 1;
    this.#peak = Math.max(this.#peak, this.#allocator.inUse);
    const lease = new Lease(this.#home, block, bytes, roundedBytes(bytes), this.#generation);
    this.#watchSoon(lease);
    return lease;
  }

  /** Takes the memory of a lease back and passes it on. */
  #giveBack(lease: Lease, block: Block): void {
    if (lease.isTraced) this.#registry.unregister(lease);
    this.#leases -= 1;
    this.#allocator.free(block);
    this.#credits.serve();
    this.#notify();
  }

  /**
   * Has a lease watched from the end of this turn of the event loop on: most are given back before, and watching costs
   * as much as leasing.
   */
  #watchSoon(lease: Lease): void {
    if (!this.#isWatchDue) {
      this.#isWatchDue = true;
      atNextTurn(this.#watchLater);
    }
    if (this.#freshCount === MAX_FRESH) this.#watchFresh();
    this.#fresh[this.#freshCount++] = lease;
  }

  #watchFresh(): void {
    for (let index = 0; index < this.#freshCount; index++) {
      const lease = this.#fresh[index]!;
      this.#fresh[index] = undefined;
      const trace = lease.trace();
      if (trace !== undefined) this.#registry.register(lease, trace, lease);
    }
    this.#freshCount = 0;
  }

  /** Counts a lease whose handle was collected while owned. */
  #leak(trace: Trace): void {
    tellArena('leaked', trace.allocatedBytes);
    this.#leaks.push(trace);
    this.#leakedBytes += trace.allocatedBytes;
    this.#possible = undefined;
    this.#credits.reviewSoon();
  }

  /** Bytes of the longest run with no leak in it. */
  #longestRun(): number {
    let longest = 0;
    let from = this.#start;
    for (const leak of this.#leaks.sort((a, b) => a.byteOffset - b.byteOffset)) {
      longest = Math.max(longest, leak.byteOffset - from);
      from = leak.byteOffset + leak.allocatedBytes;
    }
    return Math.max(longest, this.#start + this.capacity - from);
  }

  /** Calls the listeners that listen now; one added meanwhile is not called. */
  #notify(): void {
    if (this.#listeners.size === 0) return;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Refuses what is no count of bytes. */
function checkBytes(bytes: number): void {
  if (!isCount(bytes)) throw expected('a count of bytes: an integer from 0 to 2^53 - 1', got(bytes));
}

/** The error for a wrong argument. */
function expected(what: string, actual: string): QuantlaneError {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${what}, got ${actual}`);
}
