/**
 * The range of least squared error among the centres of bins: `_compute_amax_mse` of NVIDIA Model Optimizer
 * (modelopt/torch/quantization/calib/histogram.py, the TensorRT toolkit's).
 * @module
 */
import { roundHalfEven } from '../numbers.js';
import { nonFiniteOption, restored } from './base.js';
import { Fields } from './fields.js';
import { binsOption, type GridKind, gridOption } from './grid.js';
import type { Bins, ObserverOptions, Range } from './observer.js';
import { SearchingObserver } from './searching.js';
import { torchSum } from './torch-sum.js';

const { fround } = Math;

/** An amax up to which a scale is not formed (`epsilon` of tensor_quant.py). */
const TINY = 2 ** -24;

/** Options of `Mse`. */
export interface MseOptions extends ObserverOptions {
  /** Bits of a code, sign included; default 8. */
  readonly bits?: number;
  /** Whether codes have no sign; default false. */
  readonly unsigned?: boolean;
  /** The first bin whose centre is a candidate; default 128. */
  readonly startBin?: number;
  /** Every how many bins there is a candidate; default 1. */
  readonly stride?: number;
  /** How many bins of magnitudes; default 2048. */
  readonly bins?: number;
  /** Default `dyadic`. */
  readonly grid?: GridKind;
}

/** Search for the amax of least squared error. */
export class Mse extends SearchingObserver<Mse> {
  readonly method = 'mse';
  readonly options: Required<MseOptions> & { readonly [option: string]: unknown };
  protected readonly signed = false;

  constructor(options: MseOptions = {}) {
    super();
    const fields = Fields.options(options);
    fields.only('bits', 'unsigned', 'startBin', 'stride', 'bins', 'grid', 'nonFinite');
    const grid = gridOption(fields);
    const bins = binsOption(fields, grid, false, 2048);
    this.options = Object.freeze({
      bits: fields.integer('bits', { least: 2, most: 16 }, 8),
      unsigned: fields.flag('unsigned', false),
      startBin: fields.integer('startBin', { least: 0, most: bins - 1 }, Math.min(128, bins - 1)),
      stride: fields.integer('stride', { least: 1, most: bins }, 1),
      bins,
      grid,
      nonFinite: nonFiniteOption(fields),
    });
  }

  /** The observer that `toJSON` described. */
  static fromJSON(json: unknown): Mse {
    return restored(json, 'mse', (options) => new Mse(options));
  }

  protected search({ edges, counts }: Bins): Range {
    const { bits, unsigned, startBin, stride } = this.options;
    const largest = 2 ** (unsigned ? bits : bits - 1) - 1;
    const centres = new Float32Array(counts.length);
    // The sum of the last two edges may overflow.
    for (let bin = 0; bin < counts.length; bin++)
      centres[bin] = Math.min(sum(edges[bin + 1]!, edges[bin]!) / 2, edges[bin + 1]!);
    const weights = Float32Array.from(counts);
    let best = edges[counts.length]!;
    let least = Infinity;
    for (let bin = startBin; bin < counts.length; bin += stride) {
      const error = squaredError(centres, weights, centres[bin]!, largest);
      if (error < least) [best, least] = [centres[bin]!, error];
    }
    return this.symmetric(best);
  }
}

/** Mean of the weighted squared errors of `values`, quantized to ±`largest` steps up to `amax`; all in float32. */
function squaredError(values: Float32Array, weights: Float32Array, amax: number, largest: number): number {
  const errors = new Float32Array(values.length);
  const isTiny = amax <= TINY;
  const scale = isTiny ? 0 : fround(largest / amax);
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    // Magnitudes: no code is below zero.
    const code = Math.min(roundHalfEven(fround(value * scale)), largest);
    const error = fround(fround(isTiny ? code : code / scale) - value);
    errors[index] = fround(error * error) * weights[index]!;
  }
  return fround(torchSum(errors) / values.length);
}

function sum(a: number, b: number): number {
  return fround(a + b);
}
