/**
 * Small floats by definition: what their codes stand for.
 * @module
 */
import { CODE_FACTS, type CodeDtype, type MinifloatFacts } from './code-dtypes.js';

/** The value of a code of a small float: a number, an infinity or NaN. */
export function minifloatValue(float: MinifloatFacts, code: number): number {
  const { exponent, mantissa, bias, special, hasInfinity, isUnsignedZero } = float;
  const signBit = 1 << (exponent + mantissa);
  const sign = code & signBit ? -1 : 1;
  const magnitude = code & (signBit - 1);
  if (magnitude >= special) return hasInfinity && magnitude === special ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (isUnsignedZero && code === signBit) return Number.NaN;
  const power = magnitude >> mantissa;
  const fraction = magnitude & ((1 << mantissa) - 1);
  if (power === 0) return sign * fraction * 2 ** (1 - bias - mantissa);
  return sign * (2 ** mantissa + fraction) * 2 ** (power - bias - mantissa);
}

/** The code, sign aside, of a value that a small float has. */
export function minifloatCode(float: MinifloatFacts, value: number): number {
  const codes = 1 << (float.exponent + float.mantissa);
  for (let code = 0; code < codes; code++) if (minifloatValue(float, code) === value) return code;
  throw new RangeError(`Expected a value of the type, got ${value}`);
}

/** The places of the 4-bit tables of bitsandbytes (`create_normal_map`; `dDequantizeFP4Tree` of csrc/kernels.cu). */
export const TABLES: Readonly<Record<'nf4' | 'fp4', readonly number[]>> = Object.freeze({
  nf4: Object.freeze([
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ]),
  fp4: Object.freeze(
    [0, 0.0625, 8, 12, 4, 6, 2, 3]
      .flatMap((twelfths) => Math.fround(twelfths / 12))
      .concat([0, 0.0625, 8, 12, 4, 6, 2, 3].map((twelfths) => -Math.fround(twelfths / 12))),
  ),
});

/** What a code stands for before scale and zero point, by its type: a number, or NaN or an infinity of a small float. */
export function codeValue(dtype: CodeDtype, code: number): number {
  const { float } = CODE_FACTS[dtype];
  if (float !== undefined) return minifloatValue(float, code);
  return dtype === 'nf4' || dtype === 'fp4' ? TABLES[dtype][code]! : code;
}
