/**
 * How runtimes, and calls, ends and connections that are not those of `quantize`, are made.
 * @module
 */
import type { Watchable } from './watch.js';

/** How a runtime is made. */
export interface RuntimeOptions {
  /** Worker threads; 0 runs everything on the caller's thread. Default: one less than the cores, at least 1, at most 8. */
  readonly lanes?: number;
  /** Size of the arena in bytes or as text such as `'256MiB'` (the default). Pages that are never used cost nothing. */
  readonly memory?: number | string;
  /**
   * Kernels: WebAssembly SIMD (default), the same without relaxed instructions, or plain scalar ones. Their results are the
   * same bits.
   */
  readonly kernels?: 'simd' | 'simd128' | 'scalar';
  /**
   * Microseconds of work, as estimated, up to which a call runs on the caller's thread at once; default 60, at most 500.
   * 0 sends everything to the lanes.
   */
  readonly inPlaceLimit?: number;
  /** Milliseconds within which every lane must be ready; default 10,000. */
  readonly startDeadline?: number;
  /**
   * Milliseconds that a lane may take for one part of a batch before its thread is ended, as one that loops endlessly;
   * default 10,000.
   */
  readonly stallDeadline?: number;
  /**
   * Calls at a time; one more is rejected with ERR_QUANTLANE_OVERLOADED, while streams wait or go by their overflow policy.
   * Default: no limit.
   */
  readonly maxPending?: number;
  /** Module that the lanes run, for bundlers that move files. */
  readonly workerUrl?: URL;
}

/** How codes are turned back into values, or a range is taken. */
export interface CallOptions extends Watchable {
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

/** How a thread is connected. */
export interface ConnectOptions {
  /** Memory of the arena for its leases, in bytes or as text such as `'16MiB'` (the default). */
  readonly memory?: number | string;
}

/** How a runtime is closed. */
export interface CloseOptions {
  /** Milliseconds for calls that run; default: as long as they take. */
  readonly grace?: number;
}
