import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bytesOf,
  checkDtype,
  elementsOf,
  INPUT_DTYPE_BYTES,
  INPUT_DTYPES,
  isInputDtype,
  viewOf,
} from '#src/memory/index.js';
import { codeOf } from './helpers.js';

test('the types, their bytes and their views', () => {
  expect(INPUT_DTYPES).toEqual(['float32', 'float16', 'bfloat16']);
  expect(INPUT_DTYPE_BYTES).toEqual({ float32: 4, float16: 2, bfloat16: 2 });
  const buffer = new SharedArrayBuffer(256);
  for (const dtype of INPUT_DTYPES) {
    const view = viewOf(dtype, buffer, 64, 3);
    expect(view).toBeInstanceOf(dtype === 'float32' ? Float32Array : Uint16Array);
    expect(view.buffer).toBe(buffer);
    expect([view.byteOffset, view.length, view.BYTES_PER_ELEMENT]).toEqual([64, 3, INPUT_DTYPE_BYTES[dtype]]);
  }
});

test.each(['int8', 'float64', 'FLOAT32', '', 'toString', 'constructor', undefined, null, 4, {}])(
  '%j is no input type',
  (dtype) => {
    expect(isInputDtype(dtype)).toBe(false);
    expect(codeOf(() => checkDtype(dtype as never))).toBe('ERR_QUANTLANE_DTYPE');
    expect(codeOf(() => bytesOf(dtype as never, [1]))).toBe('ERR_QUANTLANE_DTYPE');
    expect(codeOf(() => viewOf(dtype as never, new SharedArrayBuffer(8), 0, 1))).toBe('ERR_QUANTLANE_DTYPE');
  },
);

test.each([
  [[], 1],
  [[7], 7],
  [[0], 0],
  [[3, 4], 12],
  [[5, 0, 3], 0],
  [[1, 2, 1, 2, 1, 2, 1, 2], 16],
  [[2 ** 26, 2 ** 26], 2 ** 52],
])('the shape %j has %d elements', (shape, elements) => {
  expect(elementsOf(shape)).toBe(elements);
});

test.each([
  ['too many dimensions', [1, 1, 1, 1, 1, 1, 1, 1, 1]],
  ['a negative dimension', [-1]],
  ['negative zero', [-0]],
  ['a fraction', [1.5]],
  ['an unsafe integer', [2 ** 53]],
  ['an overflow', [2 ** 27, 2 ** 27]],
  ['an overflow that a zero would hide', [2 ** 27, 2 ** 27, 0]],
  ['an overflow behind a zero', [0, 2 ** 27, 2 ** 27]],
  ['NaN', [Number.NaN]],
  ['text', ['3']],
  ['a big integer', [3n]],
  ['a hole', new Array(2)],
  ['a number', 3],
  ['a typed array', Int32Array.of(3)],
  ['nothing', undefined],
  ['null', null],
  ['an array-like', { length: 1, 0: 3 }],
])('a shape that is refused: %s', (_, shape) => {
  expect(codeOf(() => elementsOf(shape as never))).toBe('ERR_QUANTLANE_SHAPE');
  expect(codeOf(() => bytesOf('float32', shape as never))).toBe('ERR_QUANTLANE_SHAPE');
});

test('bytes overflow where elements do not', () => {
  expect(elementsOf([2 ** 52])).toBe(2 ** 52);
  expect(codeOf(() => bytesOf('float32', [2 ** 52]))).toBe('ERR_QUANTLANE_SHAPE');
  expect(bytesOf('float16', [2 ** 51])).toBe(2 ** 52);
});

test('elements do not depend on the order of the dimensions', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 8 }), (shape) => {
      expect(elementsOf([...shape].reverse())).toBe(elementsOf(shape));
      expect(bytesOf('bfloat16', shape)).toBe(2 * elementsOf(shape));
    }),
  );
});
