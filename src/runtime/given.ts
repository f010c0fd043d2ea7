/**
 * Parameters and ranges that the caller gives, checked and written to the result's memory.
 * @module
 */
import { fail, got } from '../errors.js';
import { Source } from '../scheme/codes.js';
import { type CodeArray, codeView } from './parts.js';
import type { Plan, QuantizeOptions } from './plan.js';

/** Writes given parameters or ranges to their places in a result at `start`. */
export function writeGiven(plan: Plan, options: QuantizeOptions, buffer: SharedArrayBuffer, start: number): void {
  const { layout, parts, scheme } = plan;
  const count = layout.parameters;
  if (plan.source === Source.Given) {
    const { scale, zeroPoint } = options.parameters!;
    const scales = new Float32Array(buffer, start + parts.scale, count);
    fill(scales, scale, 'scale', (value) => value > 0 && value < Number.POSITIVE_INFINITY, 'positive finite float32');
    if (parts.zeroPoint < 0) return;
    const [lo, hi] = scheme.codes;
    const zeros: CodeArray = codeView(scheme.dtype, buffer, start + parts.zeroPoint, count);
    const isCode = (value: number) => Number.isInteger(value) && value >= lo && value <= hi;
    fill(zeros, zeroPoint ?? zeros.fill(0), 'zeroPoint', isCode, `integers from ${lo} to ${hi}`);
  } else if (plan.source === Source.Range) {
    const { min, max } = options.range!;
    const low = new Float32Array(buffer, start + parts.rangeLow, count);
    const high = new Float32Array(buffer, start + parts.rangeHigh, count);
    fill(low, min, 'range.min', Number.isFinite, 'finite float32');
    fill(high, max, 'range.max', Number.isFinite, 'finite float32');
    const at = low.findIndex((value, index) => value > high[index]!);
    if (at >= 0) throw wrong(`range.min not above range.max`, `${low[at]} above ${high[at]} at ${at}`);
  }
}

function fill(
  target: Float32Array | CodeArray,
  given: number | ArrayLike<number>,
  name: string,
  isRight: (value: number) => boolean,
  expected: string,
): void {
  const isArray = typeof given === 'object' && given !== null && typeof given.length === 'number';
  if (!isArray && target.length > 1 && typeof given === 'number') {
    throw wrong(`${target.length} values as ${name}`, got(given));
  }
  if (isArray && given.length !== target.length) throw wrong(`${target.length} values as ${name}`, `${given.length}`);
  for (let index = 0; index < target.length; index++) {
    const value = isArray ? given[index] : given;
    if (typeof value !== 'number') throw wrong(`${expected} as ${name}`, got(value));
    if (target instanceof Float32Array) target[index] = value;
    if (!isRight(target instanceof Float32Array ? target[index]! : value)) {
      throw wrong(`${expected} as ${name}`, `${value} at ${index}`);
    }
    target[index] = value;
  }
}

function wrong(expected: string, actual: string): Error {
  return fail('ERR_QUANTLANE_PARAMETERS', `Expected ${expected}, got ${actual}`);
}
