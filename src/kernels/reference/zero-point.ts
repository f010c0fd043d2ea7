/**
 * The zero point of an affine scheme (equations 11, 12 and 22 to 24).
 * @module
 */
import { Storage, ZeroPointRule } from '../../scheme/codes.js';
import { Word } from '../../scheme/descriptor.js';
import type { Descriptor } from './descriptor.js';
import { round } from './rounding.js';

const { fround } = Math;

/** What a zero point follows from. */
export interface Fit {
  /** The range, both float32. */
  readonly bottom: number;
  readonly top: number;
  readonly scale: number;
  readonly multiplier: number;
}

/**
 * The zero point by the rule of `d`; 0 for a symmetric scheme. It is clamped to the codes that it is chosen among, or
 * to int32 where it is stored as that; NaN becomes the largest such code, or 0.
 */
export function deriveZeroPoint(d: Descriptor, fit: Fit): number {
  const rule = d.int(Word.ZeroPointRule);
  if (rule === ZeroPointRule.None) return 0;
  const lo = d.int(Word.LowZero);
  const hi = d.int(Word.HighZero);
  const isWide = d.int(Word.ZeroPointStorage) === Storage.Int32;
  const rounding = d.int(Word.ZeroRounding);
  const z = exact(d, rule, fit, lo, hi);
  if (Number.isNaN(z)) return isWide ? 0 : hi;
  const [least, most] = isWide ? [-2147483648, 2147483647] : [lo, hi];
  // No zero point is −0.
  return round(rounding, Math.min(Math.max(z, least), most)) + 0;
}

/** The zero point before it is clamped and rounded. */
function exact(d: Descriptor, rule: ZeroPointRule, fit: Fit, lo: number, hi: number): number {
  const { bottom, top } = fit;
  const scale = fround(fit.scale);
  switch (rule) {
    case ZeroPointRule.RoundLast:
      return fround(fround(lo) - fround(bottom / scale));
    case ZeroPointRule.RoundFirst:
      return fround(fround(lo) - fround(round(d.int(Word.ZeroRounding), fround(bottom / scale))));
    case ZeroPointRule.SignTest:
      return bySign(lo, hi, fround(bottom * fit.multiplier), fround(top * fit.multiplier));
    case ZeroPointRule.SignTestQuotient:
      return bySign(lo, hi, fround(bottom / scale), fround(top / scale));
    default: {
      const sign = rule === ZeroPointRule.NearestSum ? 1 : -1;
      const low = bottom / fit.scale;
      const high = top / fit.scale;
      const lowError = Math.abs(lo) + sign * Math.abs(low);
      const highError = Math.abs(hi) + sign * Math.abs(high);
      return lowError < highError ? lo - low : hi - high;
    }
  }
}

/** Equation 12: from the end that the sum of both errors points to. */
function bySign(lo: number, hi: number, low: number, high: number): number {
  const sum = fround(fround(lo + low) + fround(hi + high));
  return sum > 0 ? fround(lo - low) : fround(hi - high);
}
