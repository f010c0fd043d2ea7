/** Comparisons against the definition, in one part and in many. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Comparison, channelLayout } from '#src/index.js';

/** The definition, value by value. */
function byDefinition(values: readonly number[], others: readonly number[]) {
  const pairs = values.map((x, index) => [x, others[index]!] as const).filter(([x]) => Number.isFinite(x));
  const sum = (term: (x: number, y: number) => number): number => pairs.reduce((all, [x, y]) => all + term(x, y), 0);
  const [signal, noise, power] = [sum((x) => x * x), sum((x, y) => (x - y) ** 2), sum((_, y) => y * y)];
  return {
    elements: pairs.length,
    skipped: values.length - pairs.length,
    signal,
    noise,
    sqnr: 10 * Math.log10(signal / noise),
    cosine: sum((x, y) => x * y) / Math.sqrt(signal * power),
    maxError: Math.max(...pairs.map(([x, y]) => Math.abs(x - y))),
    amax: Math.max(...pairs.map(([x]) => Math.abs(x))),
  };
}

/** Whole eighths: their sums are exact in any order. */
const eighths = fc.integer({ min: -800, max: 800 }).map((number) => number / 8);

describe('a comparison', () => {
  it('is what the definition says', () => {
    const [values, others] = [
      [3, -4, 0, Number.NaN, 1, Infinity],
      [3.5, -4, 0.25, 7, 1, 7],
    ];
    const comparison = new Comparison();
    comparison.add(values, others);
    const { sqnr, cosine, ...sums } = comparison.total();
    const expected = byDefinition(values, others);
    expect(sums).toEqual({ elements: 4, skipped: 2, signal: 26, noise: 0.3125, maxError: 0.5, amax: 4 });
    expect(expected).toMatchObject(sums);
    expect(sqnr).toBeCloseTo(expected.sqnr, 12);
    expect(cosine).toBeCloseTo(expected.cosine, 12);
  });

  it('is the same in any parts and merged', () => {
    const rows = fc.array(fc.tuple(eighths, eighths), { minLength: 1, maxLength: 200 });
    const shape = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(rows, shape, fc.array(fc.nat(200), { maxLength: 6 }), (pairs, [count, inner], cuts) => {
        const values = pairs.map(([x]) => x);
        const others = pairs.map(([, y]) => y);
        const whole = new Comparison({ count, inner });
        whole.add(values, others);
        const merged = new Comparison({ count, inner });
        const places = [0, ...cuts.filter((cut) => cut < values.length).sort((a, b) => a - b), values.length];
        for (let part = 1; part < places.length; part++) {
          const [start, end] = [places[part - 1]!, places[part]!];
          const one = new Comparison({ count, inner });
          one.add(values.slice(start, end), others.slice(start, end), start);
          merged.merge(one);
        }
        expect(merged.total()).toEqual(whole.total());
        for (let channel = 0; channel < count; channel++) {
          expect(merged.of(channel)).toEqual(whole.of(channel));
          const isHere = (_: number, index: number): boolean => Math.floor(index / inner) % count === channel;
          const { signal, noise } = byDefinition(values.filter(isHere), others.filter(isHere));
          expect(whole.of(channel)).toMatchObject({ signal, noise });
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['nothing', [], [], { elements: 0, sqnr: Infinity, cosine: 1, maxError: 0, amax: 0 }],
    ['zeros alone', [0, -0], [0, 0], { sqnr: Infinity, cosine: 1 }],
    ['zeros that became something', [0, 0], [1, 0], { sqnr: -Infinity, cosine: 0, maxError: 1 }],
    ['something that became zero', [1, 2], [0, 0], { sqnr: 0, cosine: 0, maxError: 2 }],
    ['the same', [0.1, 0.2, 0.3], [0.1, 0.2, 0.3], { sqnr: Infinity, cosine: 1 }],
    ['the opposite', [1, 2], [-1, -2], { cosine: -1, maxError: 4 }],
    ['what is infinite', [1, 2], [1, Infinity], { sqnr: -Infinity, maxError: Infinity, cosine: Number.NaN }],
    ['what is no number', [1, 2], [Number.NaN, 2], { sqnr: -Infinity, maxError: Infinity, cosine: Number.NaN }],
    ['the ends of float32', [3e38, -3e38], [3e38, -3e38], { sqnr: Infinity, cosine: 1 }],
  ])('of %s', (_name, values, others, expected) => {
    const comparison = new Comparison();
    comparison.add(values, others);
    expect(comparison.total()).toMatchObject(expected);
  });

  it('refuses what does not fit', () => {
    expect(() => new Comparison().add([1], [1, 2])).toThrow('Expected 1 other values, got 2');
    const other = new Comparison(channelLayout([2, 3], 0));
    expect(() => new Comparison().merge(other)).toThrow('Expected 1 channels');
    expect(() => new Comparison(channelLayout([2, 4], 0)).merge(other)).toThrow('with 4 values together, got 2 with 3');
  });
});
