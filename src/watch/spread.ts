/**
 * The smallest and the largest scale and zero point of a tensor.
 * @module
 */
import { fromHalf } from '../memory/index.js';
import type { QuantizedTensor } from '../runtime/index.js';
import { codeValue, type ScaleDtype } from '../scheme/index.js';

/** Parameters that are looked at, evenly spread, where there are more. */
const MOST = 4_096;

/** Smallest and largest of some numbers. */
export interface Spread {
  readonly low: number;
  readonly high: number;
}

/** The scales of a tensor; null where they lie within the blocks of a foreign layout. */
export function scaleSpread({ scale, scheme }: QuantizedTensor): Spread | null {
  return scale === null ? null : spreadOf(scale, (stored) => scaleValue(scheme.scaleDtype, stored));
}

/** The zero points of a tensor; null for a symmetric scheme. */
export function zeroSpread({ zeroPoint }: QuantizedTensor): Spread | null {
  return zeroPoint === null ? null : spreadOf(zeroPoint, (stored) => stored);
}

function spreadOf(numbers: ArrayLike<number>, read: (stored: number) => number): Spread | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const step = Math.max(1, Math.floor(numbers.length / MOST));
  for (let at = 0; at < numbers.length; at += step) {
    const value = read(numbers[at]!);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : null;
}

/** What a stored scale stands for. */
function scaleValue(dtype: ScaleDtype, stored: number): number {
  if (dtype === 'float16') return fromHalf(stored);
  if (dtype === 'float8e8m0') return stored === 255 ? Number.NaN : 2 ** (stored - 127);
  return dtype === 'float8e4m3fn' ? codeValue(dtype, stored) : stored;
}
