/**
 * The runtime: memory, lanes and calls.
 * @module
 */

export { attachEngine } from './attached.js';
export { LaneHandle, type LaneStatistics } from './control.js';
export { late } from './due.js';
export type { Engine } from './engine.js';
export type { RangeResult } from './jobs.js';
export type { QuantizedParts } from './load.js';
export type { RuntimeMetrics } from './metrics.js';
export type { CallOptions, CloseOptions, ConnectOptions, RuntimeOptions } from './options.js';
export type { CodeArray, ScaleArray, ZeroPointArray } from './parts.js';
export type { GivenParameters, GivenRange, QuantizeOptions, SchemeInput } from './plan.js';
export { LanePool } from './pool.js';
export { QuantizedTensor } from './quantized.js';
export { Runtime } from './runtime.js';
export { amaxOf, smoothScales } from './smooth-scales.js';
export { startEngine } from './start.js';
export { type ErrorStatistics, mergeStatistics, NO_ERROR } from './statistics.js';
export type { PlainTensor, TensorInput } from './tensor.js';
export type { RotateOptions, TransformOptions } from './transforms.js';
export type { Watchable } from './watch.js';
