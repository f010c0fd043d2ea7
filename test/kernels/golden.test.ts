import { describe, expect, test } from 'vitest';
import {
  Apply,
  Dtype,
  Op,
  Quantity,
  Rounding,
  ScaleForm,
  ScaleType,
  Storage,
  ZeroPointRule,
} from '../../src/scheme/codes.js';
import { Sandbox } from './sandbox.js';
import { AFFINE, bitsOf, contentOf, type Outcome, perform, type Rules, SYMMETRIC } from './work.js';

const sandbox = new Sandbox();

/** One row. */
function row(rules: Rules, values: readonly number[]): Outcome {
  const shape = { op: Op.Segments, rows: 1, length: values.length, group: values.length };
  return perform(sandbox, { rules, shape, content: contentOf(Dtype.Float32, values) });
}

const GGML: Rules = {
  ...SYMMETRIC,
  apply: Apply.Reciprocal,
  rounding: Rounding.HalfAway,
  zeroTest: Quantity.Scale,
  scaleType: ScaleType.Float16,
};
const XNNPACK: Rules = {
  ...AFFINE,
  storage: Storage.Int8,
  codes: [-128, 127],
  scaleForm: ScaleForm.Inverse,
  apply: Apply.Direct,
  zeroPointRule: ZeroPointRule.SignTest,
  zeroPointStorage: Storage.Int8,
};
const TORCHAO: Rules = {
  ...SYMMETRIC,
  divisor: 127.5,
  apply: Apply.Reciprocal,
  floorOn: Quantity.Scale,
  floor: 2 ** -23,
};
const DIRECT: Rules = { ...SYMMETRIC, apply: Apply.Direct };

const TIES = [127, -127, 0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, -3.5, 0.49999997, 126.5, -126.5, 63.5, 100.4, -100.6];
const BLOCK = [
  -3.875, -2.125, -0.375, 1.375, 3.125, 4, -1.375, 0.375, 2.125, 0.015625, -2.375, -0.625, 1.125, 2.875, -3.375, -1.625,
  0.125, 1.875, 3.625, -2.625, -0, 0.875, 2.625, -3.625, -1.875, -0.125, 1.625, 3.375, -2.875, -1.125, 0.625, 2.375,
];

describe('published vectors', () => {
  test('ties', () => {
    const even = [127, -127, 0, 2, 2, 4, 0, -2, -2, -4, 0, 126, -126, 64, 100, -101];
    const away = [127, -127, 1, 2, 3, 4, -1, -2, -3, -4, 0, 127, -127, 64, 100, -101];
    const torchao = [127, -128, 1, 2, 3, 4, -1, -2, -3, -4, 1, 127, -127, 64, 101, -101];
    expect([...row(DIRECT, TIES).codes]).toEqual(even);
    expect([...row(SYMMETRIC, TIES).codes]).toEqual(even);
    expect([...row(GGML, TIES).codes]).toEqual(away);
    expect([...row(TORCHAO, TIES).codes]).toEqual(torchao);
  });

  test('one operation more or less moves a code', () => {
    const reciprocal = { ...SYMMETRIC, apply: Apply.Reciprocal };
    const first = [2.7710011, 2.4328079].map(Math.fround);
    const second = [3.9961746, 1.9036895].map(Math.fround);
    expect(first.map(bitsOf)).toEqual([0x40315815, 0x401bb320]);
    expect([DIRECT, reciprocal, SYMMETRIC].map((rules) => row(rules, first).codes[1])).toEqual([111, 112, 111]);
    expect([DIRECT, reciprocal, SYMMETRIC].map((rules) => row(rules, second).codes[1])).toEqual([60, 61, 61]);
  });

  test('zero points', () => {
    const values = [-1, -0.5, 0, 0.5, 1, 2];
    const onnx = row(AFFINE, values);
    expect([...onnx.scales, ...onnx.zeros]).toEqual([Math.fround(3 / 255), 85]);
    expect([...onnx.codes]).toEqual([0, 43, 85, 127, 170, 255]);
    const xnnpack = row(XNNPACK, values);
    expect([...xnnpack.zeros]).toEqual([-43]);
    expect([...xnnpack.codes]).toEqual([-128, -85, -43, -1, 42, 127]);
    const oneSided = [3, 4, 5, 6, 7, 8];
    expect([...row(AFFINE, oneSided).codes]).toEqual([96, 127, 159, 191, 223, 255]);
    expect([...row(XNNPACK, oneSided).codes]).toEqual([-32, 0, 31, 63, 95, 127]);
  });

  test('rows of zeros', () => {
    const zeros = [0, -0, 0, 0];
    const outcomes = [AFFINE, XNNPACK, TORCHAO, SYMMETRIC].map((rules) => row(rules, zeros));
    expect(outcomes.map(({ scales }) => bitsOf(scales[0]!))).toEqual([bitsOf(1), bitsOf(1), bitsOf(2 ** -23), 0]);
    expect(outcomes.map(({ zeros }) => zeros[0])).toEqual([0, 127, 0, 0]);
    expect(outcomes.map(({ codes }) => codes[0])).toEqual([0, 127, 0, 0]);
    expect(Buffer.from(row(GGML, zeros).scaleBytes).toString('hex')).toBe('0000');
  });

  test('a block of 32', () => {
    const ggml = row(GGML, BLOCK);
    expect(Buffer.from(ggml.scaleBytes).toString('hex')).toBe('0828');
    expect(Buffer.from(ggml.codeBytes).toString('hex')).toBe(
      '85bdf42c637fd40c4300b5ec245b95cc043c73ad001c538dc4fc346ba5dc144b',
    );
    const onnx = row(AFFINE, BLOCK);
    expect([bitsOf(onnx.scales[0]!), onnx.zeros[0]]).toEqual([0x3cfcfcfd, 125]);
    expect(Buffer.from(onnx.codeBytes).toString('hex')).toBe(
      '003871aae2ff5089c27e3069a1da104881baf2287d99d2084079b2ea205991ca',
    );
    const xnnpack = row(XNNPACK, BLOCK);
    expect([bitsOf(xnnpack.scales[0]!), xnnpack.zeros[0]]).toEqual([0x3cfcfcfe, -3]);
    expect(Buffer.from(xnnpack.codeBytes).toString('hex')).toBe(
      '80b8f12a627fd00942feb0e9215a90c8013a72a8fd195288c0f9326aa0d9114a',
    );
  });
});
