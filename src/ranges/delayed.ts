/**
 * Delayed scaling of NVIDIA Transformer Engine (transformer_engine/common/recipe/delayed_scaling.cu,
 * `DelayedScaling` of transformer_engine/common/recipe/__init__.py): the scale of a batch follows from the largest
 * magnitudes of the batches before it, so that it is known before the batch is.
 *
 *     scale = (FP8_MAX · 2^−margin) / amax       amax over the history, or of the latest batch
 *
 * Here "scale" is the multiplier, as there. An amax of 0 keeps the scale that was; an infinite one becomes the largest
 * float32.
 * @module
 */
import { MAX_FLOAT32 } from '../numbers.js';
import { nonFiniteOption, ObserverBase, rangeOf, restored } from './base.js';
import type { Survey } from './channels.js';
import { Fields } from './fields.js';
import type { ObserverOptions, Range } from './observer.js';

const { fround } = Math;

/** The largest number of each format. */
const FP8_MAX = Object.freeze({ e4m3: 448, e5m2: 57344 });

/** Options of `DelayedScaling`. */
export interface DelayedOptions extends ObserverOptions {
  /** Default `e4m3` (448); `e5m2` (57344) is that of gradients. */
  readonly format?: keyof typeof FP8_MAX;
  /** Batches in the history; default 1024. */
  readonly history?: number;
  /** `max` (default): the largest magnitude of the history. `most_recent`: that of the latest batch. */
  readonly algorithm?: 'max' | 'most_recent';
  /** Powers of two left free above amax; default 0. */
  readonly margin?: number;
}

/**
 * Delayed scaling. Ask for the scale or the range (`ahead`) before a batch is observed: that is the one the batch is
 * quantized with. It depends on the order of batches and merges in that order: what the other one observed comes after. The bits
 * are then those of one observer that saw every batch.
 */
export class DelayedScaling extends ObserverBase<DelayedScaling> {
  readonly method = 'delayed';
  readonly options: Required<DelayedOptions>;
  readonly mergesInAnyOrder = false;
  /** Largest magnitudes of the latest batches, the oldest first. */
  #history: number[] = [];
  /** The amax that the scale came from; 0 while there was none. */
  #amax = 0;
  /** The latest magnitude above 0. */
  #latest = 0;

  constructor(options: DelayedOptions = {}) {
    super();
    const fields = Fields.options(options).only('format', 'history', 'algorithm', 'margin', 'nonFinite');
    this.options = Object.freeze({
      format: fields.choice('format', ['e4m3', 'e5m2'], 'e4m3'),
      history: fields.integer('history', { least: 1, most: 2 ** 16 }, 1024),
      algorithm: fields.choice('algorithm', ['max', 'most_recent'], 'max'),
      margin: fields.integer('margin', { least: -64, most: 64 }, 0),
      nonFinite: nonFiniteOption(fields),
    });
  }

  /** The observer that `toJSON` described. */
  static fromJSON(json: unknown): DelayedScaling {
    return restored(json, 'delayed', (options) => new DelayedScaling(options));
  }

  /** What the next batch is multiplied with; 1 before the first. */
  scale(): number {
    if (this.#amax === 0) return 1;
    const scale = fround(fround(FP8_MAX[this.options.format] * 2 ** -this.options.margin) / this.#amax);
    return Number.isFinite(scale) ? scale : MAX_FLOAT32;
  }

  /** The range that the next batch is quantized with: ±FP8_MAX before the first one. */
  override ahead(): Range {
    return this.decide();
  }

  protected take({ min, max }: Survey): undefined {
    this.#step(Math.max(-min[0]!, max[0]!));
  }

  protected join(other: DelayedScaling): void {
    if (other.#history.length < this.options.history) {
      for (const amax of other.#history) this.#step(amax);
      return;
    }
    // A full history leaves nothing of this one but what a batch of zeros keeps.
    this.#history = other.#history.slice();
    if (other.#latest > 0) [this.#amax, this.#latest] = [other.#amax, other.#latest];
    else this.#amax = this.#latest;
  }

  /** The numbers that the scale takes to the ends of the format: ±FP8_MAX before a magnitude above 0 was seen. */
  protected decide(): Range {
    const { format, margin } = this.options;
    const end = this.#amax === 0 ? FP8_MAX[format] : Math.min(this.#amax * 2 ** margin, MAX_FLOAT32);
    return rangeOf(-end, end);
  }

  protected remembered(): Readonly<Record<string, unknown>> {
    return { history: this.#history, amax: this.#amax, latest: this.#latest };
  }

  protected recall(state: Fields): void {
    const history = state.only('history', 'amax', 'latest').floats('history', 1, this.options.history);
    const [amax, latest] = [state.float('amax'), state.float('latest')];
    if (!(amax >= 0 && latest >= 0 && history.every((value) => value >= 0))) {
      throw state.wrong('magnitudes from 0', 'a negative one');
    }
    [this.#history, this.#amax, this.#latest] = [Array.from(history), amax, latest];
  }

  #step(magnitude: number): void {
    this.#history.push(magnitude);
    if (this.#history.length > this.options.history) this.#history.shift();
    if (magnitude > 0) this.#latest = magnitude;
    const amax = this.options.algorithm === 'max' ? this.#history.reduce((a, b) => Math.max(a, b), 0) : magnitude;
    if (amax > 0) this.#amax = amax;
  }
}
