/** The presets with planar 8-bit codes: vectors of PyTorch and golden rows of every system, in every place. */
import { describe, expect, test } from 'vitest';
import { PRESETS, preset, type Runtime } from '#src/index.js';
import { EIGHTS, type EightsCase } from '../support/eights.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { TORCH_COUNT, type TorchVector, torchVectors } from '../support/torch-vectors.js';
import { difference } from '../support/vectors.js';
import { copied, FORCED, leaseOf } from './helpers.js';

const VECTORS = torchVectors();

async function runVector(runtime: Runtime, vector: TorchVector): Promise<string[]> {
  const { scheme, shape, data, range, parameters, expected } = vector;
  const options = { ...(range && { range }), ...(parameters && { parameters }) };
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

async function runRow(runtime: Runtime, golden: EightsCase): Promise<string[]> {
  const { input, codes, zeroPoint, parameters, options } = golden;
  const scheme = preset(golden.preset, options);
  const lease = leaseOf(runtime, [1, input.length], Float32Array.from(input));
  const quantized = await runtime.quantize(lease, scheme, { ...(parameters && { parameters }) });
  const scale = scheme.scaleDtype === 'float64' ? golden.scale : Math.fround(golden.scale);
  const found: string[] = [];
  if (quantized.data.join() !== codes.join()) found.push(`codes ${quantized.data.join()}, expected ${codes.join()}`);
  if (quantized.scale?.[0] !== scale) found.push(`scale ${quantized.scale?.[0]}, expected ${scale}`);
  if (quantized.zeroPoint?.[0] !== zeroPoint)
    found.push(`zero point ${quantized.zeroPoint?.[0]}, expected ${zeroPoint}`);
  quantized.release();
  return found;
}

test('every vector is there', () => {
  expect(VECTORS).toHaveLength(TORCH_COUNT);
});

test('every preset has golden rows here or in the other table', () => {
  const others = /^(onnx|ggml)-|^(torchao-int8|vllm-int8-per-token|xnnpack-qd8)$/;
  const names = PRESETS.filter(({ name }) => preset(name).layout === 'planar' && !others.test(name));
  expect([...new Set(EIGHTS.map((golden) => golden.preset))].sort()).toEqual(names.map(({ name }) => name).sort());
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

  test('gives the golden rows', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const wrong: Record<string, string[]> = {};
      for (const golden of EIGHTS) {
        const found = await runRow(runtime, golden);
        if (found.length > 0) wrong[golden.name] = found;
      }
      expect(wrong).toEqual({});
    });
  });
});
