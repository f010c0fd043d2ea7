/**
 * The largest magnitude of each channel of late, and which channels stand out.
 * @module
 */
import { medianOf, OUTLIER_FACTOR, outlierChannels } from '../quality/index.js';
import type { RangeResult } from '../runtime/index.js';
import { Recent } from './recent.js';

/** The most channels that are looked at one by one. */
export const MAX_CHANNELS = 16_384;

/** The most channels that are named. */
export const MAX_NAMED = 8;

/** A channel and its largest magnitude. */
export interface ChannelPeak {
  readonly channel: number;
  readonly amax: number;
}

/** The channels of the last 30 to 60 seconds. */
export interface ChannelFacts {
  readonly count: number;
  /** Median of the largest magnitudes of all channels. */
  readonly median: number;
  /** Channels whose largest magnitude is more than `OUTLIER_FACTOR` times the median. */
  readonly outliers: number;
  /** The channels with the largest magnitudes, the largest first. */
  readonly largest: readonly ChannelPeak[];
}

/** Largest magnitudes by channel. */
export class ChannelPeaks {
  #recent = peaksOf(0);
  #count = 0;

  /** Takes in the ranges of all channels; another number of channels begins anew. */
  add(now: number, { min, max }: RangeResult): void {
    if (max.length !== this.#count) {
      this.#count = max.length;
      this.#recent = peaksOf(max.length);
    }
    const peaks = this.#recent.at(now);
    for (let channel = 0; channel < max.length; channel++) {
      const amax = Math.max(max[channel]!, -min[channel]!);
      if (amax > peaks[channel]!) peaks[channel] = amax;
    }
  }

  /** The facts; null where there are no channels. */
  facts(now: number): ChannelFacts | null {
    if (this.#count === 0) return null;
    const [younger, older] = this.#recent.both(now);
    const amax = younger.map((peak, channel) => Math.max(peak, older[channel]!));
    const order = Array.from(amax, (_, channel) => channel).sort((a, b) => amax[b]! - amax[a]! || a - b);
    return {
      count: this.#count,
      median: medianOf(amax),
      outliers: outlierChannels(amax, OUTLIER_FACTOR).length,
      largest: order.slice(0, MAX_NAMED).map((channel) => ({ channel, amax: amax[channel]! })),
    };
  }
}

function peaksOf(count: number): Recent<Float32Array<ArrayBuffer>> {
  return new Recent(
    () => new Float32Array(count),
    (peaks) => peaks.fill(0),
  );
}
