/**
 * The words of a descriptor that follow from the scheme alone.
 * @module
 */
import {
  Apply,
  Dtype,
  NonFinite,
  Quantity,
  Rounding,
  ScaleForm,
  ScaleType,
  Size,
  Storage,
  Word,
  ZeroPointRule,
} from './codes.js';
import type { CodeDtype, Scheme } from './scheme.js';

const DTYPE = { float32: Dtype.Float32, float16: Dtype.Float16, bfloat16: Dtype.Bfloat16 };
const STORAGE: Record<CodeDtype, Storage> = {
  int8: Storage.Int8,
  uint8: Storage.Uint8,
  int16: Storage.Int16,
  uint16: Storage.Uint16,
};
const APPLY = { divide: Apply.Divide, reciprocal: Apply.Reciprocal, direct: Apply.Direct };
const FORM = { divide: ScaleForm.Divide, reciprocal: ScaleForm.Reciprocal, inverse: ScaleForm.Inverse };
const ROUNDING = { 'half-even': Rounding.HalfEven, 'half-away': Rounding.HalfAway };
const ZERO_POINT = {
  none: ZeroPointRule.None,
  'round-last': ZeroPointRule.RoundLast,
  'sign-test': ZeroPointRule.SignTest,
};
const QUANTITY = { extent: Quantity.Extent, scale: Quantity.Scale };
const NON_FINITE = { error: NonFinite.Error, saturate: NonFinite.Saturate, propagate: NonFinite.Propagate };

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
  words[Word.Storage] = STORAGE[scheme.dtype];
  words[Word.Apply] = APPLY[scheme.apply];
  words[Word.Rounding] = ROUNDING[scheme.rounding];
  words[Word.ScaleForm] = FORM[scheme.scaleForm];
  words[Word.Divisor] = bits(scheme.divisor);
  words[Word.Symmetric] = scheme.symmetric ? 1 : 0;
  words[Word.FloorOn] = scheme.floor === null ? Quantity.None : QUANTITY[scheme.floor.on];
  words[Word.Floor] = bits(scheme.floor?.value ?? 0);
  words[Word.ZeroTest] = scheme.allZero === null ? Quantity.None : QUANTITY[scheme.allZero.on];
  words[Word.ZeroScale] = bits(scheme.allZero?.scale ?? 0);
  words[Word.ZeroMultiplier] = bits(scheme.allZero?.multiplier ?? 0);
  words[Word.ZeroPointRule] = ZERO_POINT[scheme.zeroPointRule];
  words[Word.LowCode] = scheme.codes[0];
  words[Word.HighCode] = scheme.codes[1];
  words[Word.NonFinite] = NON_FINITE[scheme.nonFinite];
  words[Word.NanCode] = scheme.nan.code;
  words[Word.NanPoisons] = scheme.nan.poisons ? 1 : 0;
  words[Word.ScaleType] = scheme.scaleDtype === 'float16' ? ScaleType.Float16 : ScaleType.Float32;
  words[Word.ScaleStride] = scheme.scaleDtype === 'float16' ? 2 : 4;
  words[Word.ZeroPointStorage] = STORAGE[scheme.dtype];
  if (scheme.layout !== 'planar') {
    words[Word.CodeStride] = scheme.layout.blockBytes;
    words[Word.CodeOffset] = scheme.layout.codesAt;
    words[Word.ScaleStride] = scheme.layout.blockBytes;
  }
  return words.subarray(Size.SchemeWords);
}
