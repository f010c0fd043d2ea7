/** Every reference vector through the command line: the codes, parameters and values of the real systems. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allVectors, difference, GGML_TYPES, VECTOR_COUNTS, type VectorCase } from '../support/vectors.js';
import { putNpy, putSafetensors, readSafetensors, runJson, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const vectors = allVectors();
const KERNELS = ['simd', 'scalar'] as const;

function ofPreset(name: string): VectorCase[] {
  return vectors.filter(({ preset }) => preset === name);
}

/** Writes the inputs of cases to one file, quantizes it and reads the result. */
async function quantized(cases: readonly VectorCase[], words: readonly string[]) {
  const name = cases[0]!.name.replaceAll('/', '-');
  const tensors = Object.fromEntries(cases.map((one) => [one.name, [one.dtype, one.shape, one.data] as const]));
  const input = await putSafetensors(join(folder, `${name}.safetensors`), tensors);
  const out = join(folder, `${name}.out.safetensors`);
  await runJson(['quantize', input, '--preset', cases[0]!.preset, '--out', out, '--lanes', '0', ...words]);
  return { out, ...(await readSafetensors(out)) };
}

async function expectVectors(cases: readonly VectorCase[], words: readonly string[]): Promise<void> {
  const { out, tensors } = await quantized(cases, words);
  const back = `${out}.back.safetensors`;
  await runJson(['dequantize', out, '--out', back, '--lanes', '0']);
  const values = (await readSafetensors(back)).tensors;
  for (const { name, shape, expected } of cases) {
    const { codes, codeShape, scale, zeroPoint, parameterShape, dequantized } = expected;
    expect(tensors[name]!.shape, name).toEqual(codeShape);
    expect(difference(tensors[name]!.bytes, codes), `codes of ${name}`).toBe('');
    for (const [part, wanted] of [
      ['scale', scale],
      ['zero_point', zeroPoint],
    ] as const) {
      const actual = tensors[`${name}.${part}`];
      expect(actual?.shape, `${part} of ${name}`).toEqual(wanted && parameterShape);
      if (wanted !== undefined) expect(difference(actual!.bytes, wanted), `${part} of ${name}`).toBe('');
    }
    expect(values[name]!.shape, name).toEqual(shape);
    if (dequantized !== undefined) expect(difference(values[name]!.bytes, dequantized), `values of ${name}`).toBe('');
  }
}

it('has them all', () => {
  const { onnxDynamic, onnxStatic, ggml } = VECTOR_COUNTS;
  expect(['onnx-dynamic', 'onnx-static'].map((name) => ofPreset(name).length)).toEqual([onnxDynamic, onnxStatic]);
  expect(GGML_TYPES.map((type) => ofPreset(`ggml-${type}`).length)).toEqual(GGML_TYPES.map(() => 9));
  expect(ggml).toBe(9 * GGML_TYPES.length);
});

it.each(KERNELS)('onnx-dynamic, %s', (kernels) => expectVectors(ofPreset('onnx-dynamic'), ['--kernels', kernels]));

describe.each(GGML_TYPES)('ggml-%s', (type) => {
  it.each(KERNELS)('%s', (kernels) => expectVectors(ofPreset(`ggml-${type}`), ['--kernels', kernels]));
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
  for (const kernels of KERNELS) await expectVectors([one], [...words, '--kernels', kernels]);
  await expectVectors([one], [...words, '--dtype', dtype!, '--memory', '24KiB']);
});
