import { describe, expect, test } from 'vitest';
import { defineScheme, type Granularity, perBlock, perChannel, perTensor, perToken, preset } from '#src/index.js';
import { partsOf } from '#src/runtime/parts.js';
import { type Layout, layoutOf } from '#src/scheme/index.js';
import { codeOf } from '../memory/helpers.js';

function layout(granularity: Granularity, shape: readonly number[]): Layout {
  return layoutOf(defineScheme({ ...preset('torchao-int8'), granularity }), shape);
}

describe('shapes of the parameters', () => {
  const cases: readonly (readonly [Granularity, number[], number[]])[] = [
    [perTensor, [], []],
    [perTensor, [3, 4], []],
    [perToken, [7], [1]],
    [perToken, [3, 4, 5], [3, 4, 1]],
    [perChannel(0), [3, 4, 5], [3]],
    [perChannel(1), [3, 4, 5], [4]],
    [perChannel(2), [3, 4, 5], [5]],
    [perChannel(-1), [3, 4, 5], [5]],
    [perChannel(-3), [3, 4, 5], [3]],
    [perBlock(2), [3, 4, 5], [3, 4, 3]],
    [perBlock(3, 1), [3, 4, 5], [3, 2, 5]],
    [perBlock(100, 0), [3, 4, 5], [1, 4, 5]],
    [perBlock(1, -2), [3, 4, 5], [3, 4, 5]],
  ];

  test.each(cases)('%o on %o: %o', (granularity, shape, expected) => {
    const { parameterShape, parameters, codeShape, elements, codeBytes } = layout(granularity, shape);
    const count = shape.reduce((a, b) => a * b, 1);
    expect(parameterShape).toEqual(expected);
    expect(parameters).toBe(expected.reduce((a, b) => a * b, 1));
    expect({ codeShape, elements, codeBytes }).toEqual({ codeShape: shape, elements: count, codeBytes: count });
  });
});

describe('a shape that a scheme does not fit', () => {
  const cases: readonly (readonly [Granularity, number[]])[] = [
    [perTensor, [0]],
    [perTensor, [3, 0, 4]],
    [perToken, []],
    [perToken, [0, 5]],
    [perChannel(0), []],
    [perChannel(2), [3, 4]],
    [perChannel(-3), [3, 4]],
    [perBlock(4, 1), [12]],
  ];

  test.each(cases)('%o on %o', (granularity, shape) => {
    expect(codeOf(() => layout(granularity, shape))).toBe('ERR_QUANTLANE_SHAPE');
  });
});

describe('blocks of a foreign layout', () => {
  const ggml = preset('ggml-q8_0');

  test('rows of bytes', () => {
    expect(layoutOf(ggml, [32])).toMatchObject({ codeShape: [1, 34], codeBytes: 34, parameterShape: [1] });
    expect(layoutOf(ggml, [5, 96])).toMatchObject({ codeShape: [5, 102], codeBytes: 510, parameterShape: [5, 3] });
    expect(layoutOf(ggml, [2, 5, 64])).toMatchObject({ codeShape: [10, 68], parameterShape: [2, 5, 2] });
  });

  test('rows that end within a block, and rows that are one', () => {
    const bits = preset('st-binary');
    expect(layoutOf(bits, [1])).toMatchObject({ codeShape: [1, 1], parameterShape: [1] });
    expect(layoutOf(bits, [3, 8])).toMatchObject({ codeShape: [3, 1], parameterShape: [3, 1] });
    expect(layoutOf(bits, [2, 3, 17])).toMatchObject({ codeShape: [6, 3], codeBytes: 18, parameterShape: [2, 3, 3] });
    expect(layoutOf(preset('usearch-i8'), [2, 3, 17])).toMatchObject({ codeShape: [6, 17], parameterShape: [2, 3, 1] });
  });

  test('a long row is several units of whole blocks, and one where no blocks divide it', () => {
    expect(layoutOf(ggml, [2, 2 ** 20])).toMatchObject({ codeShape: [2, 34 * 2 ** 15], units: 128, length: 2 ** 14 });
    expect(layoutOf(ggml, [32 * 3 * 1009])).toMatchObject({ codeShape: [1, 34 * 3027], units: 1009, length: 96 });
    expect(layoutOf(preset('st-binary'), [2 ** 20 + 1])).toMatchObject({ units: 1 });
    expect(layoutOf(preset('usearch-i8'), [2 ** 20])).toMatchObject({ units: 1 });
  });

  test.each([1, 16, 31, 33, 48])('rows of %i values are refused', (columns) => {
    expect(codeOf(() => layoutOf(ggml, [3, columns]))).toBe('ERR_QUANTLANE_SHAPE');
  });
});

test('sizes beyond 2 GiB are counted as they are', () => {
  const scheme = preset('torchao-int8');
  const rows = 54_000_000;
  const { bytes } = partsOf(scheme, layoutOf(scheme, [rows, 1]), true, false);
  expect(bytes).toBeGreaterThanOrEqual(rows * (1 + 4 + 80));
  expect(bytes).toBeLessThan(rows * (1 + 4 + 80) + 1024);
});
