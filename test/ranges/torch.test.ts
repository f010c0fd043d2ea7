/**
 * The observers against PyTorch 1.13: scale and zero point of every vector, bit for bit.
 */
import { describe, expect, test } from 'vitest';
import { HistogramObserver, type MinMax } from '#src/ranges/index.js';
import { observerOf, torchBatches, torchCases, torchInput, torchParameters } from './helpers.js';

const cases = torchCases();

test('every vector is there', () => {
  const count = (operator: string): number => cases.filter((entry) => entry.operator === operator).length;
  expect(cases).toHaveLength(64);
  expect(count('MinMaxObserver')).toBe(21);
  expect(count('MovingAverageMinMaxObserver')).toBe(21);
  expect(count('HistogramObserver')).toBe(15);
  expect(count('PerChannelMinMaxObserver')).toBe(7);
});

test.each(cases.map((entry) => [entry.name, entry] as const))('%s', (_name, entry) => {
  const observer = observerOf(entry);
  const { shape } = torchInput(entry.input);
  for (const batch of torchBatches(entry)) observer.observe(batch, 'float32', shape);
  const { scale, zero } = torchParameters(observer.range(), entry);
  expect(scale).toEqual(entry.scale);
  expect(zero).toEqual(entry.zero_point);
});

describe('between batches, an observer goes to JSON and back', () => {
  test.each(cases.map((entry) => [entry.name, entry] as const))('%s', (_name, entry) => {
    let observer = observerOf(entry);
    const { shape } = torchInput(entry.input);
    for (const batch of torchBatches(entry)) {
      observer.observe(batch, 'float32', shape);
      observer = (observer.constructor as typeof MinMax).fromJSON(JSON.parse(JSON.stringify(observer)));
    }
    expect(torchParameters(observer.range(), entry).scale).toEqual(entry.scale);
  });
});

// Made with NumPy 2.4.6 in float32 by the steps of torch 2.0's observer.py and HistogramKernel.cpp.
test.each([
  ['normal', -4.410647869110107, 4.744162082672119],
  ['positive', 0.38058555126190186, 5.475809574127197],
  ['lopsided', 1.276771068572998, 31.954496383666992],
])('the histogram of release 2.0, which counts every value: %s', (input, min, max) => {
  const observer = new HistogramObserver();
  const entry = cases.find((found) => found.input === input && found.operator === 'HistogramObserver')!;
  for (const batch of torchBatches(entry)) observer.observe(batch);
  expect(observer.range()).toEqual({ min: Float32Array.of(min), max: Float32Array.of(max) });
  const { counts } = observer.histogram()!;
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeCloseTo(observer.elements, 3);
});

test('release 1.13 loses values beyond the integers next to its range', () => {
  const observer = new HistogramObserver({ release: '1.13' });
  observer.observe(Float32Array.of(-1.9, -1.5, -1, 0, 1, 1.5, 1.9));
  expect(observer.histogram()!.counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  expect(observer.elements).toBe(7);
});

// Made as above, from 64 bins over [−1, 1] with 10^6 + 1234.567·i counts each, rounded to float32.
test('counts that float32 cannot add exactly spread as in the source', () => {
  const counts = Array.from({ length: 64 }, (_, bin) => Math.fround(1e6 + bin * 1234.567));
  const observer = HistogramObserver.fromJSON({
    method: 'histogram',
    options: { bins: 64 },
    batches: 1,
    elements: 66_489_285,
    skipped: 0,
    state: { min: -1, max: 1, counts },
  });
  observer.observe(Float32Array.of(-1.3, 0.2, 1.9));
  const { min, max, counts: spread } = observer.toJSON().state as { min: number; max: number; counts: number[] };
  expect([min, max]).toEqual([-1.2999999523162842, 1.9031251668930054]);
  expect([8, 20, 30, 40].map((bin) => spread[bin])).toEqual([1608497.25, 1646374.375, 1678048.125, 1709722.125]);
  expect(observer.range()).toEqual({
    min: Float32Array.of(-1.0497558116912842),
    max: Float32Array.of(0.9521973133087158),
  });
});
