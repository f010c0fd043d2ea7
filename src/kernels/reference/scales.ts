/**
 * Scales that are powers of two (E8M0) and scales in E4M3FN, by definition.
 * @module
 */
import { exponentOf, roundHalfEven } from '../../numbers.js';
import { PowerRule, ScaleType } from '../../scheme/codes.js';

/** The exponent of a float32, −127 for zero and for subnormal numbers. */
function exponentField(x: number): number {
  return x < 2 ** -126 ? -127 : exponentOf(x);
}

/** The exponent that a rule makes of a positive finite float32; `mantissa` bits are those of the code (equation 29). */
export function powerExponent(rule: PowerRule, x: number, mantissa: number): number {
  const exponent = exponentField(x);
  const isSubnormal = exponent === -127;
  if (rule === PowerRule.ExtentEven) {
    // Half a step of a code, as if it had the exponent of x; from one that is subnormal the sum may become normal.
    const half = 2 ** ((isSubnormal ? -126 : exponent) - 1 - mantissa);
    return exponentField(x + half);
  }
  // A subnormal number has fraction bits, whatever it is.
  if (rule === PowerRule.ExtentCeil) return exponent + (x === 0 || (!isSubnormal && x === 2 ** exponent) ? 0 : 1);
  if (rule !== PowerRule.ScaleCeil) return exponent;
  if (isSubnormal) return x > 2 ** -127 ? -126 : -127;
  return exponent + (x === 2 ** exponent ? 0 : 1);
}

/** The largest power of two that is no larger; zero below the normal numbers, and of infinity or NaN infinity. */
export function powerBelow(x: number): number {
  if (!Number.isFinite(x)) return Number.POSITIVE_INFINITY;
  return x < 2 ** -126 ? 0 : 2 ** exponentOf(x);
}

/** The byte of a scale: the exponent of a power of two, or the nearest E4M3FN from 2^-6 to 448, ties to even. */
export function byteOfScale(type: ScaleType, scale: number): number {
  if (type === ScaleType.E8m0) return Number.isNaN(scale) ? 255 : exponentOf(scale) + 127;
  if (Number.isNaN(scale)) return 0x7f;
  const x = Math.min(Math.max(scale, 2 ** -6), 448);
  const exponent = exponentOf(x);
  return (exponent + 6) * 8 + roundHalfEven(x / 2 ** (exponent - 3));
}

/** The scale of a byte. */
export function scaleOfByte(type: ScaleType, byte: number): number {
  if (type === ScaleType.E8m0) return byte === 255 ? Number.NaN : 2 ** (byte - 127);
  if (byte >= 0x7f) return Number.NaN;
  const fraction = byte & 7;
  return byte < 8 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** ((byte >> 3) - 10);
}
