/**
 * Parameters of four columns or blocks at a time, from the bits of their ranges.
 */
import { zeroOffset } from './codes';
import { multiplier, zeroPoint } from './parameters';
import { deriveFast } from './runs';
import { deriveSymmetric, fourSymmetric, isSymmetric } from './symmetric';

/** Multipliers of the four that `deriveFour` looked at, and what `zeroOffset` makes of their zero points. */
export let fourMultipliers: v128 = i32x4.splat(0);
export let fourOffsets: v128 = i32x4.splat(0);
/** Whether the scheme is one that `symmetric` knows. */
let knowsScheme: bool = false;
/** Whether all may go fast so far. */
let isFast: bool = false;

/** Chooses how the parameters of `d` are derived. */
export function chooseDerivation(d: usize): void {
  knowsScheme = isSymmetric(d);
}

/** Sets and stores the parameters `index` to `index` + 3; whether all may go fast. */
// @ts-ignore: decorator
@inline
export function deriveFour<W>(d: usize, h: v128, l: v128, index: usize): bool {
  return derived<W>(d, h, l, index);
}

function derived<W>(d: usize, h: v128, l: v128, index: usize): bool {
  if (knowsScheme) {
    fourOffsets = i32x4.splat(zeroOffset<W>(d, 0));
    if (!deriveSymmetric(d, h, l, index)) return false;
    fourMultipliers = fourSymmetric;
    return true;
  }
  isFast = true;
  one(d, i32x4.extract_lane(h, 0), i32x4.extract_lane(l, 0), index);
  fourMultipliers = f32x4.splat(multiplier);
  fourOffsets = i32x4.splat(zeroOffset<W>(d, zeroPoint));
  one(d, i32x4.extract_lane(h, 1), i32x4.extract_lane(l, 1), index + 1);
  fourMultipliers = f32x4.replace_lane(fourMultipliers, 1, multiplier);
  fourOffsets = i32x4.replace_lane(fourOffsets, 1, zeroOffset<W>(d, zeroPoint));
  one(d, i32x4.extract_lane(h, 2), i32x4.extract_lane(l, 2), index + 2);
  fourMultipliers = f32x4.replace_lane(fourMultipliers, 2, multiplier);
  fourOffsets = i32x4.replace_lane(fourOffsets, 2, zeroOffset<W>(d, zeroPoint));
  one(d, i32x4.extract_lane(h, 3), i32x4.extract_lane(l, 3), index + 3);
  fourMultipliers = f32x4.replace_lane(fourMultipliers, 3, multiplier);
  fourOffsets = i32x4.replace_lane(fourOffsets, 3, zeroOffset<W>(d, zeroPoint));
  return isFast;
}

function one(d: usize, highBits: i32, lowBits: i32, index: usize): void {
  isFast = isFast && deriveFast(d, highBits, lowBits, index);
}
