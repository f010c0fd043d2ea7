/**
 * Smallest and largest values of the channels of a batch.
 * @module
 */
import { fail } from '../errors.js';
import { productOf } from '../numbers.js';
import { type Granularity, perChannel, perTensor } from '../scheme/index.js';
import type { Fields } from './fields.js';
import type { Range } from './observer.js';
import { type Reading, runsOf } from './reading.js';

/** The most parameters of a tensor. */
export const MAX_PARAMETERS = 2 ** 22;

/** The granularities that a range is calibrated for: others have no parameters before their values. */
export type CalibratedGranularity = Extract<Granularity, { readonly kind: 'perTensor' | 'perChannel' }>;

/** The option `granularity`, by default `perTensor`. */
export function granularityOption(fields: Fields): CalibratedGranularity {
  if (!fields.has('granularity')) return perTensor as CalibratedGranularity;
  const granularity = fields.object('granularity');
  if (granularity.choice('kind', ['perTensor', 'perChannel']) === 'perTensor') {
    granularity.only('kind');
    return perTensor as CalibratedGranularity;
  }
  const axis = granularity.only('kind', 'axis').integer('axis', { least: -8, most: 7 });
  return perChannel(axis) as CalibratedGranularity;
}

/** What a batch is, by a first look at all of it. */
export interface Survey extends Range {
  /** Values of the batch. */
  readonly elements: number;
  /** Values that are not finite, and the index of the first; −1 where all are. */
  readonly bad: number;
  readonly firstBad: number;
}

/**
 * The range of each channel of a batch, (∞, −∞) for a channel without a finite value, and the values that are not
 * finite, which are left out. Zeros are +0, so that their order does not matter.
 * @param elements - values of the batch
 * @param shape - needed for a range a channel
 * @throws `ERR_QUANTLANE_SHAPE` where the shape is missing or has no such axis
 */
export function* survey(
  granularity: CalibratedGranularity,
  elements: number,
  shape: readonly number[] | undefined,
): Reading<Survey> {
  const { count, inner } = channelsOf(granularity, elements, shape);
  const min = new Float32Array(count).fill(Infinity);
  const max = new Float32Array(count).fill(-Infinity);
  let bad = 0;
  let firstBad = -1;
  for (const run of runsOf(elements)) {
    const values = yield run;
    let channel = Math.floor(run.first / inner) % count;
    let end = inner - (run.first % inner);
    for (let index = 0; index < values.length; end += inner) {
      let low = min[channel]!;
      let high = max[channel]!;
      for (const stop = Math.min(end, values.length); index < stop; index++) {
        const value = values[index]!;
        if (value - value !== 0) {
          if (bad++ === 0) firstBad = run.first + index;
          continue;
        }
        if (value < low) low = value;
        if (value > high) high = value;
      }
      // −0 + 0 is +0.
      min[channel] = low + 0;
      max[channel] = high + 0;
      channel = channel + 1 === count ? 0 : channel + 1;
    }
  }
  return { min, max, elements, bad, firstBad };
}

/**
 * Passes a batch with as many channels as those before.
 * @param before - the ranges of those; undefined for none
 * @throws `ERR_QUANTLANE_SHAPE`
 */
export function checkChannels({ min: { length } }: Survey, before: Range | undefined): void {
  if (before === undefined || before.min.length === length) return;
  throw fail('ERR_QUANTLANE_SHAPE', `Expected ${before.min.length} channels as before, got ${length}`);
}

/** How many channels there are, and how many values of one stand together. */
function channelsOf(
  granularity: CalibratedGranularity,
  elements: number,
  shape: readonly number[] | undefined,
): { readonly count: number; readonly inner: number } {
  if (granularity.kind === 'perTensor') return { count: 1, inner: elements };
  const { axis } = granularity;
  const index = axis < 0 ? axis + (shape?.length ?? 0) : axis;
  const count = shape?.[index];
  if (shape === undefined || count === undefined) {
    const actual = shape === undefined ? 'none' : `[${shape.join(', ')}]`;
    throw fail('ERR_QUANTLANE_SHAPE', `Expected a shape with axis ${axis}, got ${actual}`);
  }
  if (count > MAX_PARAMETERS) {
    throw fail('ERR_QUANTLANE_SHAPE', `Expected at most ${MAX_PARAMETERS} channels, got ${count}`);
  }
  return { count, inner: productOf(shape.slice(index + 1)) };
}

/** The range with [0, 0] for channels that had no finite value. */
export function closed({ min, max }: Range): Range {
  const isEmpty = (index: number): boolean => min[index]! > max[index]!;
  return {
    min: min.map((value, index) => (isEmpty(index) ? 0 : value)),
    max: max.map((value, index) => (isEmpty(index) ? 0 : value)),
  };
}

/** Ranges as JSON; null for both ends of a channel without a value. */
export function rangesToJson({ min, max }: Range): { min: (number | null)[]; max: (number | null)[] } {
  const list = (values: Float32Array): (number | null)[] =>
    Array.from(values, (value) => (Number.isFinite(value) ? value : null));
  return { min: list(min), max: list(max) };
}

/** The way back of `rangesToJson`, for as many parameters as the granularity has. */
export function rangesFromJson(granularity: CalibratedGranularity, fields: Fields): Range {
  const most = granularity.kind === 'perTensor' ? 1 : MAX_PARAMETERS;
  const min = fields.only('min', 'max').floats('min', 1, most, Infinity);
  const max = fields.floats('max', min.length, min.length, -Infinity);
  for (let index = 0; index < min.length; index++) {
    const isEmpty = min[index] === Infinity && max[index] === -Infinity;
    if (!isEmpty && !(min[index]! <= max[index]! && min[index]! < Infinity && max[index]! > -Infinity)) {
      throw fields.wrong('min not above max', `${min[index]} and ${max[index]} at ${index}`);
    }
  }
  return { min, max };
}
