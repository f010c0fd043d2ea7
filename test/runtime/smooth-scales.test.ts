import { describe, expect, test } from 'vitest';
import { amaxOf, smoothScales } from '#src/index.js';
import { codeOf } from '../memory/helpers.js';

const f = Math.fround;

describe('smoothScales', () => {
  test('by hand', () => {
    expect([...smoothScales([4, 100, 1], [1, 4, 16])]).toEqual([2, 5, 0.25]);
    expect([...smoothScales([4, 9], [2, 3], 1)]).toEqual([4, 9]);
    expect([...smoothScales([4, 9], [2, 4], 0)]).toEqual([0.5, 0.25]);
    expect([...smoothScales([16], [81], 0.75)]).toEqual([f(f(16 ** 0.75) / f(81 ** 0.25))]);
  });

  test('floors: weights and scales are at least 1e-5', () => {
    const [ofNothing, ofSilence] = smoothScales([1, 0], [0, 1]);
    expect(ofNothing).toBe(f(1 / f(Math.sqrt(f(1e-5)))));
    expect(ofSilence).toBe(f(1e-5));
  });

  test.each([
    ['lengths that differ', () => smoothScales([1, 2], [1])],
    ['NaN', () => smoothScales([Number.NaN], [1])],
    ['a negative magnitude', () => smoothScales([1], [-1])],
    ['an infinite one', () => smoothScales([Infinity], [1])],
    ['alpha above 1', () => smoothScales([1], [1], 1.5)],
    ['alpha that is none', () => smoothScales([1], [1], Number.NaN)],
  ])('refuses %s', (_, call) => {
    expect(codeOf(call)).toBe('ERR_QUANTLANE_ARGUMENT');
  });
});

test('amaxOf takes the larger end', () => {
  const range = { min: Float32Array.of(-3, -0, -1), max: Float32Array.of(2, 0, 5), shape: [3] };
  expect([...amaxOf(range)]).toEqual([3, 0, 5]);
});
