/**
 * Streaming dynamic quantization: name the consumer of the codes, get its bytes.
 * @module
 */

export type { ArenaEvent, BatchEvent, BatchPlace, LaneEvent, RequestEvent, TraceContext } from './channels.js';
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
} from './errors.js';
export type { SelfTestReport } from './kernels/index.js';
export { type ArenaStatistics, type InputDtype, type InputView, type LeaseState, TensorLease } from './memory/index.js';
export {
  type ChannelLayout,
  type Closeness,
  CodeUsage,
  Comparison,
  channelLayout,
  ONE_CHANNEL,
  OUTLIER_FACTOR,
  outlierChannels,
} from './quality/index.js';
export {
  amaxOf,
  type CallOptions,
  type CloseOptions,
  type CodeArray,
  type ConnectOptions,
  type ErrorStatistics,
  type GivenParameters,
  type GivenRange,
  type LaneHandle,
  type LaneStatistics,
  mergeStatistics,
  type PlainTensor,
  type QuantizedParts,
  QuantizedTensor,
  type QuantizeOptions,
  type RangeResult,
  type RotateOptions,
  Runtime,
  type RuntimeMetrics,
  type RuntimeOptions,
  type ScaleArray,
  type SchemeInput,
  smoothScales,
  type TensorInput,
  type TransformOptions,
  type Watchable,
  type ZeroPointArray,
} from './runtime/index.js';
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
} from './scheme/index.js';
export {
  attachRuntime,
  buffer,
  createRuntime,
  type Overflow,
  type PullSource,
  QuantizedStream,
  quantize,
  type RunningRange,
  StreamingRuntime,
  type StreamOptions,
  type StreamSource,
} from './stream/index.js';
