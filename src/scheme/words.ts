/**
 * The words of a descriptor that follow from the scheme alone.
 * @module
 */

import { BLOCK_FORMATS } from './block-formats.js';
import { CODE_FACTS, isIntegerCode } from './code-dtypes.js';
import {
  Added,
  Apply,
  Arithmetic,
  Dtype,
  NonFinite,
  Packing,
  PowerRule,
  Quantity,
  Rounding,
  ScaleForm,
  ScaleType,
  Storage,
  ZeroPointRule,
} from './codes.js';
import { Size, Word } from './descriptor.js';
import { minifloatCode, minifloatValue } from './minifloat.js';
import { type Scheme, scaleBytes, zeroPointDtype } from './scheme.js';

/** Codes of the types of values. */
export const DTYPE = { float32: Dtype.Float32, float16: Dtype.Float16, bfloat16: Dtype.Bfloat16 };
const STORAGE = {
  int8: Storage.Int8,
  uint8: Storage.Uint8,
  int16: Storage.Int16,
  uint16: Storage.Uint16,
  int32: Storage.Int32,
  float32: Storage.Float32,
};
const APPLY = {
  divide: Apply.Divide,
  reciprocal: Apply.Reciprocal,
  direct: Apply.Direct,
  'divide-float16': Apply.DivideHalf,
  unit: Apply.Unit,
};
const POWER = {
  none: PowerRule.None,
  'extent-floor': PowerRule.ExtentFloor,
  'extent-even': PowerRule.ExtentEven,
  'extent-ceil': PowerRule.ExtentCeil,
  'scale-ceil': PowerRule.ScaleCeil,
  'multiplier-floor': PowerRule.MultiplierFloor,
};
const FORM = { divide: ScaleForm.Divide, reciprocal: ScaleForm.Reciprocal, inverse: ScaleForm.Inverse };
const ROUNDING = {
  'half-even': Rounding.HalfEven,
  'half-away': Rounding.HalfAway,
  truncate: Rounding.Truncate,
  floor: Rounding.Floor,
  stochastic: Rounding.Stochastic,
};
const ADDED = { after: Added.After, before: Added.Before, 'before-float64': Added.BeforeWide };
const ARITHMETIC = { float32: Arithmetic.Float32, float64: Arithmetic.Float64, mixed: Arithmetic.Mixed };
const SCALE = {
  float32: ScaleType.Float32,
  float16: ScaleType.Float16,
  float64: ScaleType.Float64,
  float8e8m0: ScaleType.E8m0,
  float8e4m3fn: ScaleType.E4m3,
};
const ZERO_POINT = {
  none: ZeroPointRule.None,
  'round-last': ZeroPointRule.RoundLast,
  'sign-test': ZeroPointRule.SignTest,
  'round-first': ZeroPointRule.RoundFirst,
  'sign-test-quotient': ZeroPointRule.SignTestQuotient,
  'nearest-sum': ZeroPointRule.NearestSum,
  'nearest-difference': ZeroPointRule.NearestDifference,
  minimum: ZeroPointRule.Minimum,
};
const QUANTITY = {
  extent: Quantity.Extent,
  scale: Quantity.Scale,
  'scale-and-range': Quantity.ScaleAndRange,
  reciprocal: Quantity.Reciprocal,
};
const NON_FINITE = { error: NonFinite.Error, saturate: NonFinite.Saturate, propagate: NonFinite.Propagate };

/** Of `Word.ZeroZero`: the zero point is that of the rule. */
const BY_RULE = -0x80000000;

const scratch = new DataView(new ArrayBuffer(4));

function bits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getInt32(0);
}

const cache = new WeakMap<Scheme, Map<string, Int32Array>>();

/**
 * Words `Size.SchemeWords` to the end of a descriptor for values of `dtype`. The array is shared: copy it, do not
 * write to it.
 */
export function schemeWords(scheme: Scheme, dtype: keyof typeof DTYPE): Int32Array {
  const known = cache.get(scheme)?.get(dtype);
  if (known !== undefined) return known;
  const words = wordsOf(scheme, dtype);
  const byDtype = cache.get(scheme) ?? new Map<string, Int32Array>();
  cache.set(scheme, byDtype.set(dtype, words));
  return words;
}

function wordsOf(scheme: Scheme, dtype: keyof typeof DTYPE): Int32Array {
  const words = new Int32Array(Size.DescriptorWords);
  words[Word.Dtype] = DTYPE[dtype];
  words[Word.Storage] = STORAGE[CODE_FACTS[scheme.dtype].storage];
  words[Word.Apply] = APPLY[scheme.apply];
  words[Word.Rounding] = ROUNDING[scheme.rounding];
  words[Word.ScaleForm] = FORM[scheme.scaleForm];
  words[Word.Divisor] = bits(scheme.divisor);
  words[Word.Symmetric] = scheme.symmetric ? 1 : 0;
  words[Word.FloorOn] = scheme.floor === null ? Quantity.None : QUANTITY[scheme.floor.on];
  words[Word.Floor] = bits(scheme.floor?.value ?? 0);
  words[Word.ZeroTest] = scheme.allZero === null ? Quantity.None : QUANTITY[scheme.allZero.on];
  words.set(new Int32Array(Float64Array.of(scheme.allZero?.scale ?? 0).buffer), Word.ZeroScale);
  words[Word.ZeroZero] = scheme.allZero?.zeroPoint ?? BY_RULE;
  words[Word.ZeroMultiplier] = bits(scheme.allZero?.multiplier ?? 0);
  words[Word.ZeroPointRule] = ZERO_POINT[scheme.zeroPointRule];
  words[Word.ZeroRounding] = ROUNDING[scheme.zeroPointRounding];
  if (isIntegerCode(scheme.dtype)) words.set(scheme.zeroPointCodes ?? scheme.codes, Word.LowZero);
  words[Word.Added] = ADDED[scheme.zeroPointAdded];
  words[Word.Arithmetic] = ARITHMETIC[scheme.arithmetic];
  words[Word.WithoutZero] = scheme.rangeIncludesZero ? 0 : 1;
  words[Word.NonFinite] = NON_FINITE[scheme.nonFinite];
  words[Word.NanCode] = scheme.nan.code;
  words[Word.NanPoisons] = scheme.nan.poisons ? 1 : 0;
  words[Word.ScaleType] = SCALE[scheme.scaleDtype];
  words[Word.ScaleStride] = scaleBytes(scheme);
  words[Word.ZeroPointStorage] = STORAGE[zeroPointDtype(scheme)];
  words[Word.PowerRule] = POWER[scheme.powerOfTwo];
  words[Word.PowerBase] = Math.floor(Math.log2(scheme.divisor));
  words[Word.UsesStored] = scheme.scaleUsed === 'stored' ? 1 : 0;
  words[Word.MostMultiplier] = bits(scheme.mostMultiplier ?? Number.POSITIVE_INFINITY);
  words[Word.Seed] = scheme.seed;
  words[Word.RaggedDivides] = scheme.raggedDivides ? 1 : 0;
  words[Word.Packing] = scheme.packing === 'low-first' ? Packing.LowFirst : Packing.HighFirst;
  words[Word.Step] = bits(scheme.step);
  words[Word.IsPlain] = isPlain(scheme) ? 1 : 0;
  describeCodes(scheme, words);
  if (scheme.layout !== 'planar') {
    words[Word.CodeStride] = scheme.layout.blockBytes;
    words[Word.CodeOffset] = scheme.layout.codesAt;
    words[Word.ScaleStride] = scheme.layout.blockBytes;
  }
  if (scheme.format !== null) words[Word.Format] = BLOCK_FORMATS[scheme.format].code;
  if (scheme.outliers !== null) words[Word.Limit] = bits(scheme.outliers.threshold || Number.POSITIVE_INFINITY);
  return words.subarray(Size.SchemeWords);
}

/** See `Word.IsPlain`. */
function isPlain(scheme: Scheme): boolean {
  const isWide = scheme.scaleDtype === 'float32' || scheme.scaleDtype === 'float64';
  const isExact = scheme.powerOfTwo === 'none' && scheme.mostMultiplier === null && !scheme.tensorScale;
  return isWide && isExact && scheme.step === 1 && scheme.zeroPointRule !== 'minimum';
}

/** The words that say what a code is. */
function describeCodes({ dtype, codes, apply }: Scheme, words: Int32Array): void {
  const { element, bits: width, float } = CODE_FACTS[dtype];
  words[Word.Element] = element;
  words[Word.Bits] = width;
  let [lowest, highest] = codes;
  let topHalf = apply === 'unit' ? 0.5 / (highest - lowest) : 0.5;
  if (float !== undefined) {
    words[Word.Mantissa] = float.mantissa;
    words[Word.Bias] = float.bias;
    words[Word.SignBit] = 1 << (float.exponent + float.mantissa);
    words[Word.Most] = bits(highest);
    words[Word.Special] = float.special;
    words[Word.HasInfinity] = float.hasInfinity ? 1 : 0;
    words[Word.UnsignedZero] = float.isUnsignedZero ? 1 : 0;
    const top = minifloatCode(float, highest);
    topHalf = (highest - minifloatValue(float, top - 1)) / 2;
    [lowest, highest] = [top | words[Word.SignBit]!, top];
  } else if (dtype === 'nf4' || dtype === 'fp4') {
    [lowest, highest] = dtype === 'nf4' ? [0, 15] : [11, 3];
    topHalf = 1;
  }
  words[Word.LowCode] = lowest;
  words[Word.HighCode] = highest;
  words[Word.TopHalf] = bits(topHalf);
}
