/**
 * How close values are to others: signal, noise and angle, for a whole tensor or channel by channel, of values that come
 * in parts (equations 16, 17 and 51 of docs/quantization.md). All sums are float64.
 * @module
 */
import { fail } from '../errors.js';
import { decibels } from '../numbers.js';
import { type ChannelLayout, ONE_CHANNEL } from './channels.js';

/** How close values are to others. */
export interface Closeness {
  /** Pairs that were compared. */
  readonly elements: number;
  /** Pairs left out because the value itself is not finite. */
  readonly skipped: number;
  /** Sum of squared values. */
  readonly signal: number;
  /** Sum of squared errors; Infinity where another value is not finite. */
  readonly noise: number;
  /** 10·log10(signal / noise) in dB; Infinity without noise. */
  readonly sqnr: number;
  /** Cosine of the angle between both; 1 for zeros alone, 0 where one side is zero, NaN where one is not finite. */
  readonly cosine: number;
  /** Largest error. */
  readonly maxError: number;
  /** Largest magnitude of a value. */
  readonly amax: number;
}

/** What is known of a channel, in this order. */
const enum At {
  Elements,
  Skipped,
  Signal,
  Noise,
  /** Sum of products. */
  Dot,
  /** Sum of the others' squares. */
  Power,
  MaxError,
  Amax,
  Size,
}

/** Compares values with others, such as those that a consumer reads from codes. */
export class Comparison {
  readonly layout: ChannelLayout;
  /** `At.Size` numbers a channel. */
  readonly #sums: Float64Array;

  /** @param layout - which channel a value belongs to; by default all to one */
  constructor(layout: ChannelLayout = ONE_CHANNEL) {
    this.layout = layout;
    this.#sums = new Float64Array(layout.count * At.Size);
  }

  /**
   * Takes in a part of a tensor. Parts may come in any order; the last bits of sums depend on it.
   * @param values - what the others should be
   * @param others - as many
   * @param first - index of the first value in its tensor; needed where there are channels
   * @throws `ERR_QUANTLANE_SHAPE` where the lengths differ
   */
  add(values: ArrayLike<number>, others: ArrayLike<number>, first = 0): void {
    const { length } = values;
    if (others.length !== length) {
      throw fail('ERR_QUANTLANE_SHAPE', `Expected ${length} other values, got ${others.length}`);
    }
    const { count, inner } = this.layout;
    if (count === 1) return this.#addRun(values, others, 0, length, 0);
    let channel = Math.floor(first / inner) % count;
    let start = 0;
    for (let end = inner - (first % inner); start < length; end += inner) {
      this.#addRun(values, others, start, Math.min(end, length), channel);
      start = end;
      channel = channel + 1 === count ? 0 : channel + 1;
    }
  }

  /**
   * Takes in what another comparison of the same layout saw.
   * @throws `ERR_QUANTLANE_ARGUMENT` for another layout
   */
  merge(other: Comparison): void {
    const { count, inner } = this.layout;
    if (other.layout.count !== count || (count > 1 && other.layout.inner !== inner)) {
      const actual = `${other.layout.count} with ${other.layout.inner}`;
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected ${count} channels with ${inner} values together, got ${actual}`);
    }
    for (let channel = 0; channel < count; channel++) join(this.#sums, channel, other.#sums, channel);
  }

  /** How close the values of one channel are. */
  of(channel: number): Closeness {
    return closeness(this.#sums.subarray(channel * At.Size, (channel + 1) * At.Size));
  }

  /** How close all values are. */
  total(): Closeness {
    const all = new Float64Array(At.Size);
    for (let channel = 0; channel < this.layout.count; channel++) join(all, 0, this.#sums, channel);
    return closeness(all);
  }

  #addRun(values: ArrayLike<number>, others: ArrayLike<number>, start: number, end: number, channel: number): void {
    let [skipped, signal, noise, dot, power, maxError, amax] = [0, 0, 0, 0, 0, 0, 0];
    for (let index = start; index < end; index++) {
      const value = values[index]!;
      if (value - value !== 0) {
        skipped++;
        continue;
      }
      const other = others[index]!;
      // What is not finite is infinitely far away.
      const error = other - other === 0 ? Math.abs(value - other) : Infinity;
      const size = Math.abs(value);
      signal += value * value;
      noise += error * error;
      dot += value * other;
      power += other * other;
      if (error > maxError) maxError = error;
      if (size > amax) amax = size;
    }
    const found = Float64Array.of(end - start - skipped, skipped, signal, noise, dot, power, maxError, amax);
    join(this.#sums, channel, found, 0);
  }
}

/** Adds what is known of one channel to what is known of another. */
function join(to: Float64Array, channel: number, from: Float64Array, other: number): void {
  const [at, start] = [channel * At.Size, other * At.Size];
  for (let place: number = At.Elements; place < At.MaxError; place++) to[at + place]! += from[start + place]!;
  for (let place: number = At.MaxError; place < At.Size; place++) {
    to[at + place] = Math.max(to[at + place]!, from[start + place]!);
  }
}

function closeness(sums: Float64Array): Closeness {
  const [signal, noise] = [sums[At.Signal]!, sums[At.Noise]!];
  return {
    elements: sums[At.Elements]!,
    skipped: sums[At.Skipped]!,
    signal,
    noise,
    sqnr: decibels(signal, noise),
    cosine: cosineOf(sums[At.Dot]!, signal, sums[At.Power]!),
    maxError: sums[At.MaxError]!,
    amax: sums[At.Amax]!,
  };
}

function cosineOf(dot: number, signal: number, power: number): number {
  if (signal === 0 || power === 0) return signal === power ? 1 : 0;
  // The root of the product, for that of equal sums is exact; rounding may still lead a little beyond 1.
  return Math.max(-1, Math.min(dot / Math.sqrt(signal * power), 1));
}
