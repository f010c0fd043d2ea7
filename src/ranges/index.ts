/**
 * Ranges: observers that calibrate them over a data set or along a stream, and the calibration file.
 * @module
 */

export type { CalibratedPreset, CalibratedTensor, Calibration } from './calibration.js';
export { calibrationOf, readCalibration, writeCalibration } from './calibration.js';
export type { CalibratedGranularity } from './channels.js';
export type { RangeOptions } from './create.js';
export { createObserver, restoreObserver } from './create.js';
export type { DelayedOptions } from './delayed.js';
export { DelayedScaling } from './delayed.js';
export type { EntropyOptions } from './entropy.js';
export { Entropy } from './entropy.js';
export type { GridKind } from './grid.js';
export type { HistogramOptions } from './histogram-observer.js';
export { HistogramObserver } from './histogram-observer.js';
export type { MinMaxOptions } from './min-max.js';
export { MinMax } from './min-max.js';
export type { MovingAverageOptions } from './moving-average.js';
export { MovingAverage } from './moving-average.js';
export type { MseOptions } from './mse.js';
export { Mse } from './mse.js';
export type {
  Bins,
  ObservedNonFinite,
  ObserverOptions,
  ObserverState,
  Range,
  RangeMethod,
  RangeObserver,
} from './observer.js';
export { RANGE_METHODS } from './observer.js';
export type { PercentileOptions } from './percentile.js';
export { Percentile } from './percentile.js';
export type { Reading, Run } from './reading.js';
export { CALIBRATION_FORMAT, CALIBRATION_SCHEMA, CALIBRATION_VERSION } from './schema.js';
export type { StaticParameters, StaticTarget } from './static-parameters.js';
export { staticParameters, staticTarget } from './static-parameters.js';
export type { TorchRelease } from './torch-histogram.js';
export type { ObservedValues } from './values.js';
