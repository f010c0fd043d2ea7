/** Vectors of a real system through `quantize` and `dequantize`. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { difference, type Integers } from '../support/vectors.js';
import { putSafetensors, readSafetensors, runJson } from './helpers.js';

/** A tensor and what becomes of it. */
export interface FileVector {
  readonly name: string;
  readonly dtype: 'float32' | 'float16' | 'bfloat16';
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint16Array;
  readonly preset: string;
  readonly expected: {
    readonly codes: Integers;
    readonly codeShape: readonly number[];
    /** Absent where there is none apart from the codes, as are the zero points. */
    readonly scale?: Float32Array | Float64Array;
    readonly zeroPoint?: Integers;
    readonly parameterShape?: readonly number[];
    /** Absent where the system does not say. */
    readonly dequantized?: Float32Array;
  };
}

/** Quantizes the tensors of one file with one preset, reads them back, and compares every byte. */
export async function expectVectors(
  folder: string,
  vectors: readonly FileVector[],
  words: readonly string[] = [],
): Promise<void> {
  const { name, preset } = vectors[0]!;
  expect(new Set(vectors.map((vector) => vector.preset))).toEqual(new Set([preset]));
  const path = join(folder, name.replaceAll('/', '-'));
  const tensors = Object.fromEntries(vectors.map((one) => [one.name, [one.dtype, one.shape, one.data] as const]));
  const input = await putSafetensors(`${path}.safetensors`, tensors);
  const [out, back] = [`${path}.out.safetensors`, `${path}.back.safetensors`];
  await runJson(['quantize', input, '--preset', preset, '--out', out, '--lanes', '0', ...words]);
  await runJson(['dequantize', out, '--out', back, '--lanes', '0']);
  const coded = (await readSafetensors(out)).tensors;
  const values = (await readSafetensors(back)).tensors;
  for (const { name, shape, expected } of vectors) {
    const { codes, codeShape, scale, zeroPoint, parameterShape, dequantized } = expected;
    expect(coded[name]!.shape, name).toEqual(codeShape);
    expect(difference(coded[name]!.bytes, codes), `codes of ${name}`).toBe('');
    for (const [part, wanted] of [
      ['scale', scale],
      ['zero_point', zeroPoint],
    ] as const) {
      const actual = coded[`${name}.${part}`];
      expect(actual?.shape, `${part} of ${name}`).toEqual(wanted && parameterShape);
      if (wanted !== undefined) expect(difference(actual!.bytes, wanted), `${part} of ${name}`).toBe('');
    }
    expect(values[name]!.shape, name).toEqual(shape);
    if (dequantized !== undefined) expect(difference(values[name]!.bytes, dequantized), `values of ${name}`).toBe('');
  }
}
