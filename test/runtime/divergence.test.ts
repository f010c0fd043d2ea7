/** Presets that are nearly equal differ exactly where their systems do. */
import { expect, test } from 'vitest';
import { defineScheme, type PresetName, preset } from '#src/index.js';
import { TWO_SIDED, UNEVEN } from '../support/golden/inputs.js';
import { fromBits } from '../support/golden/row.js';
import { valuesOf } from './helpers.js';
import { row } from './one-row.js';

test('PyTorch and FBGEMM: the zero point, and the type of the scale', async () => {
  const torch = await row('torch-dynamic', UNEVEN);
  const fbgemm = await row('fbgemm-dynamic', UNEVEN);
  expect([torch.zeroPoint, fbgemm.zeroPoint]).toEqual([8, 7]);
  expect(fbgemm.scale).toBe(Math.fround(torch.scale));
  expect(torch.scale).not.toBe(fbgemm.scale);
});

test('FBGEMM multiplies with 1 / scale, ONNX divides', async () => {
  const options = { parameters: { scale: fromBits(0x3b0cceaa), zeroPoint: 0 } };
  const x = [fromBits(0x3e8c41db)];
  const torch = defineScheme({ ...preset('torch-uint8-affine'), parameters: 'given' });
  expect((await row(torch, x, options)).codes).toEqual([128]);
  expect((await row(preset('onnx-static'), x, options)).codes).toEqual([127]);
  const lower = { parameters: { scale: fromBits(0x3b0cceaa), zeroPoint: -10 } };
  expect((await row('vllm-int8-static-azp', x, lower)).codes).toEqual([118]);
  expect((await row('vllm-int8-static', x, { parameters: { scale: fromBits(0x3b0cceaa) } })).codes).toEqual([127]);
});

test('an observer rounds, then subtracts; ONNX subtracts, then rounds', async () => {
  // min / scale is just below -0.5; subtracted from -128 in float32 it is exactly a half.
  const values = [-fromBits(0x3f000001), 254.5];
  expect(await row('torch-int8-affine', values)).toMatchObject({ scale: 1, zeroPoint: -127 });
  const last = defineScheme({ ...preset('torch-int8-affine'), zeroPointRule: 'round-last' });
  expect(await row(last, values)).toMatchObject({ scale: 1, zeroPoint: -128 });
});

test('vLLM and SGLang groups: truncated, by a quotient and by a product', async () => {
  const values = valuesOf(4096, 5);
  const vllm = await row('vllm-int8-group', values);
  const sglang = await row('sglang-int8-group', values);
  const rounded = await row(defineScheme({ ...preset('vllm-int8-group'), rounding: 'half-even' }), values);
  const moved = vllm.codes.filter((code, index) => code !== rounded.codes[index]).length;
  expect(moved / values.length).toBeGreaterThan(0.4);
  expect(vllm.codes.every((code, index) => Math.abs(code) <= Math.abs(rounded.codes[index]!))).toBe(true);
  expect(vllm.codes.filter((code, index) => code !== sglang.codes[index]).length).toBeLessThan(64);
  const scales = [(await row('vllm-int8-group', [2.5])).scale, (await row('sglang-int8-group', [2.5])).scale];
  expect(scales[0]).toBe(Math.fround(2.5 / 127));
  expect(scales[1]).toBe(Math.fround(2.5 * Math.fround(1 / 127)));
});

test('vLLM: a range that zero is not in, and a zero point beyond the codes', async () => {
  expect(await row('vllm-int8-azp', [3, 8])).toMatchObject({ zeroPoint: -281, codes: [-128, 127] });
  expect(await row('vllm-int8-azp', [-8, -3])).toMatchObject({ zeroPoint: 280, codes: [-128, 127] });
  const far = await row('vllm-int8-azp', [1000, 1000.01]);
  expect(far.zeroPoint!).toBeLessThan(-(2 ** 24));
  const zeros = defineScheme({ ...preset('vllm-int8-azp'), rangeIncludesZero: true });
  expect(await row(zeros, [3, 8])).toMatchObject({ zeroPoint: -128 });
});

test('a given range of values alone is not extended to zero', async () => {
  const values = [3, 4, 8];
  const range = { range: { min: 3, max: 8 } };
  expect(await row('vllm-int8-azp', values, range)).toEqual(await row('vllm-int8-azp', values));
});

test('the zero point before and after rounding: TFLite, PyTorch and KleidiAI', async () => {
  const [kleidiai, tflite, token, observer] = await Promise.all(
    (['kleidiai-qai8dxp', 'tflite-int8-affine', 'torch-per-token-affine', 'torch-int8-affine'] as const).map((name) =>
      row(name, TWO_SIDED),
    ),
  );
  expect(kleidiai!.codes).toEqual([-128, -86, -43, 0, 42, 127]);
  expect(tflite!.codes).toEqual([-128, -86, -43, -1, 42, 127]);
  expect(token!.codes).toEqual([-128, -85, -43, -1, 42, 127]);
  expect(observer!.codes).toEqual(token!.codes);
  // XNNPACK has KleidiAI's parameters and rounds otherwise.
  const xnnpack = await row('xnnpack-qd8', TWO_SIDED);
  expect([xnnpack.scale, xnnpack.zeroPoint]).toEqual([kleidiai!.scale, kleidiai!.zeroPoint]);
  expect(xnnpack.codes).toEqual([-128, -85, -43, -1, 42, 127]);
});

test('127 or 127.5 steps: per token, and the observers', async () => {
  const token = await row('torch-per-token', [127, -127]);
  const observer = await row('torch-int8-symmetric', [127, -127]);
  expect([token.codes, observer.codes]).toEqual([
    [127, -127],
    [127, -128],
  ]);
});

test('a reduced range halves scale and zero point, and leaves the codes', async () => {
  // The rounded zero point is above the exact one, and so is the code of the largest value.
  const values = [-63, 64.5];
  const reduced = await row(preset('torch-dynamic', { reduceRange: true }), values);
  expect(reduced.scale).toBe(127.5 / 127);
  expect(Math.max(...reduced.codes)).toBeLessThanOrEqual(128);
  const given = { parameters: { scale: 1, zeroPoint: 127 } };
  const scheme = {
    ...preset('torch-dynamic', { reduceRange: true }),
    parameters: 'given',
    scaleDtype: 'float32',
  } as const;
  expect((await row(defineScheme(scheme), [100], given)).codes).toEqual([227]);
});

test('a NaN where it propagates: left out by fmaxf, or the end of the group', async () => {
  const values = [1, Number.NaN, -2, 127];
  const open = (name: PresetName) => row(preset(name, { nonFinite: 'propagate' }), values);
  expect(await open('vllm-int8-group')).toMatchObject({ scale: 1, codes: [1, 0, -2, 127] });
  expect(await open('sglang-int8-group')).toMatchObject({ codes: [1, 0, -2, 127] });
  expect(await open('torch-int8-symmetric')).toMatchObject({ scale: Number.NaN, codes: [127, 127, 127, 127] });
  expect(await open('torch-per-token')).toMatchObject({ scale: Number.NaN, codes: [0, 0, 0, 0] });
});
