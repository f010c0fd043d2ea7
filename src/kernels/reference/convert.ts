/**
 * From values to codes and back, on arrays.
 * @module
 */
import { Apply, NonFinite, Rounding, Word } from '../../scheme/codes.js';
import type { Descriptor } from './descriptor.js';
import type { Parameters } from './parameters.js';
import { roundHalfAway, roundHalfEven } from './rounding.js';

const { fround } = Math;

/**
 * The codes of `count` values: scaled, clamped to the codes, rounded, zero point added (equations 2 to 5). A quotient
 * that is NaN has a code of its own. Under `saturate`, NaN counts as zero and an infinity as the end of the range.
 */
export function encode(
  d: Descriptor,
  parameters: Parameters,
  values: Float32Array,
  count: number,
  codes: Int32Array,
): void {
  const { multiplier, zeroPoint, largest, smallest } = parameters;
  const divides = d.int(Word.Apply) === Apply.Divide;
  const toEven = d.int(Word.Rounding) === Rounding.HalfEven;
  const saturates = d.int(Word.NonFinite) === NonFinite.Saturate;
  const nanCode = d.int(Word.NanCode);
  const lowest = fround(d.int(Word.LowCode) - zeroPoint);
  const highest = fround(d.int(Word.HighCode) - zeroPoint);
  for (let i = 0; i < count; i++) {
    let x = values[i]!;
    if (saturates && !Number.isFinite(x)) x = Number.isNaN(x) ? 0 : x > 0 ? largest : smallest;
    const v = fround(divides ? x / multiplier : x * multiplier);
    if (Number.isNaN(v)) codes[i] = nanCode;
    else if (v <= lowest) codes[i] = lowest + zeroPoint;
    else if (v >= highest) codes[i] = highest + zeroPoint;
    else codes[i] = (toEven ? roundHalfEven(v) : roundHalfAway(v)) + zeroPoint;
  }
}

/** The values of `count` codes: `(code − zeroPoint) · scale` (equation 14). */
export function decode(parameters: Parameters, codes: Int32Array, count: number, values: Float32Array): void {
  const { storedScale, zeroPoint } = parameters;
  for (let i = 0; i < count; i++) values[i] = fround((codes[i]! - zeroPoint) | 0) * storedScale;
}
