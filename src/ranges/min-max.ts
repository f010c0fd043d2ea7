/**
 * The smallest and the largest value ever seen: `MinMaxObserver` and `PerChannelMinMaxObserver` of PyTorch
 * (torch/ao/quantization/observer.py), `MinMaxCalibrater` of ONNX Runtime.
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

/** Options of `MinMax`. */
export interface MinMaxOptions extends ObserverOptions {
  /** `perTensor` (default) or `perChannel(axis)`. */
  readonly granularity?: CalibratedGranularity;
}

/** Running minimum and maximum. Merges in any order to the same bits. */
export class MinMax extends ObserverBase<MinMax> {
  readonly method = 'minmax';
  readonly options: Required<MinMaxOptions>;
  readonly mergesInAnyOrder = true;
  #seen: Range | undefined;

  constructor(options: MinMaxOptions = {}) {
    super();
    const fields = Fields.options(options).only('granularity', 'nonFinite');
    this.options = Object.freeze({ granularity: granularityOption(fields), nonFinite: nonFiniteOption(fields) });
  }

  /** The observer that `toJSON` described. */
  static fromJSON(json: unknown): MinMax {
    return restored(json, 'minmax', (options) => new MinMax(options));
  }

  protected override get granularity(): CalibratedGranularity {
    return this.options.granularity;
  }

  protected take(seen: Survey): undefined {
    checkChannels(seen, this.#seen);
    this.#add(seen);
  }

  protected join(other: MinMax): void {
    const [mine, others] = [this.#seen?.min.length ?? 0, other.#seen!.min.length];
    if (mine > 0 && mine !== others) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected ${mine} channels to merge, got ${others}`);
    }
    this.#add(other.#seen!);
  }

  protected decide(): Range {
    return closed(this.#seen!);
  }

  protected remembered(): Readonly<Record<string, unknown>> {
    return rangesToJson(this.#seen!);
  }

  protected recall(state: Fields): void {
    this.#seen = rangesFromJson(this.options.granularity, state);
  }

  #add({ min, max }: Range): void {
    const seen = this.#seen;
    this.#seen =
      seen === undefined
        ? { min: min.slice(), max: max.slice() }
        : {
            min: seen.min.map((value, index) => Math.min(value, min[index]!)),
            max: seen.max.map((value, index) => Math.max(value, max[index]!)),
          };
  }
}
