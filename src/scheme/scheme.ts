/**
 * A scheme: everything that decides the bytes, as plain frozen data. Its axes are independent, because real systems
 * differ in each of them; the equations are those of docs/quantization.md.
 * @module
 */
import { fail, got } from '../errors.js';
import { type Granularity, perBlock, perChannel } from './granularity.js';

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
  /** Symmetric: the extent is amax and there is no zero point. Affine: the extent is max − min with zero in the range. */
  readonly symmetric: boolean;
  /** M: the number of code steps that the extent is spread over, such as 127, 127.5 or 255. */
  readonly divisor: number;
  /** `divide`: extent / M; `reciprocal`: extent · (1 / M); `inverse`: 1 / (M / extent) (equation 9). */
  readonly scaleForm: 'divide' | 'reciprocal' | 'inverse';
  /** `divide`: x / s; `reciprocal`: x · (1 / s); `direct`: x · (M / extent) (equation 2). */
  readonly apply: 'divide' | 'reciprocal' | 'direct';
  /** Rounding of ties (equation 4). */
  readonly rounding: 'half-even' | 'half-away';
  /** `none` for symmetric; `round-last` of ONNX Runtime (equation 11); `sign-test` of XNNPACK (equation 12). */
  readonly zeroPointRule: 'none' | 'round-last' | 'sign-test';
  /** Smallest extent or scale (equation 8). */
  readonly floor: { readonly on: 'extent' | 'scale'; readonly value: number } | null;
  /** Where extent or scale is zero: the scale and multiplier used then (equation 13). */
  readonly allZero: { readonly on: 'extent' | 'scale'; readonly scale: number; readonly multiplier: number } | null;
  /** What happens to NaN and ±Inf. */
  readonly nonFinite: NonFinitePolicy;
  /** Under `propagate`: the code of a NaN, and whether it makes the parameters of its group NaN. */
  readonly nan: { readonly code: number; readonly poisons: boolean };
  /** Type of the stored scale. */
  readonly scaleDtype: 'float32' | 'float16';
  /** Separate arrays (`planar`), or blocks of a foreign layout that hold scale (at byte 0) and codes. */
  readonly layout: 'planar' | { readonly blockBytes: number; readonly codesAt: number };
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

const CHOICES = {
  dtype: Object.keys(CODE_RANGE),
  parameters: ['dynamic', 'given'],
  scaleForm: ['divide', 'reciprocal', 'inverse'],
  apply: ['divide', 'reciprocal', 'direct'],
  rounding: ['half-even', 'half-away'],
  zeroPointRule: ['none', 'round-last', 'sign-test'],
  nonFinite: ['error', 'saturate', 'propagate'],
  scaleDtype: ['float32', 'float16'],
} as const;

const checked = new WeakSet<Scheme>();

/**
 * The same scheme, checked and frozen. Start from a preset and change what differs:
 * `defineScheme({ ...preset('torchao-int8'), name: 'mine', rounding: 'half-away' })`.
 * @throws ERR_QUANTLANE_ARGUMENT that names the axis which is wrong
 */
export function defineScheme(scheme: Scheme): Scheme {
  if (typeof scheme === 'object' && scheme !== null && checked.has(scheme)) return scheme;
  if (typeof scheme !== 'object' || scheme === null) throw wrong('a scheme', scheme);
  for (const [axis, choices] of Object.entries(CHOICES)) {
    const value = scheme[axis as keyof typeof CHOICES];
    if (!(choices as readonly string[]).includes(value)) throw wrong(`${axis}: ${choices.join(' | ')}`, value);
  }
  if (typeof scheme.name !== 'string') throw wrong('name: a string', scheme.name);
  if (typeof scheme.symmetric !== 'boolean') throw wrong('symmetric: a boolean', scheme.symmetric);
  const [lo, hi] = CODE_RANGE[scheme.dtype];
  const codes = scheme.codes;
  if (!Array.isArray(codes) || codes.length !== 2 || !codes.every(Number.isInteger))
    throw wrong('codes: [lowest, highest]', codes);
  if (codes[0] < lo || codes[1] > hi || codes[0] >= codes[1]) throw wrong(`codes within [${lo}, ${hi}]`, codes);
  if (!(single(scheme.divisor) > 0 && scheme.divisor <= 65536))
    throw wrong('divisor: a number from 0 to 65536', scheme.divisor);
  if (scheme.symmetric !== (scheme.zeroPointRule === 'none') && scheme.parameters === 'dynamic') {
    throw wrong("zeroPointRule: 'none' exactly where the scheme is symmetric", scheme.zeroPointRule);
  }
  if (scheme.zeroPointRule === 'sign-test' && scheme.apply === 'divide') {
    throw wrong("apply: 'direct' or 'reciprocal' with the sign-test zero point", scheme.apply);
  }
  if (scheme.parameters === 'given' && scheme.apply === 'direct')
    throw wrong("apply: 'divide' or 'reciprocal' for given parameters", scheme.apply);
  if (scheme.parameters === 'given' && scheme.scaleDtype === 'float16')
    throw wrong("scaleDtype: 'float32' for given parameters", scheme.scaleDtype);
  checkNumbers(scheme);
  const result: Scheme = Object.freeze({
    ...scheme,
    codes: Object.freeze([codes[0], codes[1]] as const),
    granularity: checkGranularity(scheme.granularity),
    floor: scheme.floor === null ? null : Object.freeze({ ...scheme.floor }),
    allZero: scheme.allZero === null ? null : Object.freeze({ ...scheme.allZero }),
    nan: Object.freeze({ ...scheme.nan }),
    layout: scheme.layout === 'planar' ? 'planar' : Object.freeze({ ...scheme.layout }),
  });
  checked.add(result);
  return result;
}

function checkNumbers(scheme: Scheme): void {
  const { floor, allZero, nan, layout } = scheme;
  if (floor !== null && !(isOn(floor?.on) && single(floor.value) > 0 && single(floor.value) < Infinity))
    throw wrong('floor: { on, value }', floor);
  if (
    allZero !== null &&
    !(isOn(allZero?.on) && Number.isFinite(single(allZero.scale)) && Number.isFinite(single(allZero.multiplier)))
  ) {
    throw wrong('allZero: { on, scale, multiplier }', allZero);
  }
  if (!Number.isInteger(nan?.code) || nan.code < scheme.codes[0] || nan.code > scheme.codes[1])
    throw wrong('nan.code: a code', nan?.code);
  if (typeof nan.poisons !== 'boolean') throw wrong('nan.poisons: a boolean', nan.poisons);
  if (layout === 'planar') return;
  const { blockBytes, codesAt } = layout ?? {};
  const scaleBytes = scheme.scaleDtype === 'float16' ? 2 : 4;
  const size =
    scheme.granularity.kind === 'perBlock' && scheme.granularity.axis === -1 ? scheme.granularity.size : Number.NaN;
  const fits =
    Number.isInteger(blockBytes) &&
    Number.isInteger(codesAt) &&
    codesAt >= scaleBytes &&
    codesAt + size * codeSize(scheme.dtype) <= blockBytes;
  if (!fits || !scheme.symmetric || scheme.parameters === 'given') {
    throw wrong(
      'layout: blocks that hold a scale and the codes of a symmetric dynamic perBlock scheme on the last axis',
      layout,
    );
  }
  if (codeSize(scheme.dtype) === 2 && (codesAt % 2 || blockBytes % 2))
    throw wrong('layout: 16-bit codes at even bytes', layout);
}

/** The number as the kernels read it, in float32; NaN for what is no number. */
function single(value: unknown): number {
  return typeof value === 'number' ? Math.fround(value) : Number.NaN;
}

function isOn(value: unknown): boolean {
  return value === 'extent' || value === 'scale';
}

function checkGranularity(granularity: Granularity): Granularity {
  const kind = granularity?.kind;
  if (kind === 'perTensor' || kind === 'perToken') return Object.freeze({ kind });
  if (kind === 'perChannel') return perChannel(granularity.axis);
  if (kind === 'perBlock') return perBlock(granularity.size, granularity.axis);
  throw wrong('granularity: perTensor, perToken, perChannel(axis) or perBlock(size)', granularity);
}

function wrong(expected: string, value: unknown): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected}, got ${got(value)}`);
}
