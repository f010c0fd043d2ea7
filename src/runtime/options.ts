/**
 * How calls, ends and connections are made that are not those of `quantize`.
 * @module
 */

/** How codes are turned back into values, or a range is taken. */
export interface CallOptions {
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
