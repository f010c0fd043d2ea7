/** The axes of the schemes, one after the other: presets that differ in one of them differ as their systems do. */
import { describe, expect, test } from 'vitest';
import { defineScheme, perToken, preset, type Scheme } from '#src/index.js';
import { gaussian, randomOf } from '../support/families.js';
import { BLOCK, ONE_SIDED, TIES, UNEVEN } from '../support/golden/inputs.js';
import { fromBits } from '../support/golden/row.js';
import { GGML_WASM, TFLITE_NEON, VLLM_CPU } from '../support/golden/systems.js';
import { row, shareOf } from './one-row.js';

const { fround } = Math;

/** A preset with some of its rules changed. */
function changed(name: string, changes: Partial<Scheme> | undefined): Scheme {
  return defineScheme({ ...preset(name), ...changes });
}

/** Mean squared error of a row. */
function errorOf(values: ArrayLike<number>, back: readonly number[]): number {
  return back.reduce((sum, value, at) => sum + (value - values[at]!) ** 2, 0) / back.length;
}

/** 256 rows of 256 values. */
const SHAPE = [256, 256];
const NORMAL = gaussian(65_536, 1);

describe('codes of normal values in rows of 256, against half to even of x · (127 / amax)', () => {
  const even = () => row('vllm-int8-per-token', NORMAL, {}, SHAPE);

  test('x · (1 / (amax / 127)) and x / (amax / 127): next to nothing', async () => {
    const { codes } = await even();
    const reciprocal = await row('torch-per-token', NORMAL, {}, SHAPE);
    const divided = await row(changed('torch-per-token', { apply: 'divide' }), NORMAL, {}, SHAPE);
    expect(shareOf(codes, reciprocal.codes)).toBeLessThan(1e-4);
    expect(shareOf(codes, divided.codes)).toBeLessThan(1e-4);
  });

  test('127.5 steps: 13 % of the codes, and no other error', async () => {
    const [narrow, wide] = [await even(), await row('torchao-int8', NORMAL, {}, SHAPE)];
    expect(shareOf(narrow.codes, wide.codes)).toBeCloseTo(0.132, 2);
    expect(errorOf(NORMAL, wide.values) / errorOf(NORMAL, narrow.values)).toBeCloseTo(1, 1);
  });

  test('cut off: half of the codes, and four times the error', async () => {
    const [nearest, cut] = [
      await even(),
      await row(changed('vllm-int8-group', { granularity: perToken }), NORMAL, {}, SHAPE),
    ];
    expect(shareOf(nearest.codes, cut.codes)).toBeCloseTo(0.497, 2);
    expect(errorOf(NORMAL, cut.values) / errorOf(NORMAL, nearest.values)).toBeCloseTo(4, 0);
  });
});

test.each([
  { divisor: 127, share: 0.044 },
  { divisor: 255, share: 0.706 },
  { divisor: 448, share: 0.547 },
  { divisor: 6, share: 0.334 },
])('amax / $divisor and amax · (1 / $divisor) differ in $share of the scales', async ({ divisor, share }) => {
  const random = randomOf(divisor);
  const values = Float32Array.from({ length: 50_000 }, () => random() * 100);
  const base = { divisor, granularity: perToken };
  const divided = await row(changed('vllm-int8-group', base), values, {}, [values.length, 1]);
  const multiplied = await row(changed('sglang-int8-group', base), values, {}, [values.length, 1]);
  expect(Math.abs(shareOf(divided.scales, multiplied.scales) - share)).toBeLessThan(0.01);
});

describe('ggml, Q8_0', () => {
  test('the reference, x86, ARM and WebAssembly', async () => {
    const values = [...TIES, ...TIES];
    const planar = { ...GGML_WASM.changes };
    const codesOf = async (scheme: string | Scheme) =>
      [...Buffer.from((await row(scheme, values)).bytes, 'hex')].slice(2);
    const [reference, x86] = [await codesOf('ggml-q8_0'), await codesOf('ggml-q8_0-x86')];
    const arm = await codesOf(changed('ggml-q8_0', { ...planar, rounding: 'half-even' }));
    const wasm = await codesOf(changed('ggml-q8_0', planar));
    // 0.5, 2.5, −0.5, 126.5 and −126.5 are away from zero; 1.5 and 3.5 are even above.
    expect(reference.flatMap((code, at) => (code === x86[at] ? [] : [values[at]])).slice(0, 6)).toEqual([
      ...[0.5, 2.5, -0.5, -2.5, 126.5, -126.5],
    ]);
    // The multipliers of x86 and ARM differ where this one does not show.
    expect(arm).toEqual(x86);
    expect(wasm.map((code) => (code << 24) >> 24).slice(0, 16)).toEqual(TIES.map((value) => Math.trunc(value) + 0));
  });

  test('codes follow from the float32 scale, not from the float16 one beside them', async () => {
    const values = gaussian(32 * 64, 3);
    const { bytes } = await row('ggml-q8_0', values, {}, [64, 32]);
    const blocks = Buffer.from(bytes, 'hex');
    let moved = 0;
    for (let block = 0; block < 64; block++) {
      const mine = values.subarray(block * 32, block * 32 + 32);
      const amax = mine.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const exact = fround(1 / fround(amax / 127));
      const scale = float16(blocks.readUInt16LE(block * 34));
      for (const [at, value] of mine.entries()) {
        const code = blocks.readInt8(block * 34 + 2 + at);
        expect(code).toBe(away(fround(value * exact)));
        if (code !== away(value / scale)) moved++;
      }
    }
    expect(moved).toBeGreaterThan(0);
  });

  test('a range with a minimum, and one about zero', async () => {
    const values = Array.from({ length: 32 }, (_, at) => 10 + at / 31);
    const [minimum, about] = [await row('ggml-q4_1', values), await row('ggml-q4_0', values)];
    expect(errorOf(values, minimum.values)).toBeLessThan(errorOf(values, about.values) / 100);
  });
});

describe('zero points', () => {
  test('XNNPACK tests a sign, TFLite compares errors in float64', async () => {
    const [xnnpack, tflite] = [await row('xnnpack-qd8', UNEVEN), await row('tflite-int8-affine', UNEVEN)];
    expect([xnnpack.zeroPoint, tflite.zeroPoint]).toEqual([-120, -121]);
    expect(xnnpack.scale).toBe(tflite.scale);
  });

  test('XNNPACK stores the inverse of its multiplier, PyTorch the quotient', async () => {
    const [xnnpack, torch] = [await row('xnnpack-qd8', BLOCK), await row('torch-int8-affine', BLOCK)];
    expect([xnnpack.scale, torch.scale]).toEqual([fromBits(0x3cfcfcfe), fromBits(0x3cfcfcfd)]);
    expect(xnnpack.codes).toEqual(torch.codes);
  });

  test('TFLite adds it before rounding, its kernels for NEON after', async () => {
    const portable = await row('tflite-int8-affine', UNEVEN);
    const neon = await row(changed('tflite-int8-affine', TFLITE_NEON.changes), UNEVEN);
    expect(portable.codes).toEqual([83, 89, -112, -128, -54, -45, 83, 127]);
    expect(neon.codes).toEqual([83, 89, -112, -128, -53, -44, 83, 127]);
  });

  test('vLLM adds it after rounding, on a CPU before', async () => {
    const cpu = changed('vllm-int8-azp', VLLM_CPU.changes);
    // v = −42.5 and 42.5 with the zero point −43.
    const values = [-1, -0.5, 0, 0.5, 1, 2];
    expect((await row('vllm-int8-azp', values)).codes).toEqual([-128, -85, -43, -1, 42, 127]);
    expect((await row(cpu, values)).codes).toEqual([-128, -86, -43, 0, 42, 127]);
  });

  test('zero is in every range but that of vLLM', async () => {
    const affine = ['onnx-dynamic', 'torch-int8-affine', 'xnnpack-qd8', 'tflite-int8-affine', 'torch-per-token-affine'];
    for (const name of affine) {
      const { zeroPoint } = await row(name, ONE_SIDED);
      expect(preset(name).codes, name).toContain(zeroPoint);
    }
    expect((await row('vllm-int8-azp', ONE_SIDED)).zeroPoint).toBe(-281);
  });

  test('of zeros: each system has its own parameters', async () => {
    const zeros = async (name: string) => {
      const { scale, zeroPoint } = await row(name, [0, 0]);
      return [scale, zeroPoint];
    };
    expect(await zeros('onnx-dynamic')).toEqual([1, 0]);
    expect(await zeros('torch-dynamic')).toEqual([0.1, 0]);
    expect(await zeros('torch-int8-affine')).toEqual([2 ** -23, -128]);
    expect(await zeros('torch-per-token-affine')).toEqual([2 ** -23, 127]);
    expect(await zeros('xnnpack-qd8')).toEqual([1, 127]);
    expect(await zeros('tflite-int8-affine')).toEqual([1, 0]);
  });
});

/** Half away from zero, of a product that is a float32. */
function away(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5) + 0;
}

/** A normal float16. */
function float16(bits: number): number {
  return (1024 + (bits & 1023)) * 2 ** (((bits >> 10) & 31) - 25);
}
