/**
 * What the weights of a layer may be kept as.
 * @module
 */
import { fail, got } from '../errors.js';
import { Dtype, LinearForm } from '../scheme/codes.js';
import { defineScheme, perBlock, perToken, preset, type Scheme } from '../scheme/index.js';

/**
 * What the weights of a layer are kept as: int8 codes with a scale for each output (`int8`) or each group of inputs
 * (`int8-groups`), 4-bit codes with a scale for each group (`int4`), or floats.
 */
export type WeightKind = 'int8' | 'int8-groups' | 'int4' | 'float32' | 'float16' | 'bfloat16';

/** Facts about a kind of weights. */
export interface KindFacts {
  readonly form: LinearForm;
  /** Whether rows are quantized and multiplied as integers. */
  readonly isInteger: boolean;
  /** Inputs that share a scale unless another number is chosen; 0 where none or all of an output do. */
  readonly groupSize: number;
  /** Bits of a weight. */
  readonly bits: number;
  /** Nanoseconds that 16 products take, compared with quantization of a value. */
  readonly weight: number;
}

/** Facts about every kind. */
export const KINDS: Readonly<Record<WeightKind, KindFacts>> = {
  int8: { form: LinearForm.Int8, isInteger: true, groupSize: 0, bits: 8, weight: 1.5 },
  'int8-groups': { form: LinearForm.Int8Groups, isInteger: true, groupSize: 128, bits: 8, weight: 2 },
  int4: { form: LinearForm.Int4Groups, isInteger: false, groupSize: 32, bits: 4, weight: 8 },
  float32: { form: LinearForm.Float32, isInteger: false, groupSize: 0, bits: 32, weight: 8 },
  float16: { form: LinearForm.Float16, isInteger: false, groupSize: 0, bits: 16, weight: 8 },
  bfloat16: { form: LinearForm.Bfloat16, isInteger: false, groupSize: 0, bits: 16, weight: 6 },
};

/** Codes of the types of floats. */
export const DTYPE_OF = { float32: Dtype.Float32, float16: Dtype.Float16, bfloat16: Dtype.Bfloat16 };

/** A kind's facts. @throws ERR_QUANTLANE_ARGUMENT for no kind */
export function kindOf(kind: WeightKind): KindFacts {
  if (Object.hasOwn(KINDS, kind)) return KINDS[kind];
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected weights as ${Object.keys(KINDS).join(', ')}, got ${got(kind)}`);
}

/**
 * Inputs that share a scale: those chosen, or those of the kind.
 * @throws ERR_QUANTLANE_ARGUMENT for another number than a multiple of 8, or for a kind without groups
 */
export function groupSizeOf(kind: WeightKind, chosen: number | undefined): number {
  const { groupSize } = kindOf(kind);
  if (chosen === undefined) return groupSize;
  if (groupSize === 0) throw fail('ERR_QUANTLANE_ARGUMENT', `Expected no groupSize for ${kind}, got ${got(chosen)}`);
  if (Number.isSafeInteger(chosen) && chosen > 0 && chosen % 8 === 0) return chosen;
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a multiple of 8 as groupSize, got ${got(chosen)}`);
}

/**
 * The scheme that weights are quantized with where they are kept as codes (equations L1 and L2).
 * @param groupSize inputs that share a scale; default those of the kind
 * @throws ERR_QUANTLANE_ARGUMENT for floats, or a wrong groupSize
 */
export function weightScheme(kind: WeightKind, groupSize?: number): Scheme {
  const size = groupSizeOf(kind, groupSize);
  const is4 = kind === 'int4';
  if (kindOf(kind).bits > 8) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected weights that are kept as codes, got ${got(kind)}`);
  }
  return defineScheme({
    ...preset('vllm-int8-per-token'),
    name: `linear-${kind}`,
    apply: 'divide',
    granularity: size === 0 ? perToken : perBlock(size),
    divisor: is4 ? 7.5 : 127,
    codes: is4 ? [-8, 7] : [-127, 127],
  });
}

/**
 * Passes a scheme whose codes are factors of an integer product.
 * @throws ERR_QUANTLANE_ARGUMENT for others than int8 or uint8 per token or tensor
 */
export function checkFactor(scheme: Scheme, what: string): void {
  const { dtype, layout, granularity, outliers, format } = scheme;
  const isByte = (dtype === 'int8' || dtype === 'uint8') && layout === 'planar' && format === null && outliers === null;
  const isRow = granularity.kind === 'perTensor' || (granularity.kind === 'perToken' && granularity.axis === -1);
  const isScaled = scheme.step === 1 && !scheme.tensorScale && !scheme.scaleDtype.startsWith('float8');
  // A zero point beyond the codes would have no bound, and then the sums have none.
  const isNear = scheme.symmetric || scheme.zeroPointDtype === 'codes';
  if (isByte && isRow && isScaled && isNear) return;
  const text = `Expected ${what} of int8 or uint8 codes, a scale for each token or one, and zero points among the codes`;
  throw fail('ERR_QUANTLANE_ARGUMENT', `${text}; got '${scheme.name}'`);
}
