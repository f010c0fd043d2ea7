/**
 * A moving average of the ranges of batches: `MovingAverageMinMaxObserver` and its per-channel sibling of PyTorch
 * (torch/ao/quantization/observer.py). The first batch begins, then for both ends
 *
 *     m ← m + c · (current − m)          c = 0.01, every operation in float32
 *
 * @module
 */
import { fail } from '../errors.js';
import { nonFiniteOption, ObserverBase, restored } from './base.js';
import {
  type CalibratedGranularity,
  checkChannels,
  closed,
  granularityOption,
  rangesFromJson,
  rangesToJson,
  type Survey,
} from './channels.js';
import { Fields } from './fields.js';
import type { ObserverOptions, Range } from './observer.js';

const { fround } = Math;

/** Options of `MovingAverage`. */
export interface MovingAverageOptions extends ObserverOptions {
  /** `perTensor` (default) or `perChannel(axis)`. */
  readonly granularity?: CalibratedGranularity;
  /** c: how much a batch weighs, from 0 to 1; default 0.01. */
  readonly averagingConstant?: number;
}

/**
 * Moving average of minimum and maximum. It depends on the order of batches, so it merges only with observers of one
 * batch each, in that order: then the bits are those of one observer that saw every batch.
 */
export class MovingAverage extends ObserverBase<MovingAverage> {
  readonly method = 'moving-average';
  readonly options: Required<MovingAverageOptions>;
  readonly mergesInAnyOrder = false;
  #mean: Range | undefined;

  constructor(options: MovingAverageOptions = {}) {
    super();
    const fields = Fields.options(options).only('granularity', 'averagingConstant', 'nonFinite');
    this.options = Object.freeze({
      granularity: granularityOption(fields),
      averagingConstant: fields.number('averagingConstant', { least: 0, most: 1 }, 0.01),
      nonFinite: nonFiniteOption(fields),
    });
  }

  /** The observer that `toJSON` described. */
  static fromJSON(json: unknown): MovingAverage {
    return restored(json, 'moving-average', (options) => new MovingAverage(options));
  }

  protected override get granularity(): CalibratedGranularity {
    return this.options.granularity;
  }

  protected take(seen: Survey): undefined {
    checkChannels(seen, this.#mean);
    this.#add(seen);
  }

  protected join(other: MovingAverage): void {
    if (this.#mean !== undefined && other.batches > 1) {
      throw fail(
        'ERR_QUANTLANE_ARGUMENT',
        `Expected to merge one batch at a time into a moving average, got ${other.batches}`,
      );
    }
    const [mine, others] = [this.#mean?.min.length ?? 0, other.#mean!.min.length];
    if (mine > 0 && mine !== others) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected ${mine} channels to merge, got ${others}`);
    }
    this.#add(other.#mean!);
  }

  protected decide(): Range {
    return closed(this.#mean!);
  }

  protected remembered(): Readonly<Record<string, unknown>> {
    return rangesToJson(this.#mean!);
  }

  protected recall(state: Fields): void {
    this.#mean = rangesFromJson(this.options.granularity, state);
  }

  #add(current: Range): void {
    const mean = this.#mean;
    const constant = fround(this.options.averagingConstant);
    const step = (m: number, x: number): number => {
      // A channel begins with its first values and rests while it has none.
      if (!Number.isFinite(m)) return x;
      if (!Number.isFinite(x)) return m;
      const next = fround(m + fround(constant * fround(x - m))) + 0;
      // x − m overflows only between the far ends of float32; the source is infinite from there on.
      return Number.isFinite(next) ? next : fround(m + constant * (x - m));
    };
    this.#mean =
      mean === undefined
        ? { min: current.min.slice(), max: current.max.slice() }
        : {
            min: mean.min.map((m, index) => step(m, current.min[index]!)),
            max: mean.max.map((m, index) => step(m, current.max[index]!)),
          };
  }
}
