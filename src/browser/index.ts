/**
 * quantlane in a browser: the same kernels, results and streams on Web Workers, or on one thread where memory cannot be
 * shared.
 * @module
 */

export {
  ArenaError,
  ArgumentError,
  DataError,
  type ErrorCode,
  type ErrorDetails,
  FormatError,
  LaneError,
  LeaseError,
  QuantlaneError,
  StateError,
} from '../errors.js';
export type { FileDtype, PackedBlocks, TensorDeclaration, TensorEntry, TensorFile } from '../formats/tensor-file.js';
export type { SelfTestReport } from '../kernels/index.js';
export {
  type ArenaStatistics,
  type InputDtype,
  type InputView,
  type LeaseState,
  TensorLease,
} from '../memory/index.js';
export { CodeUsage } from '../quality/code-usage.js';
export { type Closeness, Comparison } from '../quality/comparison.js';
export type { LaneHandle, LaneStatistics } from '../runtime/control.js';
export type { RangeResult } from '../runtime/jobs.js';
export type { QuantizedParts } from '../runtime/load.js';
export type { RuntimeMetrics } from '../runtime/metrics.js';
export type { CallOptions, CloseOptions, ConnectOptions, RuntimeOptions } from '../runtime/options.js';
export type { CodeArray, ScaleArray, ZeroPointArray } from '../runtime/parts.js';
export type { GivenParameters, GivenRange, QuantizeOptions, SchemeInput } from '../runtime/plan.js';
export { QuantizedTensor } from '../runtime/quantized.js';
export { Runtime } from '../runtime/runtime.js';
export { amaxOf, smoothScales } from '../runtime/smooth-scales.js';
export { type ErrorStatistics, mergeStatistics } from '../runtime/statistics.js';
export type { PlainTensor, TensorInput } from '../runtime/tensor.js';
export type { RotateOptions, TransformOptions } from '../runtime/transforms.js';
export {
  type BlockFormatName,
  type CodeDtype,
  defineScheme,
  type Granularity,
  type NonFinitePolicy,
  PRESETS,
  type Preset,
  type PresetName,
  type PresetOptions,
  perBlock,
  perChannel,
  perRow,
  perTensor,
  perToken,
  preset,
  type ScaleDtype,
  type ScaleRule,
  type Scheme,
} from '../scheme/index.js';
export { quantize } from '../stream/operator.js';
export { buffer, type Overflow, type StreamOptions } from '../stream/options.js';
export type { RunningRange } from '../stream/running-range.js';
export type { PullSource, StreamSource } from '../stream/source.js';
export { QuantizedStream } from '../stream/stream.js';
export { StreamingRuntime } from '../stream/streaming-runtime.js';
export { type BrowserOptions, createRuntime } from './create.js';
export { npyBlob, openTensors, quantizedBlob, type WrittenTensor } from './files.js';
export { BrowserRuntime } from './runtime.js';
