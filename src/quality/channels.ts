/**
 * Where the channels of a tensor lie, and which of them stand out.
 * @module
 */
import { fail } from '../errors.js';
import { productOf } from '../numbers.js';

/** How the values of a tensor belong to channels: value i to channel ⌊i / inner⌋ mod count. */
export interface ChannelLayout {
  /** How many channels there are. */
  readonly count: number;
  /** Values of a channel that stand together. */
  readonly inner: number;
}

/** One channel for all values. */
export const ONE_CHANNEL: ChannelLayout = Object.freeze({ count: 1, inner: 1 });

/** How many times the median of all channels' largest magnitudes one has where its channel stands out. */
export const OUTLIER_FACTOR = 6;

/**
 * The channels of a shape: the indices of one axis.
 * @param shape - the slowest dimension first
 * @param axis - from 0, or from −1 for the last
 * @throws `ERR_QUANTLANE_SHAPE` where there is no such axis
 */
export function channelLayout(shape: readonly number[], axis: number): ChannelLayout {
  const index = axis < 0 ? axis + shape.length : axis;
  const count = shape[index];
  if (count === undefined) {
    throw fail('ERR_QUANTLANE_SHAPE', `Expected a shape with axis ${axis}, got [${shape.join(', ')}]`);
  }
  return { count, inner: productOf(shape.slice(index + 1)) };
}

/**
 * The channels that stand out: those whose largest magnitude is more than `factor` times the median of all (equation
 * 53 of docs/quantization.md). Where most are 0, each that is not stands out.
 * @param amax - largest magnitude of each channel
 * @returns indices, in their order
 */
export function outlierChannels(amax: ArrayLike<number>, factor = OUTLIER_FACTOR): number[] {
  const limit = factor * medianOf(amax);
  return Array.from(amax, (_, channel) => channel).filter((channel) => amax[channel]! > limit);
}

/** The middle of numbers, or the mean of the two in the middle; NaN for none. */
export function medianOf(numbers: ArrayLike<number>): number {
  const sorted = Float64Array.from(numbers).sort();
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}
