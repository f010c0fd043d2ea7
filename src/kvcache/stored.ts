/**
 * How keys or values lie in a page that is quantized: their codes, their scheme, and the jobs of the kernels that make
 * codes of values and values of codes. A page is head after head, a row of `headDim` values for each token.
 * @module
 */

import { type JobKind, jobKind } from '../runtime/job.js';
import { packKind } from '../runtime/plan.js';
import { CacheCode } from '../scheme/attention.js';
import { Mode, Source } from '../scheme/codes.js';
import {
  CODE_FACTS,
  type CodeDtype,
  defineScheme,
  layoutOf,
  packedBytes,
  perBlock,
  perRow,
  preset,
  type Scheme,
  schemeWords,
} from '../scheme/index.js';
import type { CacheDtype, KeyOptions, KeyValueFormat } from './options.js';

/** How keys or values lie in a quantized page. */
export interface Stored {
  readonly code: CacheCode;
  readonly isByChannel: boolean;
  /** Bytes of all codes. */
  readonly codeBytes: number;
  /** Scales, and minima where there are any: 0 for float32. */
  readonly scales: number;
  readonly minima: number;
  /** Absent for float32. */
  readonly quantized?: Quantized;
}

/** The scheme of codes and its jobs. */
interface Quantized {
  readonly scheme: Scheme;
  /** Values of a page to a code a byte, and back. */
  readonly encode: JobKind;
  readonly decode: JobKind;
  /** Codes of a byte to codes that share bytes, and back; null where they do not. */
  readonly pack: JobKind | null;
  readonly unpack: JobKind | null;
}

/** Codes about zero, as `vllm-int8-per-token` and `vllm-fp8-per-token` make them: amax has the last code, and M = 7 for int4. */
const SYMMETRIC = {
  int8: { code: CacheCode.Int8, dtype: 'int8', divisor: 127 },
  int4: { code: CacheCode.Int4, dtype: 'int4', divisor: 7 },
  // All four codes are used: −amax has −2, and amax is cut off to 1.
  int2: { code: CacheCode.Int2, dtype: 'int2', divisor: 1.5 },
} as const;

/** Codes from the smallest value up. */
const AFFINE = {
  int8: { code: CacheCode.Uint8, dtype: 'uint8' },
  int4: { code: CacheCode.Uint4, dtype: 'uint4' },
  int2: { code: CacheCode.Uint2, dtype: 'uint2' },
} as const;

/** How `options` of a format lie in a page. */
export function storedOf(
  { dtype, granularity = 'perToken', symmetric }: Required<Omit<KeyOptions, 'granularity'>> & KeyOptions,
  { heads, headDim, block }: KeyValueFormat,
): Stored {
  const elements = heads * block * headDim;
  const isByChannel = granularity === 'perChannel' && dtype !== 'float32';
  if (dtype === 'float32') {
    return { code: CacheCode.Float32, isByChannel, codeBytes: elements * 4, scales: 0, minima: 0 };
  }
  const { code, scheme: rules } = rulesOf(dtype, symmetric);
  const scheme = defineScheme({ ...rules, granularity: isByChannel ? perBlock(block, 1) : perRow(-1) });
  const layout = layoutOf(scheme, [heads, block, headDim]);
  const words = schemeWords(scheme, 'float32');
  const isPacked = CODE_FACTS[scheme.dtype].bits < 8;
  return {
    code,
    isByChannel,
    codeBytes: packedBytes(scheme.dtype, elements),
    scales: layout.parameters,
    minima: symmetric ? 0 : layout.parameters,
    quantized: {
      scheme,
      encode: jobKind(Mode.Quantize, Source.Data, layout, words, false),
      decode: jobKind(Mode.Dequantize, Source.Given, layout, words, false),
      pack: isPacked ? packKind({ scheme, layout }, Mode.Quantize) : null,
      unpack: isPacked ? packKind({ scheme, layout }, Mode.Dequantize) : null,
    },
  };
}

/** The rules of codes, but for which values share a scale. */
function rulesOf(dtype: Exclude<CacheDtype, 'float32'>, symmetric: boolean): { code: CacheCode; scheme: Scheme } {
  if (dtype === 'fp8') return { code: CacheCode.Float8, scheme: preset('vllm-fp8-per-token') };
  if (symmetric) {
    const { code, dtype: type, divisor } = SYMMETRIC[dtype];
    const rules = { ...preset('vllm-int8-per-token'), dtype: type, codes: codesOf(type), divisor };
    return { code, scheme: { ...rules, name: `kv-${type}` } };
  }
  const { code, dtype: type } = AFFINE[dtype];
  const codes = codesOf(type);
  return {
    code,
    scheme: {
      ...preset('st-uint8'),
      ...{ name: `kv-${type}`, dtype: type, codes, divisor: codes[1], rounding: 'half-even' },
      // One value throughout: its codes are 0 and read as the minimum.
      allZero: { on: 'scale', scale: 0, multiplier: 1 },
    },
  };
}

function codesOf(dtype: CodeDtype): readonly [number, number] {
  return CODE_FACTS[dtype].range;
}
