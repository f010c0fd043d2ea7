/** The vectors of PyTorch, in every place. */
import { describe, expect, test } from 'vitest';
import { preset, type Runtime } from '#src/index.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { TORCH_COUNT, type TorchVector, torchVectors } from '../support/torch-vectors.js';
import { difference } from '../support/vectors.js';
import { copied, FORCED, leaseOf } from './helpers.js';

const VECTORS = torchVectors();

async function runVector(runtime: Runtime, vector: TorchVector): Promise<string[]> {
  const { shape, data, observer, expected } = vector;
  const scheme = preset(vector.preset, vector.options);
  const options = observer === undefined ? {} : { range: observer.range() };
  const quantized = await runtime.quantize(leaseOf(runtime, shape, data), scheme, options);
  const found = [
    difference(copied(quantized.data), expected.codes),
    difference(copied(quantized.scale), expected.scale),
  ];
  if (expected.zeroPoint !== undefined) found.push(difference(copied(quantized.zeroPoint), expected.zeroPoint));
  const values = await runtime.dequantize(quantized);
  found.push(difference(copied(values.data), expected.dequantized));
  values.release();
  quantized.release();
  return found.filter((text) => text !== '');
}

test('every vector is there', () => {
  expect(VECTORS).toHaveLength(TORCH_COUNT);
  expect(VECTORS.filter(({ observer }) => observer !== undefined)).toHaveLength(21 + 15);
});

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('gives the bytes of PyTorch', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const wrong: Record<string, string[]> = {};
      for (const vector of VECTORS) {
        const found = await runVector(runtime, vector);
        if (found.length > 0) wrong[vector.name] = found;
      }
      expect(wrong).toEqual({});
    });
  });
});
