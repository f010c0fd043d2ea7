/**
 * Schemes that keep outliers apart.
 * @module
 */
import { fail, got } from '../errors.js';
import { ABSMAX_AXES, misfitOf } from './fixed-axes.js';
import type { Scheme } from './scheme.js';

/** The values at which the other axes of a scheme with outliers stand. */
const AXES = Object.freeze({
  ...ABSMAX_AXES,
  dtype: 'int8',
  rangeIncludesZero: true,
  arithmetic: 'float32',
  apply: 'direct',
  layout: 'planar',
  format: null,
} as const);

/**
 * The same `outliers` of a scheme, checked and frozen.
 * @throws ERR_QUANTLANE_ARGUMENT for what is no threshold, or an axis that does not go with outliers
 */
export function checkOutliers(scheme: Scheme): Scheme['outliers'] {
  const { outliers, codes, granularity, nan } = scheme;
  if (outliers === null) return null;
  const threshold = outliers?.threshold;
  const isStored = threshold === 0 || (Math.fround(threshold) > 0 && Math.fround(threshold) < Number.POSITIVE_INFINITY);
  if (typeof threshold !== 'number' || !isStored) throw wrong('outliers: null or { threshold } from 0', outliers);
  const misfit = misfitOf(scheme, AXES);
  if (misfit !== undefined) throw wrong(`${misfit.expected} for a scheme with outliers`, misfit.actual);
  if (granularity.kind !== 'perToken' || granularity.axis !== -1)
    throw wrong('granularity: perToken for a scheme with outliers', granularity);
  if (codes[0] !== -127 || codes[1] !== 127) throw wrong('codes: [-127, 127] for a scheme with outliers', codes);
  if (nan.code !== 0 || !nan.poisons) throw wrong('nan: { code: 0, poisons: true } for a scheme with outliers', nan);
  return Object.freeze({ threshold });
}

function wrong(expected: string, value: unknown): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected}, got ${got(value)}`);
}
