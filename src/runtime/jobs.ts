/**
 * The jobs of the runtime's calls: which kind on which addresses.
 * @module
 */

import { fail, got } from '../errors.js';
import type { Lease, Ownership } from '../memory/index.js';
import { Mode, Op, Source } from '../scheme/codes.js';
import { schemeWords } from '../scheme/index.js';
import { writeGiven } from './given.js';
import type { Input } from './input.js';
import { type Job, type JobKind, jobKind, NOWHERE, type WritablePlaces } from './job.js';
import type { Outcome } from './outcome.js';
import { writeColumns } from './outliers.js';
import type { Parts } from './parts.js';
import type { Plan, QuantizeOptions } from './plan.js';
import { packKind } from './plan.js';

/** The range of every parameter's values; it always contains zero. */
export interface RangeResult {
  readonly min: Float32Array;
  readonly max: Float32Array;
  /** Shape of both. */
  readonly shape: readonly number[];
}

/** Codes and parameters of `input`, to `result`; what is given, and outlier columns, are written there first. */
export function quantizeJob(
  plan: Plan,
  options: QuantizeOptions,
  buffer: SharedArrayBuffer,
  input: Input,
  result: Lease,
  columns: ArrayLike<number> = [],
): Job {
  const { parts, layout } = plan;
  const start = result.byteOffset;
  if (parts.outliers >= 0) {
    writeColumns(new Int32Array(buffer, start + parts.outliers, columns.length), columns, layout.length);
  }
  if (plan.source !== Source.Data || parts.tensorScale >= 0 || options.tensorScale !== undefined) {
    writeGiven(plan, options, buffer, start);
  }
  const places = { ...NOWHERE };
  placeResult(places, plan, input.byteOffset, start, seedOf(plan, options));
  return { kind: plan.kind, places };
}

/**
 * Sets the addresses of a quantization from `values` to a result at `start`. Scale and zero point may be scale and outlier
 * columns, whose values lie where the range would. The scales of a block layout lie in its blocks, from the first byte on.
 */
export function placeResult(
  places: WritablePlaces,
  { parts }: Plan,
  values: number,
  start: number,
  seed: number,
): void {
  places.values = values;
  places.codes = start + Math.max(parts.unpacked, 0);
  placeParameters(places, parts, start);
  places.statistics = parts.statistics < 0 ? 0 : start + parts.statistics;
  places.seed = seed;
}

function placeParameters(places: WritablePlaces, parts: Parts, start: number): void {
  const { zeroPoint, outliers, outlierValues, tensorScale, rangeLow, rangeHigh } = parts;
  const zeros = outliers >= 0 ? outliers : zeroPoint;
  places.scale = start + Math.max(parts.scale, 0);
  places.zeroPoint = zeros < 0 ? 0 : start + zeros;
  places.rangeLow = start + rangeLow;
  places.rangeHigh = start + (outliers >= 0 ? outlierValues : rangeHigh);
  places.tensorScale = tensorScale < 0 ? 0 : start + tensorScale;
}

function seedOf({ scheme }: Plan, { seed }: QuantizeOptions): number {
  if (seed === undefined) return scheme.seed;
  if (Number.isInteger(seed) && seed === (seed | 0)) return seed;
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected an int32 as seed, got ${got(seed)}`);
}

/** Codes of a byte each, which `quantizeJob` wrote to `result`, to codes that share bytes. */
export function packJob({ packing, parts }: Plan, result: Lease): Job {
  const start = result.byteOffset;
  return { kind: packing!, places: { ...NOWHERE, values: start + parts.unpacked, codes: start } };
}

/** Codes that share bytes to codes of a byte each, at the address `to`. */
export function unpackJob(plan: Plan, codes: Ownership, to: number): Job {
  const kind = packKind(plan, Mode.Dequantize);
  return { kind, places: { ...NOWHERE, values: to, codes: codes.byteOffset } };
}

/** The values of codes and their parameters in `quantized`, to `result`; codes that share bytes lie unpacked at `codes`. */
export function dequantizeJob(plan: Plan, quantized: Ownership, codes: number, result: Lease): Job {
  const places = { ...NOWHERE, values: result.byteOffset, codes };
  placeParameters(places, plan.parts, quantized.byteOffset);
  return { kind: dequantizeKind(plan), places };
}

/** The kind of job that reads what a plan wrote, by plan: codes of one plan are often read again and again. */
const dequantizeKinds = new WeakMap<Plan, JobKind>();

function dequantizeKind(plan: Plan): JobKind {
  const known = dequantizeKinds.get(plan);
  if (known !== undefined) return known;
  const kind = jobKind(Mode.Dequantize, Source.Given, plan.layout, schemeWords(plan.scheme, 'float32'), false);
  dequantizeKinds.set(plan, kind);
  return kind;
}

/** The ranges of `input`: all smallest values, then all largest ones, to `result`. */
export function rangeJob(plan: Plan, input: Input, result: Lease): Job {
  const rangeLow = result.byteOffset;
  // The ranges of blocks, or of rows whose outliers are kept apart, are those of any segments.
  const { op } = plan.layout;
  const layout = op === Op.Blocks || op === Op.Outliers ? { ...plan.layout, op: Op.Segments } : plan.layout;
  return {
    kind: jobKind(Mode.Range, Source.Data, layout, schemeWords(plan.scheme, plan.dtype), false),
    places: { ...NOWHERE, values: input.byteOffset, rangeLow, rangeHigh: rangeLow + plan.layout.parameters * 4 },
  };
}

/** What a range job found. */
export function readRange(plan: Plan, outcome: Outcome, buffer: SharedArrayBuffer, result: Lease): RangeResult {
  const { parameters, parameterShape: shape, op } = plan.layout;
  if (op === Op.Tensor) {
    const ends = new Float32Array(Int32Array.of(outcome.low, outcome.high).buffer);
    return { min: ends.slice(0, 1), max: ends.slice(1), shape };
  }
  const ends = new Float32Array(buffer, result.byteOffset, parameters * 2);
  // Copied to ordinary memory, for the lease goes back.
  return {
    min: new Float32Array(ends.subarray(0, parameters)),
    max: new Float32Array(ends.subarray(parameters)),
    shape,
  };
}
