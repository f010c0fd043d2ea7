/**
 * What the dashboard shows, as it goes over the wire.
 * @module
 */
import type { RuntimeMetrics } from '../../runtime/index.js';
import type { Amounts, Percentiles, StreamDetail, StreamSummary, TrafficSeries } from '../../watch/index.js';

/** What a server does, and its streams in one line each. */
export interface DashboardState {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Seconds since the server listens. */
  readonly uptime: number;
  /** Requests in work, and the most that there may be. */
  readonly pending: number;
  readonly maxPending: number;
  readonly runtime: RuntimeMetrics;
  /** All streams together. */
  readonly total: Amounts;
  readonly rate: Amounts;
  readonly latency: Percentiles | null;
  readonly traffic: TrafficSeries;
  readonly streams: readonly StreamSummary[];
  /** Streams that made room for others. */
  readonly forgotten: number;
}

/** What a viewer gets each second. */
export interface DashboardUpdate {
  readonly state: DashboardState;
  /** The stream that was asked for; null where there is none. */
  readonly stream: StreamDetail | null;
}
