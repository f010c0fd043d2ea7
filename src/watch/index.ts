/**
 * The watch: what a server's streams of activations look like, second by second, and whether they drift.
 * @module
 */

export { type ChannelFacts, type ChannelPeak, MAX_CHANNELS } from './channel-peaks.js';
export { CodeBins, MAX_BINS } from './code-bins.js';
export {
  type Calibrated,
  type Drift,
  type DriftState,
  driftOf,
  FEW_LOOKS,
  LIMITS,
  type Live,
  type Reference,
} from './drift.js';
export { Latency, type Percentiles } from './latency.js';
export { type CodeCounts, Looks, type Seen } from './looks.js';
export { PART_MS, Recent } from './recent.js';
export { calibratedValues } from './reference.js';
export { SECONDS, Seconds } from './seconds.js';
export type { Spread } from './spread.js';
export { type StreamDetail, type StreamName, type StreamSummary, WatchedStream } from './stream.js';
export { type Amounts, Traffic, type TrafficSeries } from './traffic.js';
export { MAX_STREAMS, Watch, type WatchOptions } from './watch.js';
