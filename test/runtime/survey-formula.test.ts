/**
 * The survey's formula `x_q = R(x / S) − Z`, evaluated literally, against every preset with integer codes and a zero
 * point that is an integer or none: the stored zero point is −Z.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createRuntime,
  PRESETS,
  preset,
  type QuantizeOptions,
  type Scheme,
  type StreamingRuntime,
} from '#src/index.js';
import { randomOf } from '../support/families.js';
import { SCALE_C } from '../support/golden/inputs.js';
import { valuesOf } from './helpers.js';
import { halfEven } from './simple.js';

const { fround } = Math;

/** R: every rounding that a scheme may have, but one by chance. */
const ROUNDINGS: Readonly<Record<string, (value: number) => number>> = {
  'half-even': halfEven,
  'half-away': (value) => Math.sign(value) * Math.round(Math.abs(value)),
  truncate: Math.trunc,
  floor: Math.floor,
};

const COLUMNS = 256;
const ROWS = 300;

/** What a value is, what its code is, and what the formula makes of it. */
interface Pair {
  readonly value: number;
  readonly code: number;
  readonly literal: number;
  /** x / S, and where it would be rounded the other way. */
  readonly quotient: number;
}

let runtime: StreamingRuntime;
beforeAll(async () => {
  runtime = await createRuntime({ lanes: 0, memory: '16MiB' });
});
afterAll(() => runtime.close());

/** Why the formula says nothing of a preset; undefined where it does. */
function exemption(scheme: Scheme & { readonly outliers?: unknown }): string | undefined {
  if (scheme.layout !== 'planar') return 'a block format has rules of its own';
  if (!/^u?int(?:8|16)$/.test(scheme.dtype)) return 'R is not a rounding to integers of a byte or two';
  if (!/^float(?:32|64)$/.test(scheme.scaleDtype)) return 'S is stored with fewer bits';
  if ((scheme.zeroPointRule as string) === 'minimum') return 'Z is no integer: the smallest value is taken off first';
  if ((scheme.outliers ?? null) !== null) return 'outliers are left out of the codes';
  return undefined;
}

/** Whether a system computes as the formula is written: it divides, rounds, then adds the zero point. */
function isLiteral({ apply, zeroPointAdded }: Scheme): boolean {
  return apply === 'divide' && zeroPointAdded === 'after';
}

const DESCRIBED = PRESETS.filter(({ name }) => exemption(preset(name)) === undefined).map(({ name }) => name);
const LITERAL = DESCRIBED.filter((name) => isLiteral(preset(name)));
const OTHERS = DESCRIBED.filter((name) => !isLiteral(preset(name)));

/** A row of values: usual ones, or with many quotients near ties. */
function rowOf(seed: number, step: number): Float32Array {
  if (seed % 2 === 0) return valuesOf(COLUMNS, seed);
  const random = randomOf(seed);
  return Float32Array.from({ length: COLUMNS }, () => (Math.round((random() - 0.5) * 510) / 2) * step);
}

/** Quantizes rows of values and evaluates the formula for each of them; also asserts x̃ = S · (x_q + Z). */
async function pairsOf(name: string): Promise<Pair[]> {
  const scheme = preset(name);
  const { codes, parameters, rounding, symmetric } = scheme;
  const isGiven = parameters === 'given';
  const call: QuantizeOptions = isGiven ? { parameters: { scale: SCALE_C, ...(!symmetric && { zeroPoint: 3 }) } } : {};
  const pairs: Pair[] = [];
  for (let seed = 0; seed < ROWS; seed++) {
    const data = rowOf(seed, isGiven ? SCALE_C : 1 + seed / 64);
    const quantized = runtime.quantizeSync({ dtype: 'float32', shape: [1, COLUMNS], data }, scheme, call);
    const values = await runtime.dequantize(quantized);
    const { data: stored, scale, zeroPoint } = quantized;
    for (const [at, value] of data.entries()) {
      const group = Math.floor((at * scale!.length) / COLUMNS);
      // A float64 scale is used as the nearest float32.
      const S = fround(scale![group]!);
      const Z = zeroPoint === null ? 0 : -zeroPoint[group]!;
      const quotient = fround(value / S);
      const literal = Math.min(Math.max(ROUNDINGS[rounding]!(quotient) - Z, codes[0]), codes[1]);
      const code = stored[at]!;
      pairs.push({ value, code, literal: literal + 0, quotient });
      if (values.data[at] !== fround(S * (code + Z))) expect.fail(`x̃ of ${value} is ${values.data[at]}`);
    }
    values.release();
    quantized.release();
  }
  return pairs;
}

/** How far a quotient is from the place where its rounding turns, in code steps. */
function distance({ quotient }: Pair, rounding: string): number {
  const size = Math.abs(quotient);
  const turn = rounding.startsWith('half') ? Math.floor(size) + 0.5 : Math.round(size);
  return Math.abs(size - turn);
}

test('it is about every affine preset of integers, and the symmetric ones', () => {
  const affine = DESCRIBED.filter((name) => !preset(name).symmetric);
  expect(affine.length).toBeGreaterThanOrEqual(13);
  expect(LITERAL).toEqual(
    expect.arrayContaining(['onnx-dynamic', 'onnx-static', 'vllm-int8-static', 'vllm-int8-group']),
  );
});

describe('systems that compute as the formula is written', () => {
  test.each(LITERAL)('%s', async (name) => {
    const pairs = await pairsOf(name);
    expect(pairs.filter(({ code, literal }) => code !== literal)).toEqual([]);
  });
});

/**
 * They multiply with 1 / S or M / (β − α), or add −Z before they round. Where the quotient is next to a tie, the code
 * beside it comes out; everywhere else it is the formula's.
 */
describe('systems that compute otherwise, and where that shows', () => {
  test.each(OTHERS)('%s', async (name) => {
    const { rounding } = preset(name);
    const differing = (await pairsOf(name)).filter(({ code, literal }) => code !== literal);
    expect(differing.length).toBeGreaterThan(0);
    for (const pair of differing) {
      expect(Math.abs(pair.code - pair.literal)).toBe(1);
      expect(distance(pair, rounding)).toBeLessThan(1e-5);
    }
  });
});

describe('the range [α, β] and the error x − x̃', () => {
  test.each([
    ['symmetric', { ...preset('vllm-int8-per-token'), apply: 'divide' } as const],
    ['asymmetric', preset('onnx-dynamic')],
  ])('%s', async (_, scheme) => {
    const x = valuesOf(4096, 7);
    const quantized = runtime.quantizeSync({ dtype: 'float32', shape: [1, 4096], data: x }, scheme);
    const values = await runtime.dequantize(quantized);
    const S = quantized.scale![0]!;
    // S = (β − α) / (2^b − 1), here with the 254 steps of a symmetric range.
    const beta = x.reduce((a, b) => Math.max(a, scheme.symmetric ? Math.abs(b) : b), 0);
    const alpha = scheme.symmetric ? -beta : x.reduce((a, b) => Math.min(a, b), 0);
    expect(S).toBe(fround(fround(beta - alpha) / (scheme.symmetric ? 254 : 255)));
    // The error of what is not clipped is at most half a step.
    const errors = x.map((value, at) => Math.abs(value - values.data[at]!));
    expect(Math.max(...errors)).toBeLessThanOrEqual(S * 0.5000001);
    values.release();
    quantized.release();
  });
});
