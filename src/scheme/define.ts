/**
 * Checking of schemes: every axis by itself, then what does not go together.
 * @module
 */
import { fail, got } from '../errors.js';
import { BLOCK_FORMATS, type BlockFormatName, FORMAT_AXES } from './block-formats.js';
import { CODE_FACTS, CODE_RANGE, type CodeDtype, codeSize, isIntegerCode } from './code-dtypes.js';
import { misfitOf } from './fixed-axes.js';
import { describeGranularity, type Granularity, perBlock, perChannel, perRow } from './granularity.js';
import { checkOutliers } from './outliers.js';
import { type Scheme, scaleBytes, zeroPointDtype } from './scheme.js';

const CHOICES = {
  dtype: Object.keys(CODE_RANGE),
  packing: ['low-first', 'high-first'],
  parameters: ['dynamic', 'range', 'given'],
  scaleForm: ['divide', 'reciprocal', 'inverse'],
  powerOfTwo: ['none', 'extent-floor', 'extent-even', 'extent-ceil', 'scale-ceil', 'multiplier-floor'],
  scaleUsed: ['exact', 'stored'],
  apply: ['divide', 'reciprocal', 'direct', 'divide-float16', 'unit'],
  arithmetic: ['float32', 'float64', 'mixed'],
  rounding: ['half-even', 'half-away', 'truncate', 'floor', 'stochastic'],
  zeroPointRule: [
    'none',
    'round-last',
    'sign-test',
    'round-first',
    'sign-test-quotient',
    'nearest-sum',
    'nearest-difference',
    'minimum',
  ],
  zeroPointRounding: ['half-even', 'half-away'],
  zeroPointAdded: ['after', 'before', 'before-float64'],
  zeroPointDtype: ['codes', 'int32', 'float32'],
  nonFinite: ['error', 'saturate', 'propagate'],
  scaleDtype: ['float32', 'float16', 'float64', 'float8e8m0', 'float8e4m3fn'],
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
  for (const axis of SWITCHES) if (typeof scheme[axis] !== 'boolean') throw wrong(`${axis}: a boolean`, scheme[axis]);
  if (!Number.isInteger(scheme.seed) || scheme.seed !== (scheme.seed | 0)) throw wrong('seed: an int32', scheme.seed);
  if (!isPowerOfTwo(scheme.step)) throw wrong('step: a power of two', scheme.step);
  const codes = checkCodes('codes', scheme.codes, scheme.dtype);
  if (!(single(scheme.divisor) > 0 && scheme.divisor <= 65536))
    throw wrong('divisor: a number from 0 to 65536', scheme.divisor);
  if (scheme.symmetric !== (scheme.zeroPointRule === 'none') && scheme.parameters !== 'given') {
    throw wrong("zeroPointRule: 'none' exactly where the scheme is symmetric", scheme.zeroPointRule);
  }
  if (scheme.zeroPointAdded === 'before-float64' && scheme.apply !== 'reciprocal')
    throw wrong("apply: 'reciprocal' where the zero point is added in float64", scheme.apply);
  if (scheme.zeroPointRule === 'sign-test' && scheme.apply === 'divide') {
    throw wrong("apply: 'direct' or 'reciprocal' with the sign-test zero point", scheme.apply);
  }
  if (scheme.parameters === 'given' && scheme.apply === 'direct')
    throw wrong("apply: 'divide' or 'reciprocal' for given parameters", scheme.apply);
  if (scheme.parameters === 'given' && scheme.scaleDtype !== 'float32')
    throw wrong("scaleDtype: 'float32' for given parameters", scheme.scaleDtype);
  checkTogether(scheme);
  checkNumbers(scheme);
  const result: Scheme = Object.freeze({
    ...scheme,
    codes,
    zeroPointCodes:
      scheme.zeroPointCodes === null ? null : checkCodes('zeroPointCodes', scheme.zeroPointCodes, scheme.dtype, codes),
    granularity: checkGranularity(scheme.granularity),
    floor: scheme.floor === null ? null : Object.freeze({ ...scheme.floor }),
    allZero: scheme.allZero === null ? null : Object.freeze({ ...scheme.allZero }),
    nan: Object.freeze({ ...scheme.nan }),
    layout: scheme.layout === 'planar' ? 'planar' : Object.freeze({ ...scheme.layout }),
    outliers: checkOutliers(scheme),
  });
  checked.add(result);
  return result;
}

/** Two numbers in order, within those of the type: integers, or symmetric values of a float. */
function checkCodes(
  name: string,
  codes: readonly [number, number],
  dtype: CodeDtype,
  [lo, hi] = CODE_RANGE[dtype],
): readonly [number, number] {
  const isRight = isIntegerCode(dtype) ? Number.isInteger : (code: number) => Math.abs(code) === codes[1];
  if (!Array.isArray(codes) || codes.length !== 2 || !codes.every(isRight))
    throw wrong(`${name}: [lowest, highest]`, codes);
  if (codes[0] < lo || codes[1] > hi || codes[0] >= codes[1]) throw wrong(`${name} within [${lo}, ${hi}]`, codes);
  return Object.freeze([codes[0], codes[1]] as const);
}

/** What does not go together. */
function checkTogether(scheme: Scheme): void {
  const { dtype, symmetric, rounding, apply, zeroPointRule, powerOfTwo, parameters } = scheme;
  if (!isIntegerCode(dtype)) {
    if (!symmetric) throw wrong(`symmetric: true for codes of ${dtype}`, symmetric);
    if (rounding !== 'half-even') throw wrong(`rounding: half-even for codes of ${dtype}`, rounding);
  }
  const isMinimum = zeroPointRule === 'minimum';
  if (isMinimum !== (scheme.zeroPointDtype === 'float32'))
    throw wrong("zeroPointDtype: 'float32' exactly with zeroPointRule: 'minimum'", scheme.zeroPointDtype);
  if (isMinimum && (parameters === 'given' || scheme.rangeIncludesZero || scheme.zeroPointAdded !== 'after'))
    throw wrong("a range of the values alone and zeroPointAdded: 'after' with zeroPointRule: 'minimum'", parameters);
  if (isMinimum && codeSize(dtype) === 2) throw wrong("codes of 8 bits with zeroPointRule: 'minimum'", dtype);
  if (apply === 'unit' && !(isMinimum && scheme.codes[0] === 0 && scheme.codes[1] === 255))
    throw wrong("zeroPointRule: 'minimum' and codes from 0 to 255 with apply: 'unit'", scheme.codes);
  if (powerOfTwo.startsWith('extent') && !isPowerOfTwo(scheme.divisor))
    throw wrong(`a power of two as divisor with powerOfTwo: '${powerOfTwo}'`, scheme.divisor);
  if (powerOfTwo !== 'none' && (!symmetric || parameters === 'given' || scheme.arithmetic !== 'float32'))
    throw wrong('a symmetric float32 scheme without given parameters for powerOfTwo', powerOfTwo);
  if (scheme.scaleDtype === 'float8e8m0' && powerOfTwo === 'none')
    throw wrong('a powerOfTwo rule for scales of float8e8m0', powerOfTwo);
  const isPlain = scheme.scaleUsed === 'exact' && !scheme.tensorScale && scheme.mostMultiplier === null;
  if (!isPlain && scheme.arithmetic !== 'float32')
    throw wrong("arithmetic: 'float32' with scaleUsed, tensorScale or mostMultiplier", scheme.arithmetic);
  if (scheme.tensorScale && (!symmetric || apply !== 'reciprocal' || scheme.scaleUsed !== 'stored'))
    throw wrong("a symmetric scheme that applies the stored scale by 'reciprocal' for tensorScale", apply);
  if (scheme.mostMultiplier !== null && !(single(scheme.mostMultiplier) > 0))
    throw wrong('mostMultiplier: a positive number or null', scheme.mostMultiplier);
}

function checkNumbers(scheme: Scheme): void {
  const { floor, allZero, nan, layout } = scheme;
  if (floor !== null && !(FLOORS.includes(floor?.on) && single(floor.value) > 0 && single(floor.value) < Infinity))
    throw wrong('floor: { on, value }', floor);
  if (
    allZero !== null &&
    !(
      TESTS.includes(allZero?.on) &&
      Number.isFinite(single(allZero.scale)) &&
      Number.isFinite(single(allZero.multiplier)) &&
      isZeroPoint(scheme, allZero.zeroPoint ?? 0)
    )
  ) {
    throw wrong('allZero: { on, scale, multiplier, zeroPoint? }', allZero);
  }
  const [least, most] = isIntegerCode(scheme.dtype) ? scheme.codes : [0, 255];
  if (!Number.isInteger(nan?.code) || nan.code < least || nan.code > most) throw wrong('nan.code: a code', nan?.code);
  if (typeof nan.poisons !== 'boolean') throw wrong('nan.poisons: a boolean', nan.poisons);
  if (scheme.format !== null) return checkFormat(scheme, scheme.format);
  if (layout === 'planar') return;
  const { blockBytes, codesAt } = layout ?? {};
  const size =
    scheme.granularity.kind === 'perBlock' && scheme.granularity.axis === -1 ? scheme.granularity.size : Number.NaN;
  const fits =
    Number.isInteger(blockBytes) &&
    Number.isInteger(codesAt) &&
    codesAt >= scaleBytes(scheme) &&
    codesAt + size * codeSize(scheme.dtype) <= blockBytes;
  if (!fits || !scheme.symmetric || scheme.parameters === 'given' || CODE_FACTS[scheme.dtype].bits < 8) {
    throw wrong(
      'layout: blocks that hold a scale and the codes of a symmetric dynamic perBlock scheme on the last axis',
      layout,
    );
  }
  if (codeSize(scheme.dtype) === 2 && (codesAt % 2 || blockBytes % 2))
    throw wrong('layout: 16-bit codes at even bytes', layout);
}

/** A format decides everything: what else is said must be what it says, or nothing. */
function checkFormat(scheme: Scheme, format: BlockFormatName): void {
  if (!Object.hasOwn(BLOCK_FORMATS, format)) {
    throw wrong(`format: null or ${Object.keys(BLOCK_FORMATS).join(' | ')}`, format);
  }
  const { granularity, bytes, codesAt, dtype } = BLOCK_FORMATS[format];
  const { layout } = scheme;
  const isLaidOut =
    scheme.dtype === dtype &&
    isSame(scheme.granularity, granularity) &&
    typeof layout === 'object' &&
    layout?.blockBytes === bytes &&
    layout.codesAt === codesAt;
  if (!isLaidOut) {
    const text = `layout: { blockBytes: ${bytes}, codesAt: ${codesAt} } of ${dtype} with ${describeGranularity(granularity)}`;
    throw wrong(`${text} for the format ${format}`, layout);
  }
  const misfit = misfitOf(scheme, FORMAT_AXES);
  if (misfit !== undefined) {
    throw wrong(`${misfit.expected}, for the format ${format} has its own rules`, misfit.actual);
  }
}

/** Whether two granularities are one; the first may be anything. */
function isSame(actual: Granularity | undefined, expected: Granularity): boolean {
  const facts = Object.entries(expected) as [keyof Granularity, unknown][];
  return facts.every(([name, value]) => actual?.[name] === value);
}

/** Whether a float32 is a power of two, a normal one. */
function isPowerOfTwo(value: unknown): boolean {
  return single(value) === value && value >= 2 ** -126 && Number.isInteger(Math.log2(value as number));
}

/** The number as the kernels read it, in float32; NaN for what is no number. */
function single(value: unknown): number {
  return typeof value === 'number' ? Math.fround(value) : Number.NaN;
}

const SWITCHES = ['symmetric', 'rangeIncludesZero', 'tensorScale', 'raggedDivides'] as const;
const FLOORS: readonly unknown[] = ['extent', 'scale', 'scale-and-range'];
const TESTS: readonly unknown[] = ['extent', 'scale', 'reciprocal'];

/** Whether a zero point can be stored; the smallest int32 has another meaning in a descriptor. */
function isZeroPoint(scheme: Scheme, value: number): boolean {
  const isCode = isIntegerCode(scheme.dtype) && zeroPointDtype(scheme) !== 'int32';
  const [lo, hi] = isCode ? CODE_RANGE[scheme.dtype] : [-0x7fffffff, 0x7fffffff];
  return Number.isInteger(value) && value >= lo && value <= hi;
}

function checkGranularity(granularity: Granularity): Granularity {
  const kind = granularity?.kind;
  if (kind === 'perTensor') return Object.freeze({ kind });
  if (kind === 'perToken') return perRow(granularity.axis ?? -1);
  if (kind === 'perChannel') return perChannel(granularity.axis);
  if (kind === 'perBlock') return perBlock(granularity.size, granularity.axis);
  throw wrong('granularity: perTensor, perToken, perChannel(axis) or perBlock(size)', granularity);
}

function wrong(expected: string, value: unknown): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected}, got ${got(value)}`);
}
