import { describe, expect, test } from 'vitest';
import {
  defineScheme,
  type PlainTensor,
  perChannel,
  preset,
  type QuantizeOptions,
  type SchemeInput,
} from '#src/index.js';
import { codeOf, rejection } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';

const F32 = new Float32Array(12);
const TENSOR: PlainTensor = { dtype: 'float32', shape: [3, 4], data: F32 };
const BLOCKS: PlainTensor = { dtype: 'float32', shape: [1, 32], data: new Float32Array(32) };

type Case = readonly [string, unknown, SchemeInput, QuantizeOptions, string];

const CHANNELS = defineScheme({ ...preset('onnx-static'), granularity: perChannel(0) });

const CASES: readonly Case[] = [
  ['nothing', undefined, 'onnx-dynamic', {}, 'ERR_QUANTLANE_ARGUMENT'],
  ['null', null, 'onnx-dynamic', {}, 'ERR_QUANTLANE_ARGUMENT'],
  ['a bare array', F32, 'onnx-dynamic', {}, 'ERR_QUANTLANE_DTYPE'],
  ['an unknown dtype', { ...TENSOR, dtype: 'float64' }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_DTYPE'],
  ['data of another type', { ...TENSOR, data: new Float64Array(12) }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_DTYPE'],
  ['floats as half', { ...TENSOR, dtype: 'float16' }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_DTYPE'],
  ['a list as data', { ...TENSOR, data: [1, 2] }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_DTYPE'],
  ['too few values', { ...TENSOR, shape: [3, 5] }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_SHAPE'],
  ['too many values', { ...TENSOR, shape: [3] }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_SHAPE'],
  ['no shape', { ...TENSOR, shape: undefined }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_SHAPE'],
  ['a negative size', { ...TENSOR, shape: [-3, -4] }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_SHAPE'],
  ['nine dimensions', { ...TENSOR, shape: [12, 1, 1, 1, 1, 1, 1, 1, 1] }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_SHAPE'],
  ['no values', { ...TENSOR, shape: [0], data: new Float32Array() }, 'onnx-dynamic', {}, 'ERR_QUANTLANE_SHAPE'],
  ['no rows', { ...TENSOR, shape: [0, 4], data: new Float32Array() }, 'torchao-int8', {}, 'ERR_QUANTLANE_SHAPE'],
  ['no columns', { ...TENSOR, shape: [4, 0], data: new Float32Array() }, 'torchao-int8', {}, 'ERR_QUANTLANE_SHAPE'],
  ['a scalar for rows', { ...TENSOR, shape: [], data: F32.subarray(0, 1) }, 'torchao-int8', {}, 'ERR_QUANTLANE_SHAPE'],
  ['rows shorter than a block', TENSOR, 'ggml-q8_0', {}, 'ERR_QUANTLANE_SHAPE'],
  ['an unknown preset', TENSOR, 'onnx', {}, 'ERR_QUANTLANE_PRESET'],
  ['a scheme that is none', TENSOR, {} as SchemeInput, {}, 'ERR_QUANTLANE_ARGUMENT'],
  ['a number as scheme', TENSOR, 8 as unknown as SchemeInput, {}, 'ERR_QUANTLANE_ARGUMENT'],
  ['parameters of a dynamic scheme', TENSOR, 'torchao-int8', { parameters: { scale: 1 } }, 'ERR_QUANTLANE_PARAMETERS'],
  ['no parameters', TENSOR, 'onnx-static', {}, 'ERR_QUANTLANE_PARAMETERS'],
  ['a range for given parameters', TENSOR, 'onnx-static', { range: { min: 0, max: 1 } }, 'ERR_QUANTLANE_PARAMETERS'],
  ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-50, 1e39, '1', 1n, undefined, null].map(
    (scale): Case => [
      `a scale of ${String(scale)}`,
      TENSOR,
      'onnx-static',
      { parameters: { scale: scale as number } },
      'ERR_QUANTLANE_PARAMETERS',
    ],
  ),
  ...[-1, 256, 0.5, Number.NaN, '0'].map(
    (zeroPoint): Case => [
      `a zero point of ${zeroPoint}`,
      TENSOR,
      'onnx-static',
      { parameters: { scale: 1, zeroPoint: zeroPoint as number } },
      'ERR_QUANTLANE_PARAMETERS',
    ],
  ),
  ['one scale for three channels', TENSOR, CHANNELS, { parameters: { scale: 1 } }, 'ERR_QUANTLANE_PARAMETERS'],
  ['two scales for three', TENSOR, CHANNELS, { parameters: { scale: [1, 2] } }, 'ERR_QUANTLANE_PARAMETERS'],
  [
    'a hole among the scales',
    TENSOR,
    CHANNELS,
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
    { parameters: { scale: [1, , 2] as number[] } },
    'ERR_QUANTLANE_PARAMETERS',
  ],
  ['a range upside down', TENSOR, 'onnx-dynamic', { range: { min: 1, max: -1 } }, 'ERR_QUANTLANE_PARAMETERS'],
  ['a range without end', TENSOR, 'onnx-dynamic', { range: { min: 0, max: Infinity } }, 'ERR_QUANTLANE_PARAMETERS'],
  ['a range of NaN', TENSOR, 'onnx-dynamic', { range: { min: Number.NaN, max: 1 } }, 'ERR_QUANTLANE_PARAMETERS'],
  ['a range for blocks', BLOCKS, 'ggml-q4_0', { range: { min: 0, max: 1 } }, 'ERR_QUANTLANE_PARAMETERS'],
  ['one range for three rows', TENSOR, 'torchao-int8', { range: { min: 0, max: 1 } }, 'ERR_QUANTLANE_PARAMETERS'],
];

describe('refused calls', () => {
  test.each(CASES)('%s', async (_, tensor, scheme, options, code) => {
    await withRuntime({ memory: '1MiB' }, async (runtime) => {
      const input = tensor as PlainTensor;
      expect(await rejection(runtime.quantize(input, scheme, options))).toBe(code);
      expect(codeOf(() => runtime.quantizeSync(input, scheme, options))).toBe(code);
    });
  });

  test('leases of wrong types and shapes', async () => {
    await withRuntime({ memory: '1MiB' }, async (runtime) => {
      expect(codeOf(() => runtime.lease('int8' as 'float32', [1]))).toBe('ERR_QUANTLANE_DTYPE');
      expect(codeOf(() => runtime.lease('float32', [1.5]))).toBe('ERR_QUANTLANE_SHAPE');
      expect(codeOf(() => runtime.lease('float32', [2 ** 20]))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
      expect(await rejection(runtime.acquire('float32', [2 ** 20]))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
      expect(await rejection(runtime.acquire('float32', [-1]))).toBe('ERR_QUANTLANE_SHAPE');
      expect(codeOf(() => runtime.hasRoom('float64' as 'float32', [1]))).toBe('ERR_QUANTLANE_DTYPE');
      expect(runtime.hasRoom('float32', [2 ** 20])).toBe(false);
      expect(runtime.hasRoom('float32', [2 ** 18])).toBe(true);
    });
  });

  test('a range of a scheme with given parameters', async () => {
    await withRuntime({ memory: '1MiB' }, async (runtime) => {
      expect(await rejection(runtime.range(TENSOR, 'onnx-static'))).toBe('ERR_QUANTLANE_PARAMETERS');
    });
  });

  test('a tensor without values can be leased, not quantized', async () => {
    await withRuntime({ memory: '1MiB' }, async (runtime) => {
      const lease = runtime.lease('float32', [0, 4]);
      expect(lease.data).toHaveLength(0);
      expect(await rejection(runtime.quantize(lease, 'torchao-int8'))).toBe('ERR_QUANTLANE_SHAPE');
    });
  });
});
