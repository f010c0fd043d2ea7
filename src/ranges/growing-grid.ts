/**
 * A histogram whose width the first batch decides: that of magnitudes after `HistogramCalibrator` of TensorRT's
 * toolkit (NVIDIA Model Optimizer, modelopt/torch/quantization/calib/histogram.py), that of signed values after
 * `HistogramCollector.collect_value` and `merge_histogram` of ONNX Runtime
 * (onnxruntime/python/tools/quantization/calibrate.py) and `numpy.histogram`.
 * @module
 */
import { fail } from '../errors.js';
import type { Fields } from './fields.js';
import { type Grid, type GridOptions, MAX_GRID_BINS, totalOf } from './grid.js';
import type { Bins } from './observer.js';

const { fround } = Math;

/** Bins over [−end, end], or over [0, end] for magnitudes. */
export class GrowingGrid implements Grid {
  readonly mergesInAnyOrder = false;
  readonly #signed: boolean;
  /** End of the range; 0 while every value was 0. */
  #end = 0;
  /** Width of a bin of magnitudes: that of the first batch. */
  #width = 0;
  #counts: Float64Array;

  constructor({ bins, signed }: GridOptions) {
    this.#signed = signed;
    this.#counts = new Float64Array(bins);
  }

  add(values: Float32Array, most: number): void {
    if (most > this.#end) this.#grow(most);
    this.#count(values);
  }

  merge(other: GrowingGrid): void {
    const [mine, others] = [this.#step(), other.#step()];
    if (other.#end === 0) {
      this.#counts[this.#zero()]! += totalOf(other.#counts);
      return;
    }
    if (this.#end === 0) {
      const zeros = totalOf(this.#counts);
      [this.#end, this.#width, this.#counts] = [other.#end, other.#width, other.#counts.slice()];
      this.#counts[this.#zero()]! += zeros;
      return;
    }
    if (mine !== others) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected bins of the same width to merge, got ${others} and ${mine}`);
    }
    if (other.#counts.length > this.#counts.length) {
      this.#counts = this.#widened(other.#counts.length);
      this.#end = other.#end;
    }
    const shift = this.#signed ? (this.#counts.length - other.#counts.length) / 2 : 0;
    other.#counts.forEach((count, place) => {
      this.#counts[place + shift]! += count;
    });
  }

  bins(): Bins {
    return { edges: this.#edges(), counts: this.#counts.slice() };
  }

  toJSON(): Readonly<Record<string, unknown>> {
    return { end: this.#end, width: this.#width, counts: Array.from(this.#counts) };
  }

  /** The way back of `toJSON`, for a grid that is empty. */
  load(fields: Fields): void {
    fields.only('end', 'width', 'counts');
    const [end, width] = [fields.float('end'), fields.float('width')];
    const counts = fields.counts('counts', this.#counts.length, MAX_GRID_BINS);
    if (end < 0) throw fields.wrong('an end from 0', `${end}`, 'end');
    if (width < 0) throw fields.wrong('a width from 0', `${width}`, 'width');
    if (this.#signed && counts.length % 2 !== this.#counts.length % 2) {
      throw fields.wrong('bins about zero', `${counts.length}`, 'counts');
    }
    [this.#end, this.#width, this.#counts] = [end, width, counts];
  }

  /** The bin of 0. */
  #zero(): number {
    return this.#signed ? this.#counts.length / 2 : 0;
  }

  /** Width of a bin; equal widths on both sides make merging exact. */
  #step(): number {
    return this.#signed ? fround(fround(2 * this.#end) / this.#counts.length) : this.#width;
  }

  /** Moves the end up to `most` or beyond. */
  #grow(most: number): void {
    if (this.#end === 0) {
      const bins = this.#counts.length;
      const width = fround(most / bins);
      if (width === 0 || !isRoomy(most, bins)) throw unfit(`a first batch up to ${most}`);
      // Zeros before the first other value: the bin at zero, where they lie on any grid.
      this.#end = most;
      this.#width = width;
      return;
    }
    if (!this.#signed) {
      const bins = Math.max(Math.ceil(fround(most / this.#width)), this.#counts.length);
      if (!isRoomy(most, bins)) throw unfit(`${most} in bins of ${this.#width}`);
      this.#counts = this.#widened(bins);
      this.#end = fround(bins * this.#width);
      return;
    }
    const step = this.#step();
    const half = Math.trunc(fround(fround(floorDivide(fround(most - this.#end), step)) + 1));
    const bins = this.#counts.length + 2 * half;
    const end = fround(fround(half * step) + this.#end);
    if (!isRoomy(end, bins)) throw unfit(`${most} in bins of ${step}`);
    this.#counts = this.#widened(bins);
    this.#end = end;
  }

  /** The counts among `bins`: from zero up, or in the middle. */
  #widened(bins: number): Float64Array {
    const counts = new Float64Array(bins);
    counts.set(this.#counts, this.#signed ? (bins - this.#counts.length) / 2 : 0);
    return counts;
  }

  #count(values: Float32Array): void {
    if (this.#end === 0) {
      this.#counts[this.#zero()]! += values.length;
      return;
    }
    if (this.#signed) this.#countSigned(values);
    else this.#countMagnitudes(values);
  }

  /** `torch.histc` over [0, end]. */
  #countMagnitudes(values: Float32Array): void {
    const counts = this.#counts;
    const bins = counts.length;
    for (let index = 0; index < values.length; index++) {
      const place = Math.trunc(fround(fround(Math.abs(values[index]!) * bins) / this.#end));
      counts[Math.min(place, bins - 1)]!++;
    }
  }

  /** `numpy.histogram` over [−end, end]: the bin by division, put right by the edges. */
  #countSigned(values: Float32Array): void {
    const counts = this.#counts;
    const bins = counts.length;
    const edges = this.#edges();
    const low = edges[0]!;
    const extent = fround(edges[bins]! - low);
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      let place = Math.min(Math.trunc(fround(fround(fround(value - low) / extent) * bins)), bins - 1);
      if (value < edges[place]!) place--;
      if (place !== bins - 1 && value >= edges[place + 1]!) place++;
      counts[place]!++;
    }
  }

  /** Edges of magnitudes are multiples of the width, the last one the end; of signed values those of `linspace`. */
  #edges(): Float32Array {
    const bins = this.#counts.length;
    const edges = new Float32Array(bins + 1);
    if (this.#signed) {
      // Zeros alone: numpy counts them over [−0.5, 0.5].
      const end = this.#end === 0 ? 0.5 : this.#end;
      const step = fround(fround(2 * end) / bins);
      for (let edge = 0; edge < bins; edge++) edges[edge] = fround(edge * step) - end;
      edges[bins] = end;
      return edges;
    }
    const [width, end] = this.#end === 0 ? [fround(1 / bins), 1] : [this.#width, this.#end];
    for (let edge = 0; edge < bins; edge++) edges[edge] = edge * width;
    edges[bins] = end;
    return edges;
  }
}

/** numpy's `//` of float32 from 0: the remainder first, then a quotient that is whole. */
function floorDivide(a: number, b: number): number {
  const quotient = fround(fround(a - fround(a % b)) / b);
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

/** Whether there may be so many bins, and the arithmetic of counting stays finite. */
function isRoomy(end: number, bins: number): boolean {
  return bins <= MAX_GRID_BINS && Number.isFinite(fround(end * bins));
}

function unfit(what: string): Error {
  return fail(
    'ERR_QUANTLANE_ARGUMENT',
    `Expected values that fit ${MAX_GRID_BINS} bins of the first batch's width, got ${what}; use grid 'dyadic'`,
  );
}
