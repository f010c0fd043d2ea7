/**
 * Codes that are no integers: small floats and places in a table, by definition (equations 26 and 27).
 * @module
 */
import { exponentOf, roundHalfEven } from '../../numbers.js';
import { Element } from '../../scheme/codes.js';
import { Word } from '../../scheme/descriptor.js';
import { minifloatValue, TABLES } from '../../scheme/minifloat.js';
import type { Descriptor } from './descriptor.js';

/** What a code of a type is. */
export interface ElementCodec {
  /** The code of a scaled value that is not NaN. */
  codeOf(v: number): number;
  /** What each code stands for. */
  readonly values: Float32Array;
}

const codecs = new Map<string, ElementCodec>();

/** The codec of the codes of `d`, which are no integers. */
export function codecOf(d: Descriptor): ElementCodec {
  const element = d.int(Word.Element);
  const words = [Word.Mantissa, Word.Bias, Word.SignBit, Word.Most, Word.Special, Word.UnsignedZero, Word.HasInfinity];
  const key = [element, ...words.map((word) => d.int(word))].join();
  let codec = codecs.get(key);
  if (codec === undefined) {
    if (element === Element.Minifloat) codec = floatCodec(d);
    else codec = element === Element.Nf4 ? tableCodec(TABLES.nf4) : signedCodec(TABLES.fp4);
    codecs.set(key, codec);
  }
  return codec;
}

function floatCodec(d: Descriptor): ElementCodec {
  const mantissa = d.int(Word.Mantissa);
  const bias = d.int(Word.Bias);
  const signBit = d.int(Word.SignBit);
  const most = d.real(Word.Most);
  const isUnsignedZero = d.int(Word.UnsignedZero) !== 0;
  const facts = {
    exponent: 31 - Math.clz32(signBit) - mantissa,
    mantissa,
    bias,
    max: most,
    special: d.int(Word.Special),
    hasInfinity: d.int(Word.HasInfinity) !== 0,
    isUnsignedZero,
  };
  const values = Float32Array.from({ length: 256 }, (_, code) => minifloatValue(facts, code & (2 * signBit - 1)));
  return {
    values,
    codeOf(v) {
      const magnitude = Math.min(Math.abs(v), most);
      const exponent = Math.max(magnitude === 0 ? 1 - bias : exponentOf(magnitude), 1 - bias);
      const code = (exponent + bias - 1) * 2 ** mantissa + roundHalfEven(magnitude / 2 ** (exponent - mantissa));
      const isNegative = v < 0 || Object.is(v, -0);
      return isNegative && !(isUnsignedZero && code === 0) ? code + signBit : code;
    },
  };
}

/** The place in a growing table whose value is nearest, halfway the lower one. */
function tableCodec(table: readonly number[]): ElementCodec {
  const values = Float32Array.from(table);
  const middles = Array.from({ length: values.length - 1 }, (_, i) => Math.fround(values[i]! + values[i + 1]!) / 2);
  return { values, codeOf: (v) => middles.filter((middle) => v > middle).length };
}

/** What the tree of comparisons of bitsandbytes compares magnitudes with (csrc/kernels.cu dQuantizeFP4), growing. */
const PIVOTS = [0.00260417, 0.0859375, 0.20833333, 0.29166667, 0.4166667, 0.583333, 0.8333333].map(Math.fround);

/** The place of the magnitude by its pivots, and 8 for what is negative. */
function signedCodec(table: readonly number[]): ElementCodec {
  const values = Float32Array.from(table);
  const order = [0, 1, 2, 3, 4, 5, 6, 7].sort((a, b) => values[a]! - values[b]!);
  return {
    values,
    codeOf(v) {
      const rank = PIVOTS.filter((pivot) => Math.abs(v) > pivot).length;
      return order[rank]! + (v < 0 ? 8 : 0);
    },
  };
}
