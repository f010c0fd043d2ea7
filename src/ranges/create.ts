/**
 * Observers by the name of their method.
 * @module
 */
import { fail, got } from '../errors.js';
import { type DelayedOptions, DelayedScaling } from './delayed.js';
import { Entropy, type EntropyOptions } from './entropy.js';
import { Fields } from './fields.js';
import { HistogramObserver, type HistogramOptions } from './histogram-observer.js';
import { MinMax, type MinMaxOptions } from './min-max.js';
import { MovingAverage, type MovingAverageOptions } from './moving-average.js';
import { Mse, type MseOptions } from './mse.js';
import { RANGE_METHODS, type RangeMethod, type RangeObserver } from './observer.js';
import { Percentile, type PercentileOptions } from './percentile.js';

/** The options of each method. */
export interface RangeOptions {
  readonly minmax: MinMaxOptions;
  readonly 'moving-average': MovingAverageOptions;
  readonly percentile: PercentileOptions;
  readonly mse: MseOptions;
  readonly entropy: EntropyOptions;
  readonly histogram: HistogramOptions;
  readonly delayed: DelayedOptions;
}

/**
 * An observer that has seen nothing.
 * @throws `ERR_QUANTLANE_ARGUMENT` for an unknown method or option
 */
export function createObserver<Method extends RangeMethod>(
  method: Method,
  options: RangeOptions[Method] = {} as RangeOptions[Method],
): RangeObserver {
  return made(method, Fields.options(options));
}

/**
 * The observer that `toJSON` described; it goes on to the same bits.
 * @param json - the object, not its text
 * @throws `ERR_QUANTLANE_FORMAT` where anything is not as `toJSON` gives it
 */
export function restoreObserver(json: unknown): RangeObserver {
  const fields = new Fields('ERR_QUANTLANE_FORMAT', 'observer', json);
  switch (fields.choice('method', RANGE_METHODS)) {
    case 'minmax':
      return MinMax.fromJSON(json);
    case 'moving-average':
      return MovingAverage.fromJSON(json);
    case 'percentile':
      return Percentile.fromJSON(json);
    case 'mse':
      return Mse.fromJSON(json);
    case 'entropy':
      return Entropy.fromJSON(json);
    case 'histogram':
      return HistogramObserver.fromJSON(json);
    case 'delayed':
      return DelayedScaling.fromJSON(json);
  }
}

/**
 * An observer of options that are read from anywhere; their errors are those of `options`.
 * @internal
 */
export function made(method: RangeMethod, options: Fields): RangeObserver {
  switch (method) {
    case 'minmax':
      return new MinMax(options as never);
    case 'moving-average':
      return new MovingAverage(options as never);
    case 'percentile':
      return new Percentile(options as never);
    case 'mse':
      return new Mse(options as never);
    case 'entropy':
      return new Entropy(options as never);
    case 'histogram':
      return new HistogramObserver(options as never);
    case 'delayed':
      return new DelayedScaling(options as never);
    default:
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected one of ${RANGE_METHODS.join(', ')}, got ${got(method)}`);
  }
}
