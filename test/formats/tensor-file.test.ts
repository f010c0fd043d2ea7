import { describe, expect, test } from 'vitest';
import { ArgumentError } from '#src/errors.js';
import { elementCount, FILE_DTYPE_BYTES, type FileDtype, isFileDtype, tensorBytes } from '#src/formats/index.js';
import { shapeProblem } from '#src/formats/tensor-file.js';
import { DTYPES } from './files.js';

describe('element types', () => {
  test.each(DTYPES)('%s has %i bytes', (dtype, bytes) => {
    expect(FILE_DTYPE_BYTES[dtype]).toBe(bytes);
    expect(tensorBytes(dtype, [3, 5])).toBe(15 * bytes);
  });

  test('the table holds no other type', () => {
    expect(Object.keys(FILE_DTYPE_BYTES).sort()).toEqual(DTYPES.map(([dtype]) => dtype).sort());
  });

  test.each(['float', 'F32', '', 'constructor', '__proto__', 'toString', 4, null, undefined])('%s is none', (value) => {
    expect(isFileDtype(value)).toBe(false);
  });

  test('an unknown type is an argument error', () => {
    expect(() => tensorBytes('complex64' as FileDtype, [1])).toThrow(/Expected one of float64, .*got "complex64"/);
  });
});

describe('shapes', () => {
  test.each([
    [[], 1],
    [[0], 0],
    [[0, 5], 0],
    [[7], 7],
    [[3, 4], 12],
    [[2, 3, 4, 5], 120],
    [[2 ** 31, 2 ** 21], 2 ** 52],
    [Array(32).fill(1), 1],
  ])('%j has %i elements', (shape, count) => {
    expect(elementCount(shape)).toBe(count);
  });

  test.each([
    ['a negative dimension', [2, -1]],
    ['negative zero', [-0]],
    ['a fraction', [1.5]],
    ['NaN', [Number.NaN]],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['a dimension of 2^53', [2 ** 53]],
    ['a product of 2^53', [2 ** 27, 2 ** 26]],
    ['a product far above 2^53', Array(32).fill(2 ** 52)],
    ['an overflow beside a zero', [0, 2 ** 40, 2 ** 40]],
    ['33 dimensions', Array(33).fill(1)],
    ['text for a number', ['3'] as unknown as number[]],
    ['no list', 3 as unknown as number[]],
  ])('%s is refused', (_, shape) => {
    expect(() => elementCount(shape)).toThrow(ArgumentError);
    expect(() => elementCount(shape)).toThrow(/^Expected/);
    expect(shapeProblem(shape)).toMatch(/^Expected .*, got /);
  });

  test('the bytes may overflow where the elements do not', () => {
    expect(elementCount([2 ** 52])).toBe(2 ** 52);
    expect(() => tensorBytes('float32', [2 ** 52])).toThrow(/below 2\^53 bytes/);
    expect(tensorBytes('uint8', [2 ** 52])).toBe(2 ** 52);
  });
});
