/**
 * What an arena is asked for, and what it tells of itself.
 * @module
 */

/** How an arena is made. */
export interface ArenaOptions {
  /** Bytes that can be leased, rounded up to 64. */
  readonly bytes: number;
  /** Bytes at the beginning of the memory that are never leased, rounded up to 64; default 0. */
  readonly reserved?: number;
  /** A memory to be an arena of a part of, behind what is reserved; default: one of its own. */
  readonly memory?: WebAssembly.Memory;
  /** Whether a memory of its own is shared between threads; default true. */
  readonly isShared?: boolean;
}

/** How a request waits. */
export interface AcquireOptions {
  /** Takes the request out of the queue. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Bytes in use that the requester keeps until it is served: the sum of `allocatedBytes` of its leases; default 0.
   * Less than that hides a deadlock, more reports one that is none.
   */
  readonly holding?: number | undefined;
}

/** What is leased; all sizes in bytes as the allocator takes them. */
export interface ArenaStatistics {
  /** Bytes that can be leased in all. */
  readonly capacity: number;
  /** Bytes of all leases that were not given back, leaked ones included. */
  readonly inUse: number;
  /** The highest `inUse` so far. */
  readonly peak: number;
  /** Leases that were not given back, leaked ones included. */
  readonly leases: number;
  /** Leases that were collected while owned. Their memory is never used again: somebody may still hold a view. */
  readonly leaked: number;
  /** Bytes of those. */
  readonly leakedBytes: number;
  /** Requests that wait for room. */
  readonly waiting: number;
}
