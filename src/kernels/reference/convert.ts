/**
 * From values to codes and back, on arrays.
 * @module
 */
import { fromHalf, toHalf } from '../../memory/index.js';
import { Added, Apply, Element, NonFinite, Rounding, ZeroPointRule } from '../../scheme/codes.js';
import { Word } from '../../scheme/descriptor.js';
import { chanceOf } from './chance.js';
import type { Descriptor } from './descriptor.js';
import { codecOf } from './elements.js';
import type { Parameters } from './parameters.js';
import { round } from './rounding.js';

const { fround } = Math;

/** The ends of int32, which a rounded value saturates to before the zero point is added. */
const MIN_INT32 = -2147483648;
const MAX_INT32 = 2147483647;

/** Where values lie in their tensor. */
export interface Place {
  /** Index of the first value, and the distance of the next. */
  readonly element: number;
  readonly step: number;
  /** Whether they are a last block that is shorter, whose values some schemes divide. */
  readonly isRagged: boolean;
}

/** Values scaled by the rule of `d`, in float32 (equations 2 and 28). */
function scaler(d: Descriptor, parameters: Parameters, { isRagged }: Place): (x: number) => number {
  const { multiplier, wideMultiplier, scale, minimum } = parameters;
  const apply = d.int(Word.Apply);
  const span = d.int(Word.HighCode) - d.int(Word.LowCode);
  if (apply === Apply.Divide) return (x) => fround(fround(x - minimum) / multiplier);
  if (apply === Apply.DivideHalf) return (x) => fromHalf(toHalf(fround(x / multiplier)));
  if (apply === Apply.Unit) {
    return (x) => fround(Math.min(Math.max(fround(fround(x - minimum) / multiplier), 0), 1) * span);
  }
  if (isRagged && d.int(Word.RaggedDivides) !== 0) return (x) => fround(x / scale);
  // The inverse of the smallest fixed-point scale is beyond float32, but its products need not be.
  if (multiplier === Infinity && d.real(Word.Step) !== 1) return (x) => fround(x * wideMultiplier);
  return (x) => fround(x * multiplier);
}

/**
 * The codes of `count` values: scaled, rounded, zero point added, clamped to the codes (equations 2 to 5 and 25), or made
 * a small float or a place in a table (26 and 27). A quotient that is NaN has a code of its own. Under `saturate`, NaN
 * counts as zero and an infinity as the end of the range.
 */
export function encode(
  d: Descriptor,
  parameters: Parameters,
  values: Float32Array,
  count: number,
  codes: Int32Array,
  place: Place,
): void {
  const { wideMultiplier, zeroPoint, largest, smallest } = parameters;
  const scale = scaler(d, parameters, place);
  const codec = d.int(Word.Element) === Element.Integer ? undefined : codecOf(d);
  const added = d.int(Word.Added);
  const rounding = d.int(Word.Rounding);
  const saturates = d.int(Word.NonFinite) === NonFinite.Saturate;
  const nanCode = d.int(Word.NanCode);
  const lowest = d.int(Word.LowCode);
  const highest = d.int(Word.HighCode);
  const seed = d.int(Word.Seed);
  const zeroAsFloat = fround(zeroPoint);
  for (let i = 0; i < count; i++) {
    let x = values[i]!;
    if (saturates && !Number.isFinite(x)) x = Number.isNaN(x) ? 0 : x > 0 ? largest : smallest;
    let v = added === Added.BeforeWide ? x * wideMultiplier + zeroPoint : scale(x);
    if (added === Added.Before) v = fround(v + zeroAsFloat);
    if (Number.isNaN(v)) {
      codes[i] = nanCode;
      continue;
    }
    if (codec !== undefined) {
      codes[i] = codec.codeOf(v);
      continue;
    }
    const near = Math.min(Math.max(v, MIN_INT32), MAX_INT32);
    const index = place.element + i * place.step;
    const integer = rounding === Rounding.Stochastic ? byChance(near, chanceOf(seed, index)) : round(rounding, near);
    const code = added === Added.After ? integer + zeroPoint : integer;
    codes[i] = Math.min(Math.max(code, lowest), highest);
  }
}

/** Up, where the fraction is above chance. */
function byChance(v: number, chance: number): number {
  const down = Math.floor(v);
  return v - down > chance ? down + 1 : down;
}

/**
 * The values of `count` codes: `(code − zeroPoint) · scale` (equation 14); of codes from a minimum, steps or middles of
 * steps above it (28); of small floats and places in a table what these stand for, times the scale.
 */
export function decode(
  d: Descriptor,
  parameters: Parameters,
  codes: Int32Array,
  count: number,
  values: Float32Array,
): void {
  const { storedScale, zeroPoint, minimum } = parameters;
  if (d.int(Word.Element) !== Element.Integer) {
    const numbers = codecOf(d).values;
    for (let i = 0; i < count; i++) values[i] = numbers[codes[i]! & 255]! * storedScale;
  } else if (d.int(Word.ZeroPointRule) === ZeroPointRule.Minimum) {
    const isMiddle = d.int(Word.Apply) === Apply.Unit;
    for (let i = 0; i < count; i++) {
      const steps = codes[i]! - zeroPoint;
      values[i] = fround((isMiddle ? fround((steps + 0.5) / 255) : steps) * storedScale) + minimum;
    }
  } else {
    for (let i = 0; i < count; i++) values[i] = fround((codes[i]! - zeroPoint) | 0) * storedScale;
  }
}
