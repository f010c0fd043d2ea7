/**
 * `HistogramObserver` of PyTorch (torch/ao/quantization/observer.py).
 * @module
 */
import { fail } from '../errors.js';
import { nonFiniteOption, ObserverBase, rangeOf, restored } from './base.js';
import type { Survey } from './channels.js';
import { Fields } from './fields.js';
import type { Bins, ObserverOptions, Range } from './observer.js';
import type { Reading } from './reading.js';
import { binsOf, observed, type TorchHistogram, type TorchRelease } from './torch-histogram.js';
import { searchRange } from './torch-search.js';

/** The most bins of a histogram. */
const MAX_BINS = 2 ** 16;

/** Options of `HistogramObserver`. */
export interface HistogramOptions extends ObserverOptions {
  /** From 2; default 2048. */
  readonly bins?: number;
  /** Bits of a code, from 1; default 8. */
  readonly bits?: number;
  /** Whose rules apply; default `2.0`, for 1.13 loses values at the ends (see `TorchRelease`). */
  readonly release?: TorchRelease;
}

/**
 * The running histogram and search of PyTorch. The bins follow the batches, so it depends on their order and cannot
 * merge with one that saw others: a merge takes an observer as it is, where the other side saw nothing.
 */
export class HistogramObserver extends ObserverBase<HistogramObserver> {
  readonly method = 'histogram';
  readonly options: Required<HistogramOptions>;
  readonly mergesInAnyOrder = false;
  #histogram: TorchHistogram | undefined;

  constructor(options: HistogramOptions = {}) {
    super();
    const fields = Fields.options(options).only('bins', 'bits', 'release', 'nonFinite');
    this.options = Object.freeze({
      bins: fields.integer('bins', { least: 2, most: MAX_BINS }, 2048),
      bits: fields.integer('bits', { least: 1, most: 16 }, 8),
      release: fields.choice<TorchRelease>('release', ['1.13', '2.0'], '2.0'),
      nonFinite: nonFiniteOption(fields),
    });
  }

  /** The observer that `toJSON` described. */
  static fromJSON(json: unknown): HistogramObserver {
    return restored(json, 'histogram', (options) => new HistogramObserver(options));
  }

  /** What was counted; null before the first batch, and where float32 cannot tell two edges apart. */
  override histogram(): Bins | null {
    return this.#histogram === undefined ? null : binsOf(this.#histogram);
  }

  protected *take(seen: Survey): Reading {
    const next = yield* observed(this.#histogram, seen, this.options.bins, this.options.release);
    if (!Number.isFinite(Math.fround(next.max - next.min))) {
      throw fail(
        'ERR_QUANTLANE_ARGUMENT',
        `Expected a range whose extent is a float32, got ${next.min} to ${next.max}`,
      );
    }
    this.#histogram = next;
  }

  protected join(other: HistogramObserver): void {
    if (this.#histogram !== undefined) {
      throw fail('ERR_QUANTLANE_ARGUMENT', "Expected no batches before a merge of method 'histogram', got some");
    }
    this.#histogram = other.#histogram;
  }

  protected decide(): Range {
    const { min, max } = searchRange(this.#histogram!, 2 ** this.options.bits);
    return rangeOf(min, max);
  }

  protected remembered(): Readonly<Record<string, unknown>> {
    const { min, max, counts } = this.#histogram!;
    return { min, max, counts: Array.from(counts) };
  }

  protected recall(state: Fields): void {
    const { bins } = this.options;
    const [min, max] = [state.only('min', 'max', 'counts').float('min'), state.float('max')];
    const counts = state.floats('counts', bins, bins);
    if (!(min <= max)) throw state.wrong('min not above max', `${min} and ${max}`);
    if (!Number.isFinite(Math.fround(max - min))) throw state.wrong('a finite extent', `${min} to ${max}`);
    if (counts.some((count) => count < 0)) throw state.wrong('counts from 0', 'a negative one');
    this.#histogram = { min, max, counts };
  }
}
