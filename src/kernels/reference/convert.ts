/**
 * From values to codes and back, on arrays.
 * @module
 */
import { Apply, NonFinite } from '../../scheme/codes.js';
import { Word } from '../../scheme/descriptor.js';
import { Added } from '../../scheme/precision.js';
import type { Descriptor } from './descriptor.js';
import type { Parameters } from './parameters.js';
import { round } from './rounding.js';

const { fround } = Math;

/** The ends of int32, which a rounded value saturates to before the zero point is added. */
const MIN_INT32 = -2147483648;
const MAX_INT32 = 2147483647;

/**
 * The codes of `count` values: scaled, rounded, zero point added, clamped to the codes (equations 2 to 5 and 25). A
 * quotient that is NaN has a code of its own. Under `saturate`, NaN counts as zero and an infinity as the end of the
 * range.
 */
export function encode(
  d: Descriptor,
  parameters: Parameters,
  values: Float32Array,
  count: number,
  codes: Int32Array,
): void {
  const { multiplier, wideMultiplier, zeroPoint, largest, smallest } = parameters;
  const divides = d.int(Word.Apply) === Apply.Divide;
  const added = d.int(Word.Added);
  const rounding = d.int(Word.Rounding);
  const saturates = d.int(Word.NonFinite) === NonFinite.Saturate;
  const nanCode = d.int(Word.NanCode);
  const lowest = d.int(Word.LowCode);
  const highest = d.int(Word.HighCode);
  const zeroAsFloat = fround(zeroPoint);
  for (let i = 0; i < count; i++) {
    let x = values[i]!;
    if (saturates && !Number.isFinite(x)) x = Number.isNaN(x) ? 0 : x > 0 ? largest : smallest;
    let v: number;
    if (added === Added.BeforeWide) v = x * wideMultiplier + zeroPoint;
    else v = fround(divides ? x / multiplier : x * multiplier);
    if (added === Added.Before) v = fround(v + zeroAsFloat);
    if (Number.isNaN(v)) {
      codes[i] = nanCode;
      continue;
    }
    const integer = round(rounding, Math.min(Math.max(v, MIN_INT32), MAX_INT32));
    const code = added === Added.After ? integer + zeroPoint : integer;
    codes[i] = Math.min(Math.max(code, lowest), highest);
  }
}

/** The values of `count` codes: `(code − zeroPoint) · scale` (equation 14). */
export function decode(parameters: Parameters, codes: Int32Array, count: number, values: Float32Array): void {
  const { storedScale, zeroPoint } = parameters;
  for (let i = 0; i < count; i++) values[i] = fround((codes[i]! - zeroPoint) | 0) * storedScale;
}
