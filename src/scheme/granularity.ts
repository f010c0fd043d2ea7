/**
 * Which values share one scale and zero point.
 * @module
 */
import { fail, got } from '../errors.js';

/** Which values share one scale and zero point. */
export type Granularity =
  | { readonly kind: 'perTensor' }
  | { readonly kind: 'perToken'; readonly axis: number }
  | { readonly kind: 'perChannel'; readonly axis: number }
  | { readonly kind: 'perBlock'; readonly size: number; readonly axis: number | null };

/** One parameter for the whole tensor. Its bytes depend on every value, so it is not batch-invariant. */
export const perTensor: Granularity = Object.freeze({ kind: 'perTensor' });

/** A parameter for every row of the last axis: for every token of an activation `[tokens, features]`. */
export const perToken: Granularity = Object.freeze({ kind: 'perToken', axis: -1 });

/**
 * A parameter for every row along another axis: all values that differ in their index of it only.
 * @param axis from 0, or from −1 for the last
 * @throws ERR_QUANTLANE_ARGUMENT where `axis` is not an integer
 */
export function perRow(axis: number): Granularity {
  return Object.freeze({ kind: 'perToken', axis: integer('axis', axis) });
}

/**
 * A parameter for every index of one axis.
 * @param axis from 0, or from −1 for the last
 * @throws ERR_QUANTLANE_ARGUMENT where `axis` is not an integer
 */
export function perChannel(axis: number): Granularity {
  return Object.freeze({ kind: 'perChannel', axis: integer('axis', axis) });
}

/**
 * A parameter for every `size` consecutive values along one axis; the last block may be shorter.
 * @param size values a block, at least 1
 * @param axis from 0, or from −1 (default) for the last; null for blocks of the whole tensor, row after row
 * @throws ERR_QUANTLANE_ARGUMENT where a number is not an integer or `size` is below 1
 */
export function perBlock(size: number, axis: number | null = -1): Granularity {
  if (integer('block size', size) < 1) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a block size of at least 1, got ${got(size)}`);
  }
  return Object.freeze({ kind: 'perBlock', size, axis: axis === null ? null : integer('axis', axis) });
}

function integer(name: string, value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) return value;
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected an integer as ${name}, got ${got(value)}`);
}

/** `perBlock(32)` and the like: how a granularity is shown. */
export function describeGranularity(granularity: Granularity): string {
  if (granularity.kind === 'perChannel') return `perChannel(${granularity.axis})`;
  if (granularity.kind === 'perTensor') return granularity.kind;
  if (granularity.kind === 'perToken') return granularity.axis === -1 ? 'perToken' : `perRow(${granularity.axis})`;
  return granularity.axis === -1
    ? `perBlock(${granularity.size})`
    : `perBlock(${granularity.size}, ${granularity.axis})`;
}
