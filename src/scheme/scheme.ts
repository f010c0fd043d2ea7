/**
 * A scheme: everything that decides the bytes, as plain frozen data. Its axes are independent, because real systems
 * differ in each of them; the equations are those of docs/quantization.md.
 * @module
 */
import type { BlockFormatName } from './block-formats.js';
import { arrayDtype, CODE_FACTS, type CodeDtype, codeSize, type StorageDtype } from './code-dtypes.js';
import type { Granularity } from './granularity.js';

/** What happens to NaN and ±Inf: reject the batch, map to zero and the ends of the range, or do as the consumer does. */
export type NonFinitePolicy = 'error' | 'saturate' | 'propagate';

/** Everything that decides the bytes. */
export interface Scheme {
  /** Name of the preset that it came from, or a name of your own; it decides nothing. */
  readonly name: string;
  /** Type of the codes, and of integer zero points. */
  readonly dtype: CodeDtype;
  /** Smallest and largest code: integers, or the values of small floats, which are then symmetric. */
  readonly codes: readonly [number, number];
  /** What a code of 1 stands for before the scale: 1, but a fraction for fixed-point codes (equation 31). */
  readonly step: number;
  /** Order of codes that share a byte: the first one in the low or in the high bits. */
  readonly packing: 'low-first' | 'high-first';
  /** Which values share a scale. */
  readonly granularity: Granularity;
  /**
   * Whether scale and zero point follow from the values (`dynamic`; or from a range that a call may give), from a range
   * that every call must give (`range`), or are given with each call (`given`).
   */
  readonly parameters: 'dynamic' | 'range' | 'given';
  /** Symmetric: the extent is amax and there is no zero point. Affine: the extent is max − min (equation 7). */
  readonly symmetric: boolean;
  /** Whether the range is extended to zero (equation 6), or is that of the values alone (equation 19). */
  readonly rangeIncludesZero: boolean;
  /** Precision of scale and zero point; `mixed` rounds a float64 scale to float32 before the zero point (equation 20). */
  readonly arithmetic: 'float32' | 'float64' | 'mixed';
  /** M: the number of code steps that the extent is spread over, such as 127, 127.5 or 255. */
  readonly divisor: number;
  /** `divide`: extent / M; `reciprocal`: extent · (1 / M); `inverse`: 1 / (M / extent) (equation 9). */
  readonly scaleForm: 'divide' | 'reciprocal' | 'inverse';
  /**
   * How the scale becomes a power of two, if it does (equation 29): from the extent and the exponent of M, which is a
   * power of two then (`extent-floor`, `extent-even`, `extent-ceil`); the scale rounded up (`scale-ceil`); or the
   * multiplier rounded down (`multiplier-floor`).
   */
  readonly powerOfTwo: 'none' | 'extent-floor' | 'extent-even' | 'extent-ceil' | 'scale-ceil' | 'multiplier-floor';
  /** Whether values are scaled with the scale as it is computed (`exact`) or as it is stored (`stored`). */
  readonly scaleUsed: 'exact' | 'stored';
  /** Whether the scales are divided by one of the whole tensor, which each call may give (equation 30). */
  readonly tensorScale: boolean;
  /** The largest multiplier; null for any (equation 10). */
  readonly mostMultiplier: number | null;
  /**
   * `divide`: x / s; `reciprocal`: x · (1 / s); `direct`: x · (M / extent) (equation 2); `divide-float16`: x / s rounded
   * to float16; `unit`: clamp((x − minimum) / s, 0, 1) times the number of code steps (equation 28).
   */
  readonly apply: 'divide' | 'reciprocal' | 'direct' | 'divide-float16' | 'unit';
  /** Whether the values of a last block that is shorter are divided, where `apply` multiplies. */
  readonly raggedDivides: boolean;
  /** Rounding of the scaled value (equation 4); `stochastic` goes up with the probability of the fraction (32). */
  readonly rounding: 'half-even' | 'half-away' | 'truncate' | 'floor' | 'stochastic';
  /** Seed of stochastic rounding, an int32; a call may give another. */
  readonly seed: number;
  /**
   * `none` for symmetric; `round-last` of ONNX Runtime (equation 11); `sign-test` of XNNPACK (12); `round-first` of
   * PyTorch's observers and torchao (22); `sign-test-quotient` of PyTorch's per-token operators (23); `nearest-sum` of
   * FBGEMM and TFLite and `nearest-difference` of PyTorch's dynamic linear layer (24); `minimum`: the smallest value
   * itself, which has the lowest code (28).
   */
  readonly zeroPointRule:
    | 'none'
    | 'round-last'
    | 'sign-test'
    | 'round-first'
    | 'sign-test-quotient'
    | 'nearest-sum'
    | 'nearest-difference'
    | 'minimum';
  /** Rounding of the zero point. */
  readonly zeroPointRounding: 'half-even' | 'half-away';
  /** Smallest and largest code that the zero point is chosen among, where they are not those of `codes`. */
  readonly zeroPointCodes: readonly [number, number] | null;
  /** Added to the rounded value, or before it is rounded: in float32, or in float64 with x · (1 / s) (equation 25). */
  readonly zeroPointAdded: 'after' | 'before' | 'before-float64';
  /** Type of the stored zero point: that of the codes; int32, where it may lie beyond them; float32 for a minimum. */
  readonly zeroPointDtype: 'codes' | 'int32' | 'float32';
  /** Smallest extent or scale (equation 8); `scale-and-range` stretches the range with the scale (equation 21). */
  readonly floor: { readonly on: 'extent' | 'scale' | 'scale-and-range'; readonly value: number } | null;
  /** Where extent or scale is zero, or 1 / scale is infinite: what is used then (equation 13). */
  readonly allZero: {
    readonly on: 'extent' | 'scale' | 'reciprocal';
    readonly scale: number;
    readonly multiplier: number;
    /** Absent: the zero point of the rule. */
    readonly zeroPoint?: number;
  } | null;
  /** What happens to NaN and ±Inf. */
  readonly nonFinite: NonFinitePolicy;
  /** Under `propagate`: the code of a NaN, and whether it makes the parameters of its group NaN. */
  readonly nan: { readonly code: number; readonly poisons: boolean };
  /** Type of the stored scale. */
  readonly scaleDtype: ScaleDtype;
  /** Separate arrays (`planar`), or blocks of a foreign layout that hold scale (at byte 0) and codes. */
  readonly layout: 'planar' | { readonly blockBytes: number; readonly codesAt: number };
  /**
   * A block format of another system, which decides all rules but `nonFinite` by itself; null for the rules above. Where
   * it is set, granularity, dtype and layout are those of its blocks, on the last axis, and the other axes are not read.
   */
  readonly format: BlockFormatName | null;
  /**
   * LLM.int8() (equations 47 to 50): values of at least this magnitude, or none for 0, are left out of the extent, and
   * the columns that hold one are kept apart. The stored scale is the extent itself. Only for int8 per token, with the
   * other axes as in `bnb-int8`; null for no such rule.
   */
  readonly outliers: { readonly threshold: number } | null;
}

/** Type of a stored zero point. */
export type ZeroPointDtype = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'float32';

/** Type of the array that holds the codes: their storage, but bytes where codes share them and for blocks of several bytes. */
export function dataDtype({ dtype, layout }: Scheme): StorageDtype {
  return layout === 'planar' || layout.blockBytes === 1 ? arrayDtype(dtype) : 'uint8';
}

/** Type of the stored zero points; those of codes that share a byte have a byte each. */
export function zeroPointDtype(scheme: Scheme): ZeroPointDtype {
  return scheme.zeroPointDtype === 'codes' ? CODE_FACTS[scheme.dtype].storage : scheme.zeroPointDtype;
}

/** Bytes of a stored zero point. */
export function zeroPointBytes(scheme: Scheme): 1 | 2 | 4 {
  return scheme.zeroPointDtype === 'codes' ? codeSize(scheme.dtype) : 4;
}

/** Type of a stored scale: a float, a power of two as its exponent (E8M0), or a float of 8 bits. */
export type ScaleDtype = 'float32' | 'float16' | 'float64' | 'float8e8m0' | 'float8e4m3fn';

const SCALE_BYTES = { float16: 2, float32: 4, float64: 8, float8e8m0: 1, float8e4m3fn: 1 } as const;

/** Bytes of a stored scale. */
export function scaleBytes(scheme: Scheme): 1 | 2 | 4 | 8 {
  return SCALE_BYTES[scheme.scaleDtype];
}
