/**
 * Parameters and ranges that the caller gives, checked and written to the result's memory.
 * @module
 */
import { fail, got } from '../errors.js';
import { MAX_FLOAT32 } from '../numbers.js';
import { Source } from '../scheme/codes.js';
import { isIntegerCode, zeroPointDtype } from '../scheme/index.js';
import { codeView, type ZeroPointArray } from './parts.js';
import type { Plan, QuantizeOptions } from './plan.js';

/** The smallest positive float32. */
const LEAST = 2 ** -149;

/** Writes given parameters or ranges to their places in a result at `start`. */
export function writeGiven(plan: Plan, options: QuantizeOptions, buffer: SharedArrayBuffer, start: number): void {
  const { layout, parts, scheme } = plan;
  const count = layout.parameters;
  if (parts.tensorScale >= 0) {
    const scale = new Float32Array(buffer, start + parts.tensorScale, 1);
    fill(scale, options.tensorScale ?? 1, 'tensorScale', LEAST, MAX_FLOAT32, 'positive finite float32');
  } else if (options.tensorScale !== undefined) {
    throw wrong(`no tensorScale for '${scheme.name}'`, got(options.tensorScale));
  }
  if (plan.source === Source.Given) {
    const { scale, zeroPoint } = options.parameters!;
    const scales = new Float32Array(buffer, start + parts.scale, count);
    writePositive(scales, scale, 'scale');
    if (parts.zeroPoint < 0) {
      // A symmetric scheme stores none, so any but zero would be lost.
      if (zeroPoint !== undefined) fill(new Int8Array(count), zeroPoint, 'zeroPoint', 0, 0, 'zero');
      return;
    }
    const dtype = zeroPointDtype(scheme);
    const [lo, hi] = dtype === 'int32' || !isIntegerCode(scheme.dtype) ? [-0x80000000, 0x7fffffff] : scheme.codes;
    const zeros: ZeroPointArray = codeView(dtype, buffer, start + parts.zeroPoint, count);
    fill(zeros, zeroPoint ?? zeros.fill(0), 'zeroPoint', lo, hi, `integers from ${lo} to ${hi}`);
  } else if (plan.source === Source.Range) {
    if (scheme.format !== null) throw wrong(`no range for '${scheme.name}', whose blocks have their own`, 'one');
    const { min, max } = options.range!;
    const low = new Float32Array(buffer, start + parts.rangeLow, count);
    const high = new Float32Array(buffer, start + parts.rangeHigh, count);
    fill(low, min, 'range.min', -MAX_FLOAT32, MAX_FLOAT32, 'finite float32');
    fill(high, max, 'range.max', -MAX_FLOAT32, MAX_FLOAT32, 'finite float32');
    const at = low.findIndex((value, index) => value > high[index]!);
    if (at >= 0) throw wrong(`range.min not above range.max`, `${low[at]} above ${high[at]} at ${at}`);
  }
}

/**
 * Writes positive finite numbers that are given: one for every place of `target`.
 * @throws ERR_QUANTLANE_PARAMETERS
 */
export function writePositive(target: Float32Array, given: number | ArrayLike<number>, name: string): void {
  fill(target, given, name, LEAST, MAX_FLOAT32, 'positive finite float32');
}

/** Copies given numbers, each within [least, most] as it is stored, and whole where integers are. */
function fill(
  target: Float32Array | ZeroPointArray,
  given: number | ArrayLike<number>,
  name: string,
  least: number,
  most: number,
  expected: string,
): void {
  const isArray = typeof given === 'object' && given !== null && typeof given.length === 'number';
  if (!isArray && target.length > 1 && typeof given === 'number') {
    throw wrong(`${target.length} values as ${name}`, got(given));
  }
  if (isArray && given.length !== target.length) throw wrong(`${target.length} values as ${name}`, `${given.length}`);
  const isReal = target instanceof Float32Array;
  for (let index = 0; index < target.length; index++) {
    const value = isArray ? given[index] : given;
    if (typeof value !== 'number') throw wrong(`${expected} as ${name}`, got(value));
    target[index] = value;
    const stored = target[index]!;
    if (stored >= least && stored <= most && (isReal || stored === value)) continue;
    throw wrong(`${expected} as ${name}`, `${value} at ${index}`);
  }
}

function wrong(expected: string, actual: string): Error {
  return fail('ERR_QUANTLANE_PARAMETERS', `Expected ${expected}, got ${actual}`);
}
