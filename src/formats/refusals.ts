/**
 * The sentences for a file that is refused.
 * @module
 */

import { type ErrorDetails, fail, type QuantlaneError } from '../errors.js';

/** The most characters of a hostile name that a message repeats. */
const MAX_QUOTED = 80;

/**
 * The error for a file that is not what its format says.
 * @param where - the file's path, or what was parsed
 * @param sentence - "Expected X, got Y", with no full stop
 */
export function refuse(
  where: string,
  sentence: string,
  options?: { details?: ErrorDetails; cause?: unknown },
): QuantlaneError {
  return fail('ERR_QUANTLANE_FORMAT', `${where}: ${sentence}`, options);
}

/**
 * The error for a file that ends too early.
 * @param expected - bytes that the file must have, at least
 * @param actual - bytes that it has
 */
export function truncated(where: string, expected: number, actual: number): QuantlaneError {
  return refuse(where, `Expected at least ${expected} bytes, got ${actual}: the file is truncated`, {
    details: { expected, actual },
  });
}

/** A name from a file, in quotes for a message: control characters escaped, a long name cut. */
export function quote(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTED ? `${name.slice(0, MAX_QUOTED)}...` : name);
}

/**
 * A value from a file for the second half of a message. It never converts an object, whose keys the file chose.
 */
export function describe(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** The short form of a system error for a message, such as `ENOENT`. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}
