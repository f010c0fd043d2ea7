/** Functions of float64: close to those of `Math`, exact where they must be, and with the same bits for ever. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosineAndSine, exp, log } from '#src/generate/functions.js';

const EPSILON = 2 ** -52;

describe('exp', () => {
  it('is within two last places', () => {
    fc.assert(
      fc.property(fc.double({ min: -708, max: 709, noNaN: true }), (x) => {
        expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThanOrEqual(2 * EPSILON);
      }),
    );
  });

  it.each([
    [0, 1],
    [-0, 1],
    [-709, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [710, Number.POSITIVE_INFINITY],
    [Number.NaN, Number.NaN],
  ])('of %d is %d', (x, y) => expect(exp(x)).toBe(y));
});

describe('log', () => {
  it('is within two last places', () => {
    fc.assert(
      fc.property(fc.double({ min: 2, max: 1e300, noNaN: true }), (x) => {
        expect(Math.abs(log(x) / Math.log(x) - 1)).toBeLessThanOrEqual(2 * EPSILON);
        expect(log(1 / x)).toBeCloseTo(-log(x), 10);
      }),
    );
    expect(log(1)).toBe(0);
  });
});

describe('cosineAndSine', () => {
  it('is within a last place of 1', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (angle) => {
        const [cosine, sine] = cosineAndSine(angle);
        expect(Math.abs(cosine - Math.cos(angle))).toBeLessThanOrEqual(EPSILON);
        expect(Math.abs(sine - Math.sin(angle))).toBeLessThanOrEqual(EPSILON);
      }),
    );
    expect(cosineAndSine(0)).toEqual([1, 0]);
  });
});

it('has the same bits on every version', () => {
  const values = Array.from({ length: 4096 }, (_, at) => {
    const x = (at - 2048) / 7;
    return [exp(x), log(Math.abs(x) + 0.5), ...cosineAndSine(x * 1000)];
  }).flat();
  const words = new Uint32Array(Float64Array.from(values).buffer);
  // FNV-1a over the words.
  const hash = words.reduce((sum, word) => Math.imul(sum ^ word, 0x01000193), 0x811c9dc5) >>> 0;
  expect(hash).toBe(985224906);
});
