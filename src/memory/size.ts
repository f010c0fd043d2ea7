/**
 * Sizes of memory as people write them: `'256MiB'` to bytes and back.
 * @module
 */

import { fail, got } from '../errors.js';

/** Bytes of each unit; a number alone counts bytes. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['kB', 1e3],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
]);

/** Units of the other direction, each 1024 times the one before. */
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/**
 * Bytes of a size. A fraction of a unit, as in `'1.5GiB'`, is rounded to the nearest byte.
 * @param value - a positive integer of bytes, or text such as `'256MiB'`, `'64 MB'`, `'4096'`: KiB, MiB and GiB are
 *   powers of 1024; kB, KB, MB and GB powers of 1000
 * @throws `ERR_QUANTLANE_ARGUMENT` for anything else: zero, a fraction of a byte, an unknown unit.
 */
export function parseSize(value: number | string): number {
  const bytes = typeof value === 'string' ? parseText(value) : value;
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a size in bytes or such as '256MiB', got ${got(value)}`);
}

/**
 * The size in the largest binary unit that it fills, with at most two decimals: `'256 MiB'`, `'1.5 KiB'`, `'12 B'`.
 * @param bytes - from 0
 */
export function formatSize(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (hundredths(value) >= 1024 && unit < BINARY_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${hundredths(value)} ${BINARY_UNITS[unit]}`;
}

/** Bytes of a size in text; NaN for text that is none. */
function parseText(text: string): number {
  const parts = /^(\d+)(\.\d+)?\s*([A-Za-z]*)$/.exec(text.trim());
  if (parts === null) return Number.NaN;
  const [, whole, fraction = '', unit] = parts;
  const factor = UNITS.get(unit!) ?? Number.NaN;
  if (factor === 1 && fraction !== '') return Number.NaN;
  return Math.round(Number(whole + fraction) * factor);
}

/** Rounds to two decimals. */
function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
