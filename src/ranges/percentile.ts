/**
 * The range that holds a share of the values.
 * @module
 */
import { nonFiniteOption, rangeOf, restored } from './base.js';
import { Fields } from './fields.js';
import { binsOption, type GridKind, gridOption, totalOf } from './grid.js';
import type { Bins, ObserverOptions, Range } from './observer.js';
import { SearchingObserver } from './searching.js';

/** Options of `Percentile`. */
export interface PercentileOptions extends ObserverOptions {
  /**
   * `tensorrt` (default): `_compute_amax_percentile` of NVIDIA Model Optimizer, on magnitudes. `onnxruntime`:
   * `compute_percentile` of ONNX Runtime's calibrate.py, on magnitudes or signed values.
   */
  readonly form?: 'tensorrt' | 'onnxruntime';
  /** Share of the values within, from 0 to 100; default 99.99, for `onnxruntime` 99.999. */
  readonly percentile?: number;
  /**
   * Whether both ends lie equally far from zero; default true. Where not, half of the rest is cut on each side; with
   * `onnxruntime` only.
   */
  readonly symmetric?: boolean;
  /** How many bins; default 2048. */
  readonly bins?: number;
  /** Default `dyadic`. */
  readonly grid?: GridKind;
}

/** Percentile of a histogram: an edge of a bin, nothing between edges. */
export class Percentile extends SearchingObserver<Percentile> {
  readonly method = 'percentile';
  readonly options: Required<PercentileOptions> & { readonly [option: string]: unknown };
  protected readonly signed: boolean;

  constructor(options: PercentileOptions = {}) {
    super();
    const fields = Fields.options(options);
    fields.only('form', 'percentile', 'symmetric', 'bins', 'grid', 'nonFinite');
    const form = fields.choice('form', ['tensorrt', 'onnxruntime'], 'tensorrt');
    const symmetric = fields.flag('symmetric', true);
    if (!symmetric && form === 'tensorrt') throw fields.wrong('true with tensorrt', 'false', 'symmetric');
    const grid = gridOption(fields);
    this.signed = !symmetric;
    this.options = Object.freeze({
      form,
      percentile: fields.number('percentile', { least: 0, most: 100 }, form === 'tensorrt' ? 99.99 : 99.999),
      symmetric,
      bins: binsOption(fields, grid, !symmetric, 2048),
      grid,
      nonFinite: nonFiniteOption(fields),
    });
  }

  /** The observer that `toJSON` described. */
  static fromJSON(json: unknown): Percentile {
    return restored(json, 'percentile', (options) => new Percentile(options));
  }

  protected search({ edges, counts }: Bins, min: number, max: number): Range {
    const { form, percentile, symmetric } = this.options;
    if (form === 'tensorrt') return this.symmetric(edges[binAt(counts, percentile / 100)]!);
    const cut = (100 - percentile) / 200;
    const high = edges[binAt(counts, symmetric ? percentile / 100 : 1 - cut)]!;
    const low = symmetric ? -high : edges[binAt(counts, cut)]!;
    // Cut to what was observed. The source cuts each end on one side only, so that its ends may cross where an edge
    // lies beyond every value.
    return rangeOf(Math.min(Math.max(low, min), max), Math.max(Math.min(high, max), min));
  }
}

/**
 * The first bin at which the share of all counts up to its end reaches `share` (`numpy.searchsorted` in the cumulated
 * sum of `counts / total`), or the number of bins where rounding keeps the sum below.
 */
export function binAt(counts: Float64Array, share: number): number {
  const total = totalOf(counts);
  let sum = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    sum += counts[bin]! / total;
    if (sum >= share) return bin;
  }
  return counts.length;
}
