import { describe, expect, test } from 'vitest';
import { preset } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { leaseOf, valuesOf } from './helpers.js';
import { halfEven } from './simple.js';

const { fround } = Math;

/** `x_q = R(x / S) − Z`, and no code beyond the range of its type. */
function quantize(x: number, S: number, Z: number, [lo, hi]: readonly [number, number]): number {
  // A code is an integer: it has no −0.
  return Math.min(Math.max(halfEven(fround(x / S)) - Z, lo), hi) + 0;
}

/** `x̃ = S · (x_q + Z)` */
function dequantize(q: number, S: number, Z: number): number {
  return fround(S * (q + Z));
}

describe('equation 1 of the survey, as it is written', () => {
  // Schemes that divide; the others are the same formula in another order of operations.
  test.each([
    ['symmetric', { ...preset('vllm-int8-per-token'), apply: 'divide' } as const],
    ['asymmetric', preset('onnx-dynamic')],
  ])('%s', async (_, scheme) => {
    await withRuntime({}, async (runtime) => {
      const x = valuesOf(4096, 7);
      const quantized = await runtime.quantize(leaseOf(runtime, [1, 4096], x), scheme);
      const values = await runtime.dequantize(quantized);
      const S = quantized.scale![0]!;
      const Z = quantized.zeroPoint === null ? 0 : -quantized.zeroPoint[0]!;
      expect(Z === 0).toBe(scheme.symmetric);
      // S = (β − α) / (2^b − 1), here with the 254 steps of a symmetric range.
      const beta = x.reduce((a, b) => Math.max(a, scheme.symmetric ? Math.abs(b) : b), 0);
      const alpha = scheme.symmetric ? -beta : x.reduce((a, b) => Math.min(a, b), 0);
      expect(S).toBe(fround(fround(beta - alpha) / (scheme.symmetric ? 254 : 255)));
      const codes = Array.from(x, (value) => quantize(value, S, Z, scheme.codes));
      expect([...quantized.data]).toEqual(codes);
      expect([...values.data]).toEqual(codes.map((code) => dequantize(code, S, Z)));
      // The error x − x̃ of what is not clipped is at most half a step.
      const errors = x.map((value, at) => Math.abs(value - values.data[at]!));
      expect(Math.max(...errors)).toBeLessThanOrEqual(S * 0.5000001);
      values.release();
      quantized.release();
    });
  });
});
