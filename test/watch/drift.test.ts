/** The rule of drift, at its limits, and what a calibration says of the values that it saw. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createObserver, type RangeMethod } from '#src/ranges/index.js';
import { calibratedValues, driftOf, FEW_LOOKS, type Live, type Reference } from '#src/watch/index.js';

const reference: Reference = { min: -1, max: 3, seenMin: -1, seenMax: 3, cut: 0 };
const live = (some: Partial<Live>): Live => ({ min: -1, max: 3, saturated: 0, looks: FEW_LOOKS, ...some });
const state = (some: Partial<Live>, of: Partial<Reference> = {}) => driftOf({ ...reference, ...of }, live(some)).state;

describe('drift', () => {
  it('is nothing without a calibration, and idle without values', () => {
    expect(driftOf(null, live({ max: 100 })).state).toBe('none');
    expect(driftOf(reference, null).state).toBe('idle');
  });

  it.each([
    ['the range itself', {}, 'ok'],
    ['less than 2 % beyond', { max: 3.07 }, 'ok'],
    ['more than 2 % beyond', { max: 3.09 }, 'watch'],
    ['nearly 10 % beyond', { max: 3.39 }, 'watch'],
    ['more than 10 % beyond', { max: 3.41 }, 'drift'],
    ['more than 10 % beyond below', { min: -1.41 }, 'drift'],
    ['0.02 % saturated', { saturated: 0.0002 }, 'ok'],
    ['more than 0.02 % saturated', { saturated: 0.00021 }, 'watch'],
    ['0.1 % saturated', { saturated: 0.001 }, 'watch'],
    ['more than 0.1 % saturated', { saturated: 0.0011 }, 'drift'],
    ['three quarters of the range', { min: 0 }, 'ok'],
    ['less than that', { min: 0, max: 2.9 }, 'watch'],
    ['half of the range', { min: -1, max: 1 }, 'watch'],
    ['less than half', { min: -1, max: 0.9 }, 'drift'],
    ['a small range of few batches', { min: 0, max: 0.1, looks: FEW_LOOKS - 1 }, 'ok'],
  ] as const)('of %s: %o is %s', (_name, some, expected) => {
    expect(state(some)).toBe(expected);
  });

  it('says why', () => {
    expect(driftOf(reference, live({ max: 9, saturated: 0.25 }))).toEqual({
      state: 'drift',
      beyond: 1.5,
      ratio: 2.5,
      excess: 0.25,
      reasons: ['values reach 150 % beyond the calibrated range', '25 % more codes are saturated than calibrated'],
    });
    expect(driftOf(reference, live({ max: 0.5 })).reasons).toEqual(['values take 37.5 % of the calibrated range']);
  });

  it('allows what a calibration cuts off', () => {
    const cutting = { seenMin: -4, seenMax: 12, cut: 0.002 };
    expect(state({ min: -4, max: 12, saturated: 0.0021 }, cutting)).toBe('ok');
    expect(state({ min: -4, max: 12, saturated: 0.0031 }, cutting)).toBe('drift');
    expect(state({ min: -4, max: 14 }, cutting)).toBe('drift');
  });

  it('takes zero into every range', () => {
    const positive = { min: 0, max: 3, seenMin: 1, seenMax: 3 };
    expect(state({ min: 0, max: 3 }, positive)).toBe('ok');
    expect(state({ min: 0, max: 0 }, { min: 0, max: 0, seenMin: 0, seenMax: 0 })).toBe('ok');
    expect(state({ min: 0, max: 1 }, { min: 0, max: 0, seenMin: 0, seenMax: 0 })).toBe('drift');
  });

  it('comes with growing values, and never goes with them', () => {
    const order = ['ok', 'watch', 'drift'];
    fc.assert(
      fc.property(fc.double({ min: 1, max: 4, noNaN: true }), fc.double({ min: 1, max: 4, noNaN: true }), (a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)].map((times) =>
          order.indexOf(state({ min: -times, max: 3 * times })),
        );
        expect(less).toBeLessThanOrEqual(more!);
      }),
    );
  });
});

describe('what a calibration saw', () => {
  const values = Float32Array.from({ length: 20_000 }, (_, at) => Math.sin(at * 1.3) * (at % 100 === 0 ? 8 : 1) + 0.1);
  const least = values.reduce((a, b) => Math.min(a, b));
  const most = values.reduce((a, b) => Math.max(a, b));

  function calibrated(method: RangeMethod, options: object = {}) {
    const observer = createObserver(method, options);
    observer.observe(values);
    const { batches, elements, skipped } = observer;
    const tensor = { ...observer.range(), batches, elements, skipped, histogram: observer.histogram() };
    return { tensor, ...calibratedValues(tensor) };
  }

  it('is its range, where it counts nothing', () => {
    expect(calibrated('minmax')).toMatchObject({ seenMin: least, seenMax: most, cut: 0 });
  });

  it.each(['percentile', 'mse', 'entropy', 'histogram'] as const)('is what it counted: %s', (method) => {
    const { tensor, seenMin, seenMax, cut } = calibrated(method);
    const isMagnitudes = tensor.histogram!.edges[0]! >= 0;
    const amax = Math.max(most, -least);
    // To a bin.
    const bin = tensor.histogram!.edges[1]! - tensor.histogram!.edges[0]!;
    expect(Math.abs(seenMax - (isMagnitudes ? amax : most))).toBeLessThanOrEqual(bin);
    expect(Math.abs(seenMin - (isMagnitudes ? -amax : least))).toBeLessThanOrEqual(bin);
    const [low, high] = [tensor.min[0]!, tensor.max[0]!];
    const outside = values.filter((value) => value < low || value > high).length / values.length;
    expect(Math.abs(cut - outside)).toBeLessThan(0.002);
  });
});
