/**
 * What is known of one stream of activations.
 * @module
 */
import { describeGranularity, type Scheme } from '../scheme/index.js';
import type { ChannelFacts } from './channel-peaks.js';
import { type Drift, driftOf, type Reference } from './drift.js';
import type { Percentiles } from './latency.js';
import { type CodeCounts, Looks, type Seen } from './looks.js';
import { SECONDS } from './seconds.js';
import { type Amounts, Traffic, type TrafficSeries } from './traffic.js';

/** Seconds that drift is judged by. */
const MINUTE = 60;

/** What identifies a stream, and what it was calibrated for. */
export interface StreamName {
  /** Name of the stream; the same for all of its batches. */
  readonly id: string;
  readonly reference: Reference | null;
}

/** A stream in one line. */
export interface StreamSummary {
  readonly id: string;
  /** Name of the scheme of the last batch. */
  readonly scheme: string;
  /** Type of its codes. */
  readonly codes: string;
  /** Which values share a scale. */
  readonly granularity: string;
  /** Shape of the last batch. */
  readonly shape: readonly number[];
  readonly total: Amounts;
  readonly rate: Amounts;
  readonly latency: Percentiles | null;
  /** The last minute; null where nothing was looked at. */
  readonly minute: Seen | null;
  readonly drift: Drift;
}

/** All that is known of a stream. */
export interface StreamDetail extends StreamSummary {
  readonly reference: Reference | null;
  readonly codeCounts: CodeCounts | null;
  readonly channels: ChannelFacts | null;
  /** By second, the oldest first, up to the last second that is over. */
  readonly traffic: TrafficSeries;
  readonly seconds: readonly (Seen | null)[];
}

/** A stream of activations. */
export class WatchedStream {
  readonly name: StreamName;
  readonly traffic = new Traffic();
  readonly looks = new Looks();
  /** Scheme and shape of the last batch. */
  scheme: Scheme;
  shape: readonly number[] = [];
  /** Milliseconds of the clock: when it was used last, and from when on a batch is looked at again. */
  usedAt = 0;
  nextLook = Number.NEGATIVE_INFINITY;

  constructor(name: StreamName, scheme: Scheme) {
    this.name = name;
    this.scheme = scheme;
  }

  /** The stream in one line. */
  summary(now: number): StreamSummary {
    const { name, scheme, shape, traffic } = this;
    const minute = this.looks.seen(now, MINUTE);
    return {
      id: name.id,
      scheme: scheme.name,
      codes: scheme.format ?? scheme.dtype,
      granularity: describeGranularity(scheme.granularity),
      shape,
      total: traffic.total,
      rate: traffic.rate(now),
      latency: traffic.latency(now),
      minute,
      drift: driftOf(name.reference, liveOf(minute)),
    };
  }

  /** All that is known of it. */
  detail(now: number): StreamDetail {
    return {
      ...this.summary(now),
      reference: this.name.reference,
      codeCounts: this.looks.codes(now),
      channels: this.looks.channels(now),
      traffic: this.traffic.series(now, SECONDS - 1),
      seconds: this.looks.series(now, SECONDS - 1),
    };
  }
}

function liveOf(minute: Seen | null): Parameters<typeof driftOf>[1] {
  if (minute === null || minute.range === null) return null;
  const { range, saturated, looks } = minute;
  return { min: range.low, max: range.high, saturated, looks };
}
