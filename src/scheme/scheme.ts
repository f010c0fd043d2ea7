/**
 * A scheme: everything that decides the bytes, as plain frozen data. Its axes are independent, because real systems
 * differ in each of them; the equations are those of docs/quantization.md.
 * @module
 */
import type { BlockFormatName } from './block-formats.js';
import type { Granularity } from './granularity.js';

/** Integer type of the codes. */
export type CodeDtype = 'int8' | 'uint8' | 'int16' | 'uint16';

/** What happens to NaN and ±Inf: reject the batch, map to zero and the ends of the range, or do as the consumer does. */
export type NonFinitePolicy = 'error' | 'saturate' | 'propagate';

/** Everything that decides the bytes. */
export interface Scheme {
  /** Name of the preset that it came from, or a name of your own; it decides nothing. */
  readonly name: string;
  /** Integer type of the codes and of the zero points. */
  readonly dtype: CodeDtype;
  /** Smallest and largest code. */
  readonly codes: readonly [number, number];
  /** Which values share a scale. */
  readonly granularity: Granularity;
  /** Whether scale and zero point follow from the values (`dynamic`) or are given with each call (`given`). */
  readonly parameters: 'dynamic' | 'given';
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
  /** `divide`: x / s; `reciprocal`: x · (1 / s); `direct`: x · (M / extent) (equation 2). */
  readonly apply: 'divide' | 'reciprocal' | 'direct';
  /** Rounding of the scaled value (equation 4). */
  readonly rounding: 'half-even' | 'half-away' | 'truncate';
  /**
   * `none` for symmetric; `round-last` of ONNX Runtime (equation 11); `sign-test` of XNNPACK (12); `round-first` of
   * PyTorch's observers and torchao (22); `sign-test-quotient` of PyTorch's per-token operators (23); `nearest-sum` of
   * FBGEMM and TFLite and `nearest-difference` of PyTorch's dynamic linear layer (24).
   */
  readonly zeroPointRule:
    | 'none'
    | 'round-last'
    | 'sign-test'
    | 'round-first'
    | 'sign-test-quotient'
    | 'nearest-sum'
    | 'nearest-difference';
  /** Rounding of the zero point. */
  readonly zeroPointRounding: 'half-even' | 'half-away';
  /** Smallest and largest code that the zero point is chosen among, where they are not those of `codes`. */
  readonly zeroPointCodes: readonly [number, number] | null;
  /** Added to the rounded value, or before it is rounded: in float32, or in float64 with x · (1 / s) (equation 25). */
  readonly zeroPointAdded: 'after' | 'before' | 'before-float64';
  /** Type of the stored zero point: that of the codes, or int32, where it may lie beyond them. */
  readonly zeroPointDtype: 'codes' | 'int32';
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
  readonly scaleDtype: 'float32' | 'float16' | 'float64';
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

/** Range of each type of code. */
export const CODE_RANGE: Readonly<Record<CodeDtype, readonly [number, number]>> = Object.freeze({
  int8: Object.freeze([-128, 127] as const),
  uint8: Object.freeze([0, 255] as const),
  int16: Object.freeze([-32768, 32767] as const),
  uint16: Object.freeze([0, 65535] as const),
});

/** Bytes of a code. */
export function codeSize(dtype: CodeDtype): 1 | 2 {
  return dtype === 'int8' || dtype === 'uint8' ? 1 : 2;
}

/** Type of the array that holds the codes: theirs, but blocks of more than one byte are bytes. */
export function dataDtype({ dtype, layout }: Scheme): CodeDtype {
  return layout === 'planar' || layout.blockBytes === 1 ? dtype : 'uint8';
}

/** Type of the stored zero points. */
export function zeroPointDtype(scheme: Scheme): CodeDtype | 'int32' {
  return scheme.zeroPointDtype === 'int32' ? 'int32' : scheme.dtype;
}

/** Bytes of a stored zero point. */
export function zeroPointBytes(scheme: Scheme): 1 | 2 | 4 {
  return scheme.zeroPointDtype === 'int32' ? 4 : codeSize(scheme.dtype);
}

const SCALE_BYTES = { float16: 2, float32: 4, float64: 8 } as const;

/** Bytes of a stored scale. */
export function scaleBytes(scheme: Scheme): 2 | 4 | 8 {
  return SCALE_BYTES[scheme.scaleDtype];
}
