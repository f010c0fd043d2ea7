/**
 * Values that a request has within its JSON part.
 * @module
 */
import { fail, got } from '../errors.js';

/**
 * Writes numbers, in nested arrays or one, to a view.
 * @throws ERR_QUANTLANE_SHAPE for another count of them, ERR_QUANTLANE_FORMAT for what is no number
 */
export function writeValues(data: unknown, to: Float32Array): void {
  const written = write(data, to, 0);
  if (written !== to.length) throw wrongCount(to.length, written);
}

function write(data: unknown, to: Float32Array, at: number): number {
  if (!Array.isArray(data)) throw fail('ERR_QUANTLANE_FORMAT', `Expected data: arrays of numbers, got ${got(data)}`);
  let next = at;
  for (const each of data) {
    if (typeof each !== 'number') next = write(each, to, next);
    else if (next === to.length) throw wrongCount(to.length, next + 1);
    else to[next++] = each;
  }
  return next;
}

function wrongCount(expected: number, actual: number): Error {
  return fail(
    'ERR_QUANTLANE_SHAPE',
    `Expected ${expected} numbers as data, got ${actual}${actual > expected ? ' or more' : ''}`,
  );
}
