/** The vectors of ONNX Runtime and ggml through the command line: codes, parameters and values of the real systems. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allVectors, GGML_TYPES, VECTOR_COUNTS, type VectorCase } from '../support/vectors.js';
import { putNpy, temporaryFolder } from './helpers.js';
import { expectVectors } from './round-trip.js';

const folder = await temporaryFolder();
const vectors = allVectors();
const KERNELS = ['simd', 'scalar'] as const;

function ofPreset(name: string): VectorCase[] {
  return vectors.filter(({ preset }) => preset === name);
}

it('has them all', () => {
  const { onnxDynamic, onnxStatic, ggml } = VECTOR_COUNTS;
  expect(['onnx-dynamic', 'onnx-static'].map((name) => ofPreset(name).length)).toEqual([onnxDynamic, onnxStatic]);
  expect(GGML_TYPES.map((type) => ofPreset(`ggml-${type}`).length)).toEqual(GGML_TYPES.map(() => 9));
  expect(ggml).toBe(9 * GGML_TYPES.length);
});

it.each(KERNELS)('onnx-dynamic, %s', (kernels) =>
  expectVectors(folder, ofPreset('onnx-dynamic'), ['--kernels', kernels]),
);

describe.each(GGML_TYPES)('ggml-%s', (type) => {
  it.each(KERNELS)('%s', (kernels) => expectVectors(folder, ofPreset(`ggml-${type}`), ['--kernels', kernels]));
});

it.each(ofPreset('onnx-static'))('$name', async (one) => {
  const { dtype, axis, blockSize } = one.options;
  const { scale, zeroPoint, shape } = one.parameters!;
  const name = join(folder, one.name.replaceAll('/', '-'));
  const words = [
    ...['--scale', await putNpy(`${name}.scale.npy`, 'float32', shape, scale)],
    ...['--zero-point', await putNpy(`${name}.zero_point.npy`, dtype!, shape, zeroPoint)],
    // The axis 1 is the default.
    ...(axis === undefined || axis === 1 ? [] : ['--axis', String(axis)]),
    ...(blockSize === undefined ? [] : ['--block-size', String(blockSize)]),
  ];
  for (const kernels of KERNELS) await expectVectors(folder, [one], [...words, '--kernels', kernels]);
  await expectVectors(folder, [one], [...words, '--dtype', dtype!, '--memory', '24KiB']);
});
