/**
 * The range whose quantized distribution tells least from the observed one (Kullback–Leibler), in two forms.
 * @module
 */
import { nonFiniteOption, rangeOf, restored } from './base.js';
import { onnxRuntimeThreshold } from './entropy-onnxruntime.js';
import { tensorRtThreshold } from './entropy-tensorrt.js';
import { Fields } from './fields.js';
import { binsOption, type GridKind, gridOption } from './grid.js';
import type { Bins, ObserverOptions, Range } from './observer.js';
import { SearchingObserver } from './searching.js';

/** Options of `Entropy`. */
export interface EntropyOptions extends ObserverOptions {
  /**
   * `tensorrt` (default): `_compute_amax_entropy` of NVIDIA Model Optimizer, on magnitudes. `onnxruntime`:
   * `get_entropy_threshold` of ONNX Runtime's calibrate.py, on signed values.
   */
  readonly form?: 'tensorrt' | 'onnxruntime';
  /** How many bins; default 2048, for `onnxruntime` 128. */
  readonly bins?: number;
  /** Bins of the quantized distribution, an even number; default 128. */
  readonly quantizedBins?: number;
  /** The smallest candidate of `tensorrt` in bins; default 128. */
  readonly startBin?: number;
  /** Every how many bins `tensorrt` has a candidate; default 1. */
  readonly stride?: number;
  /** Default `dyadic`. */
  readonly grid?: GridKind;
}

/** Search for the range of least divergence. */
export class Entropy extends SearchingObserver<Entropy> {
  readonly method = 'entropy';
  readonly options: Required<EntropyOptions> & { readonly [option: string]: unknown };
  protected readonly signed: boolean;

  constructor(options: EntropyOptions = {}) {
    super();
    const fields = Fields.options(options);
    fields.only('form', 'bins', 'quantizedBins', 'startBin', 'stride', 'grid', 'nonFinite');
    const form = fields.choice('form', ['tensorrt', 'onnxruntime'], 'tensorrt');
    const signed = form === 'onnxruntime';
    const grid = gridOption(fields);
    const bins = binsOption(fields, grid, signed, signed ? 128 : 2048);
    const quantizedBins = fields.integer('quantizedBins', { least: 2, most: bins }, Math.min(128, bins));
    if (quantizedBins % 2 !== 0) throw fields.wrong('an even number', `${quantizedBins}`, 'quantizedBins');
    this.signed = signed;
    this.options = Object.freeze({
      form,
      bins,
      quantizedBins,
      startBin: fields.integer('startBin', { least: 1, most: bins }, Math.min(128, bins)),
      stride: fields.integer('stride', { least: 1, most: bins }, 1),
      grid,
      nonFinite: nonFiniteOption(fields),
    });
  }

  /** The observer that `toJSON` described. */
  static fromJSON(json: unknown): Entropy {
    return restored(json, 'entropy', (options) => new Entropy(options));
  }

  protected search(bins: Bins, min: number, max: number): Range {
    const { form, quantizedBins, startBin, stride } = this.options;
    if (form === 'tensorrt') return this.symmetric(tensorRtThreshold(bins, quantizedBins, startBin, stride));
    const [low, high] = onnxRuntimeThreshold(bins, quantizedBins);
    // Cut to what was observed. The source cuts each end on one side only, so that its ends may cross where every value
    // lies beyond one.
    return rangeOf(Math.min(Math.max(low, min), max), Math.max(Math.min(high, max), min));
  }
}
