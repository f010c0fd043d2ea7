import { describe, expect, test } from 'vitest';
import { GGML_TYPES, type GgmlTypeName } from '#src/formats/index.js';

/** Elements, and the parts of a block in bytes: scales, minima, high bits, codes, sums. */
const LAYOUTS: readonly (readonly [GgmlTypeName, number, readonly number[]])[] = [
  ['Q4_0', 32, [2, 16]],
  ['Q4_1', 32, [2, 2, 16]],
  ['Q5_0', 32, [2, 4, 16]],
  ['Q5_1', 32, [2, 2, 4, 16]],
  ['Q8_0', 32, [2, 32]],
  ['Q8_1', 32, [2, 2, 32]],
  ['Q2_K', 256, [16, 64, 2, 2]],
  ['Q3_K', 256, [32, 64, 12, 2]],
  ['Q4_K', 256, [2, 2, 12, 128]],
  ['Q5_K', 256, [2, 2, 12, 32, 128]],
  ['Q6_K', 256, [128, 64, 16, 2]],
  ['Q8_K', 256, [4, 256, 32]],
  ['IQ2_XXS', 256, [2, 64]],
  ['IQ2_XS', 256, [2, 64, 8]],
  ['IQ3_XXS', 256, [2, 96]],
  ['IQ1_S', 256, [2, 32, 16]],
  ['IQ4_NL', 32, [2, 16]],
  ['IQ3_S', 256, [2, 64, 8, 32, 4]],
  ['IQ2_S', 256, [2, 64, 8, 8]],
  ['IQ4_XS', 256, [2, 2, 4, 128]],
  ['IQ1_M', 256, [32, 16, 8]],
  ['TQ1_0', 256, [48, 4, 2]],
  ['TQ2_0', 256, [64, 2]],
  ['MXFP4', 32, [1, 16]],
  ['NVFP4', 64, [4, 32]],
  ['Q1_0', 128, [2, 16]],
  ['Q2_0', 64, [2, 16]],
];

describe('the table of ggml types', () => {
  test.each(LAYOUTS)('%s', (name, elements, parts) => {
    const bytes = parts.reduce((sum, part) => sum + part, 0);
    expect(GGML_TYPES.get(name)).toMatchObject({ name, elements, bytes, dtype: undefined });
  });

  test('has plain numbers besides', () => {
    const plain = [...GGML_TYPES.values()].filter(({ dtype }) => dtype !== undefined);
    expect(plain.map(({ name, id, elements, bytes, dtype }) => [name, id, elements, bytes, dtype])).toEqual([
      ['F32', 0, 1, 4, 'float32'],
      ['F16', 1, 1, 2, 'float16'],
      ['I8', 24, 1, 1, 'int8'],
      ['I16', 25, 1, 2, 'int16'],
      ['I32', 26, 1, 4, 'int32'],
      ['I64', 27, 1, 8, 'int64'],
      ['F64', 28, 1, 8, 'float64'],
      ['BF16', 30, 1, 2, 'bfloat16'],
    ]);
    expect(GGML_TYPES.size).toBe(plain.length + LAYOUTS.length);
  });

  test('has every number once, and none that was withdrawn', () => {
    const ids = [...GGML_TYPES.values()].map(({ id }) => id);
    const withdrawn = [4, 5, 31, 32, 33, 36, 37, 38];
    expect(ids).toEqual(Array.from({ length: 43 }, (_, id) => id).filter((id) => !withdrawn.includes(id)));
  });
});
