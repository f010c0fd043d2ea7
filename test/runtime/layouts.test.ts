import { describe, expect, test } from 'vitest';
import { defineScheme, perBlock, perChannel, perTensor, perToken, preset, type Scheme } from '#src/index.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { FORCED, leaseOf, valuesOf } from './helpers.js';
import { quantizeSimply } from './simple.js';

const SHAPES = [
  [7],
  [100],
  [5, 37],
  [40, 16],
  [3, 50, 20],
  [4, 3, 33],
  [2, 3, 5, 7],
  [3, 18, 2, 17],
  [2, 3, 2, 5, 4],
  [1, 1, 300],
  [300, 1, 1],
  [2, 70_000],
];
const BASES = ['torchao-int8', 'vllm-int8-per-token', 'xnnpack-qd8', 'onnx-dynamic'];
const BLOCKS = [1, 3, 16, 32, 1000];

/** Every granularity on every axis of a shape. */
function granularities(rank: number) {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return [
    perTensor,
    perToken,
    ...axes.map((axis) => perChannel(axis)),
    perChannel(-1),
    ...axes.flatMap((axis) => BLOCKS.map((size) => perBlock(size, axis))),
    perBlock(4),
  ];
}

/** What of a result differs from the simple one; nothing where nothing does. */
function differences(actual: ArrayLike<number> | null, expected: readonly number[]): string[] {
  const found: string[] = [];
  if ((actual?.length ?? 0) !== expected.length) return [`length ${actual?.length}, expected ${expected.length}`];
  for (let at = 0; at < expected.length && found.length < 3; at++) {
    if (actual![at] !== expected[at]) found.push(`${at}: ${actual![at]}, expected ${expected[at]}`);
  }
  return found;
}

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('every granularity, axis, tail and rank', async () => {
    await withRuntime({ ...place, ...FORCED, memory: '64MiB' }, async (runtime) => {
      const wrong: Record<string, unknown> = {};
      let turn = 0;
      for (const shape of SHAPES) {
        const elements = shape.reduce((a, b) => a * b);
        const values = valuesOf(elements, elements);
        for (const granularity of granularities(shape.length)) {
          // One base a case, in turn: all combinations would take minutes.
          const base = BASES[turn++ % BASES.length]!;
          if (elements > 10_000 && turn % 3 !== 0) continue;
          const scheme: Scheme = defineScheme({ ...preset(base), granularity });
          const quantized = await runtime.quantize(leaseOf(runtime, shape, values), scheme);
          const expected = quantizeSimply(scheme, shape, values);
          const found = {
            codes: differences(quantized.data, expected.codes),
            scale: differences(quantized.scale, expected.scale),
            zeroPoint: differences(quantized.zeroPoint, expected.zeroPoint),
          };
          expect(quantized.parameterShape).toEqual(expected.parameterShape);
          expect(quantized.dataShape).toEqual(shape);
          quantized.release();
          if (Object.values(found).some((list) => list.length > 0)) {
            wrong[`${base} ${JSON.stringify(granularity)} on [${shape}]`] = found;
          }
        }
      }
      expect(wrong).toEqual({});
    });
  });
});

describe('other axes of a scheme', () => {
  const base = preset('vllm-int8-per-token');
  const schemes: Record<string, Scheme> = {
    '4 bits': { ...base, codes: [-7, 7], divisor: 7 },
    'a code range off the middle': {
      ...preset('onnx-dynamic'),
      codes: [3, 200],
      divisor: 197,
      nan: { code: 3, poisons: true },
    },
    'half-away, reciprocal form': { ...base, rounding: 'half-away', scaleForm: 'reciprocal', apply: 'reciprocal' },
    'int16, inverse form': {
      ...preset('xnnpack-qd8'),
      dtype: 'int16',
      codes: [-32768, 32767],
      divisor: 65535,
      scaleForm: 'inverse',
    },
    uint16: { ...preset('onnx-dynamic'), dtype: 'uint16', codes: [0, 65535], divisor: 65535, granularity: perToken },
    'a floor on the extent': { ...base, floor: { on: 'extent', value: 10 } },
    'a floor on the scale': { ...base, apply: 'divide', floor: { on: 'scale', value: 0.25 } },
    'an all-zero rule on the scale': { ...base, apply: 'divide', allZero: { on: 'scale', scale: 2, multiplier: 4 } },
  };

  test.each(Object.keys(schemes))('%s', async (name) => {
    await withRuntime({ lanes: 2, ...FORCED }, async (runtime) => {
      const scheme = defineScheme(schemes[name]!);
      const values = valuesOf(700, 5);
      values.fill(0, 100, 200);
      const quantized = await runtime.quantize(leaseOf(runtime, [7, 100], values), scheme);
      const expected = quantizeSimply(scheme, [7, 100], values);
      expect(differences(quantized.data, expected.codes)).toEqual([]);
      expect(differences(quantized.scale, expected.scale)).toEqual([]);
      expect(differences(quantized.zeroPoint, expected.zeroPoint)).toEqual([]);
      expect(quantized.scheme).toBe(scheme);
      quantized.release();
    });
  });
});
