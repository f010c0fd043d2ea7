/**
 * What every method of calibration has in common: it observes batches of values and answers with a range.
 * @module
 */
import type { InputDtype } from '../memory/index.js';
import type { Reading } from './reading.js';
import type { ObservedValues } from './values.js';

/** How a range follows from what was observed. */
export type RangeMethod = 'minmax' | 'moving-average' | 'percentile' | 'mse' | 'entropy' | 'histogram' | 'delayed';

/** Every method. */
export const RANGE_METHODS: readonly RangeMethod[] = Object.freeze([
  'minmax',
  'moving-average',
  'percentile',
  'mse',
  'entropy',
  'histogram',
  'delayed',
] as const);

/** A range for each parameter: one for a tensor, or one for a channel. */
export interface Range {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

/** What to do with NaN and ±Infinity: reject the batch, or leave them out. */
export type ObservedNonFinite = 'error' | 'skip';

/** Options of every method. */
export interface ObserverOptions {
  /** Default `error`: the batch is rejected as a whole. `skip`: they are left out and counted. */
  readonly nonFinite?: ObservedNonFinite;
}

/** How often values fell between edges: `counts[i]` from `edges[i]` up to `edges[i + 1]`. */
export interface Bins {
  /** One more than there are counts, increasing. */
  readonly edges: Float32Array;
  /** Integers, except with method `histogram`, whose rule spreads a count over bins. */
  readonly counts: Float64Array;
}

/** An observer as JSON: enough to go on observing elsewhere, to the same bits. */
export interface ObserverState {
  readonly method: RangeMethod;
  readonly options: Readonly<Record<string, unknown>>;
  readonly batches: number;
  readonly elements: number;
  readonly skipped: number;
  /** What the method remembers. */
  readonly state: Readonly<Record<string, unknown>>;
}

/**
 * Observes batches and gives the range that its method makes of them. `range()` may be asked for at any time, so the
 * same observer calibrates over a data set or runs along a stream.
 */
export interface RangeObserver {
  readonly method: RangeMethod;
  /** The options with every default filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /**
   * Whether observers that saw parts of the data merge in any order and any grouping to the same bits. Where not,
   * `merge` says what it takes.
   */
  readonly mergesInAnyOrder: boolean;
  /** Batches with at least one finite value. */
  readonly batches: number;
  /** Finite values. */
  readonly elements: number;
  /** Values left out because they are not finite. */
  readonly skipped: number;
  /**
   * Takes in a batch; one without a finite value changes nothing but `skipped`. A batch that is rejected changes
   * nothing.
   * @param values - numbers for float32, raw bits for the 16-bit types
   * @param dtype - default `float32`
   * @param shape - the slowest dimension first; needed for a range a channel
   * @throws `ERR_QUANTLANE_NON_FINITE` with `count` and `first` in its details, unless these are skipped;
   *   `ERR_QUANTLANE_DTYPE` or `ERR_QUANTLANE_SHAPE` where the arguments do not fit each other
   */
  observe(values: ObservedValues, dtype?: InputDtype, shape?: readonly number[]): void;
  /**
   * The same in steps of about a tenth of a millisecond, for large batches on a thread that serves. The values must stay
   * until the last one; a batch that is given up before changes nothing.
   */
  observing(values: ObservedValues, dtype?: InputDtype, shape?: readonly number[]): Iterator<void>;
  /**
   * The same for values that lie elsewhere, such as in a file: asks for run after run, up to twice for all of them, and
   * is handed each as float32.
   * @param elements - values of the batch
   */
  reading(elements: number, shape?: readonly number[]): Reading;
  /**
   * Takes in what another observer of the same method and options saw after this one.
   * @throws `ERR_QUANTLANE_ARGUMENT` where the method cannot, or the two differ
   */
  merge(other: RangeObserver): void;
  /**
   * The range. Searches of a histogram take milliseconds, the `mse` and `entropy` ones up to seconds with many bins.
   * @throws `ERR_QUANTLANE_ARGUMENT` where no batch was observed
   */
  range(): Range;
  /**
   * The range of a batch that is not observed yet, where the method has it follow from those before (`delayed`); null
   * where `range()` is asked for when the batch is observed.
   */
  ahead(): Range | null;
  /** What was counted, or null for a method without a histogram and for no values. */
  histogram(): Bins | null;
  /** The observer as JSON; `restoreObserver` is the way back. */
  toJSON(): ObserverState;
}
