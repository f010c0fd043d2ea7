/**
 * Error statistics of a quantized tensor, from the records that the kernels wrote.
 * @module
 */
import { decibels } from '../numbers.js';
import { Size } from '../scheme/descriptor.js';

/** How far the codes are from the values (equations 15 to 18 of docs/quantization.md). */
export interface ErrorStatistics {
  /** Sum of squared values. */
  readonly signal: number;
  /** Sum of squared errors. */
  readonly noise: number;
  /** Signal to quantization noise in dB: 10·log10(signal / noise); Infinity without error. */
  readonly sqnr: number;
  /** Largest absolute error. */
  readonly maxError: number;
  /** Codes at an end of their range whose error is more than half a step. */
  readonly saturated: number;
}

/** Adds up `units` records. The order is fixed, so the sums are the same on any number of lanes. */
export function gatherStatistics(records: Float64Array, units: number): ErrorStatistics {
  let noise = 0;
  let signal = 0;
  let maxError = 0;
  let saturated = 0;
  for (let unit = 0; unit < units; unit++) {
    const at = unit * Size.StatisticsDoubles;
    noise += records[at]! + records[at + 1]! + (records[at + 2]! + records[at + 3]!);
    signal += records[at + 4]! + records[at + 5]! + (records[at + 6]! + records[at + 7]!);
    const largest = records[at + 8]!;
    if (largest > maxError || Number.isNaN(largest)) maxError = largest;
    saturated += records[at + 9]!;
  }
  return { signal, noise, sqnr: decibels(signal, noise), maxError, saturated };
}

/** The statistics of two parts together. */
export function mergeStatistics(a: ErrorStatistics, b: ErrorStatistics): ErrorStatistics {
  const signal = a.signal + b.signal;
  const noise = a.noise + b.noise;
  return {
    signal,
    noise,
    sqnr: decibels(signal, noise),
    maxError: Math.max(a.maxError, b.maxError),
    saturated: a.saturated + b.saturated,
  };
}

/** The statistics of nothing. */
export const NO_ERROR: ErrorStatistics = Object.freeze({
  signal: 0,
  noise: 0,
  sqnr: Number.POSITIVE_INFINITY,
  maxError: 0,
  saturated: 0,
});
