/**
 * What was seen of the batches that were looked at: ranges, parameters and errors by second, codes and channels of late.
 * @module
 */
import { decibels } from '../numbers.js';
import type { QuantizedTensor, RangeResult } from '../runtime/index.js';
import { type ChannelFacts, ChannelPeaks } from './channel-peaks.js';
import { CodeBins, MAX_BINS } from './code-bins.js';
import { Recent } from './recent.js';
import { Seconds } from './seconds.js';
import { type Spread, scaleSpread, zeroSpread } from './spread.js';

/** Numbers of a second. */
const enum At {
  Low,
  High,
  ScaleLow,
  ScaleHigh,
  ZeroLow,
  ZeroHigh,
  Signal,
  Noise,
  Saturated,
  /** Codes among which saturated ones were counted. */
  Codes,
  Looks,
}

const [NONE_LOW, NONE_HIGH] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** A second before anything is seen. */
const EMPTY = [NONE_LOW, NONE_HIGH, NONE_LOW, NONE_HIGH, NONE_LOW, NONE_HIGH, 0, 0, 0, 0, 0];

/** What was seen in some seconds. */
export interface Seen {
  /** Smallest and largest value, zero included; null where no range is known. */
  readonly range: Spread | null;
  /** Smallest and largest scale; null where scales lie within blocks. */
  readonly scale: Spread | null;
  /** Smallest and largest zero point; null for symmetric schemes. */
  readonly zeroPoint: Spread | null;
  /** Share of codes that are saturated. */
  readonly saturated: number;
  /** Signal to noise in dB; null without error, or without values but zero. */
  readonly sqnr: number | null;
  /** Batches that were looked at. */
  readonly looks: number;
}

/** Codes of the last 30 to 60 seconds. */
export interface CodeCounts {
  /** What the first code of each bin stands for before scale and zero point, in ascending order; null: NaN or infinite. */
  readonly values: readonly (number | null)[];
  readonly counts: readonly number[];
}

/** What was seen of one stream. */
export class Looks {
  readonly #seconds = new Seconds(EMPTY);
  readonly #channels = new ChannelPeaks();
  readonly #codes = new Recent(
    () => new Float64Array(MAX_BINS),
    (counts) => counts.fill(0),
  );
  #bins: CodeBins | null = null;

  /** Takes in codes, parameters and error statistics of a batch. They are read at once. */
  addQuantized(now: number, quantized: QuantizedTensor): void {
    const { numbers } = this.#seconds;
    const at = this.#seconds.at(now);
    const { scheme, stats, plan } = quantized;
    widen(numbers, at + At.ScaleLow, scaleSpread(quantized));
    widen(numbers, at + At.ZeroLow, zeroSpread(quantized));
    numbers[at + At.Looks]!++;
    if (stats !== null) {
      numbers[at + At.Signal]! += stats.signal;
      numbers[at + At.Noise]! += stats.noise;
      numbers[at + At.Saturated]! += stats.saturated;
      numbers[at + At.Codes]! += plan.layout.elements;
    }
    const bins = CodeBins.of(scheme);
    if (bins !== this.#bins) {
      this.#bins = bins;
      for (const counts of this.#codes.both(now)) counts.fill(0);
    }
    bins?.count(quantized.data, plan.layout.elements, scheme, this.#codes.at(now));
  }

  /** Takes in the ranges of a batch, channel by channel or of all values. */
  addRanges(now: number, ranges: RangeResult, isByChannel: boolean): void {
    const low = ranges.min.reduce((a, b) => Math.min(a, b));
    const high = ranges.max.reduce((a, b) => Math.max(a, b));
    widen(this.#seconds.numbers, this.#seconds.at(now) + At.Low, { low, high });
    if (isByChannel) this.#channels.add(now, ranges);
  }

  /** The last `count` seconds together, this one included; null where nothing was looked at. */
  seen(now: number, count: number): Seen | null {
    const { numbers } = this.#seconds;
    const sum = Float64Array.from(EMPTY);
    for (const at of this.#seconds.last(now, count)) {
      for (let field: number = At.Low; field < At.Signal; field += 2) {
        sum[field] = Math.min(sum[field]!, numbers[at + field]!);
        sum[field + 1] = Math.max(sum[field + 1]!, numbers[at + field + 1]!);
      }
      for (let field: number = At.Signal; field <= At.Looks; field++) sum[field]! += numbers[at + field]!;
    }
    return seenOf(sum, 0);
  }

  /** The last `count` seconds that are over, one by one, the oldest first. */
  series(now: number, count: number): (Seen | null)[] {
    const { numbers } = this.#seconds;
    return [...this.#seconds.last(now, count + 1)].slice(0, -1).map((at) => seenOf(numbers, at));
  }

  /** How often which codes occurred; null where codes do not lie by themselves, or there are none. */
  codes(now: number): CodeCounts | null {
    if (this.#bins === null) return null;
    const [younger, older] = this.#codes.both(now);
    const values = this.#bins.values.map((value) => (Number.isFinite(value) ? value : null));
    return { values, counts: values.map((_, bin) => younger[bin]! + older[bin]!) };
  }

  /** The channels; null for tensors of one axis or with too many of them. */
  channels(now: number): ChannelFacts | null {
    return this.#channels.facts(now);
  }
}

function widen(numbers: Float64Array, at: number, spread: Spread | null): void {
  if (spread === null) return;
  numbers[at] = Math.min(numbers[at]!, spread.low);
  numbers[at + 1] = Math.max(numbers[at + 1]!, spread.high);
}

function seenOf(numbers: Float64Array, at: number): Seen | null {
  const looks = numbers[at + At.Looks]!;
  if (looks === 0) return null;
  const [signal, noise, codes] = [numbers[at + At.Signal]!, numbers[at + At.Noise]!, numbers[at + At.Codes]!];
  const sqnr = decibels(signal, noise);
  return {
    range: spreadAt(numbers, at + At.Low),
    scale: spreadAt(numbers, at + At.ScaleLow),
    zeroPoint: spreadAt(numbers, at + At.ZeroLow),
    saturated: codes === 0 ? 0 : numbers[at + At.Saturated]! / codes,
    sqnr: Number.isFinite(sqnr) ? sqnr : null,
    looks,
  };
}

function spreadAt(numbers: Float64Array, at: number): Spread | null {
  const [low, high] = [numbers[at]!, numbers[at + 1]!];
  return low <= high ? { low, high } : null;
}
