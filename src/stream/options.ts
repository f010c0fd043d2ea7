/**
 * How a stream is worked off.
 * @module
 */
import { fail, got, type QuantlaneError } from '../errors.js';
import type { GivenRange, QuantizeOptions, TensorInput } from '../runtime/index.js';
import { isRunning, type RunningRange } from './running-range.js';

/**
 * What happens to a batch that a push source brings while `concurrency` batches are in work:
 * - `error`: the stream fails with ERR_QUANTLANE_OVERFLOW;
 * - `drop-newest`: as many as `concurrency` may wait; the new batch is dropped where they do;
 * - `drop-oldest`: as many may wait; the one that has waited longest is dropped;
 * - `buffer(n)`: n may wait; one more fails the stream.
 */
export type Overflow = 'error' | 'drop-oldest' | 'drop-newest' | { readonly buffer: number };

/** Lets `n` batches of a push source wait. */
export function buffer(n: number): Overflow {
  if (Number.isSafeInteger(n) && n >= 0) return Object.freeze({ buffer: n });
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a number of batches to buffer, got ${got(n)}`);
}

/** How a stream is worked off. */
export interface StreamOptions extends Pick<QuantizeOptions, 'parameters' | 'stats' | 'keep' | 'trace'> {
  /**
   * Range to use instead of that of each batch: one for all, or an observer of `quantlane/ranges` that runs along. Each
   * batch is then observed, in the order of the stream, and quantized with the range that the observer has after it (with
   * `delayed` before it). Every run of the stream goes on with the same observer.
   */
  readonly range?: GivenRange | RunningRange;
  /** Batches in work at a time, whose results wait for those before them; default 8. */
  readonly concurrency?: number;
  /** Most bytes of the batches that are in work or wait; a batch that is alone may have more. Default: no limit. */
  readonly maxBytes?: number;
  /**
   * Milliseconds from the moment that the source brings a batch within which its work must have begun; else the batch is
   * dropped, and `onDrop` is told ERR_QUANTLANE_DEADLINE. Default: none.
   */
  readonly deadline?: number;
  /** What happens when a push source is too fast; default `buffer(256)`. A pull source is never too fast. */
  readonly overflow?: Overflow;
  /**
   * Called with every batch that is dropped, after its lease is back, and with the reason: ERR_QUANTLANE_OVERFLOW or
   * ERR_QUANTLANE_DEADLINE.
   */
  readonly onDrop?: (batch: TensorInput, reason: QuantlaneError) => void;
  /** Ends the stream with the signal's reason as its error. */
  readonly signal?: AbortSignal;
}

/** The options with their defaults. */
export interface StreamSettings {
  readonly concurrency: number;
  readonly maxBytes: number;
  readonly deadline: number | undefined;
  /** Batches of a push source that may wait. */
  readonly room: number;
  readonly full: 'error' | 'drop-oldest' | 'drop-newest';
  readonly onDrop: (batch: TensorInput, reason: QuantlaneError) => void;
  readonly signal: AbortSignal | undefined;
  readonly quantize: QuantizeOptions;
  /** What gives each batch its range. */
  readonly running: RunningRange | undefined;
}

/**
 * The options, checked and with their defaults.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function settle(options: StreamOptions): StreamSettings {
  const { concurrency = 8, overflow = { buffer: 256 }, onDrop = () => undefined, signal, range, ...others } = options;
  const { maxBytes = Number.POSITIVE_INFINITY, deadline, ...rest } = others;
  if (!(maxBytes > 0)) throw fail('ERR_QUANTLANE_ARGUMENT', `Expected maxBytes above 0, got ${got(maxBytes)}`);
  if (deadline !== undefined && !(deadline > 0)) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a deadline in milliseconds, above 0, got ${got(deadline)}`);
  }
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a concurrency of at least 1, got ${got(concurrency)}`);
  }
  const running = isRunning(range) ? range : undefined;
  const quantize: QuantizeOptions = isRunning(range) || range === undefined ? rest : { ...rest, range };
  const common = { concurrency, maxBytes, deadline, onDrop, signal, quantize, running };
  if (overflow === 'error') return { ...common, room: 0, full: 'error' };
  if (overflow === 'drop-oldest' || overflow === 'drop-newest') return { ...common, room: concurrency, full: overflow };
  if (
    typeof overflow === 'object' &&
    overflow !== null &&
    Number.isSafeInteger(overflow.buffer) &&
    overflow.buffer >= 0
  ) {
    return { ...common, room: overflow.buffer, full: 'error' };
  }
  const choices = "'error', 'drop-oldest', 'drop-newest' or buffer(n)";
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected overflow ${choices}, got ${got(overflow)}`);
}
