/**
 * What must hold for any values: merges in any order to the same bits, counts that add up, a percentile that grows.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createObserver,
  DelayedScaling,
  MovingAverage,
  Percentile,
  type RangeMethod,
  type RangeObserver,
  restoreObserver,
} from '#src/ranges/index.js';
import { perChannel } from '#src/scheme/index.js';

/** Finite float32 of every size, many of them simple. */
const value = fc.oneof(
  { weight: 3, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true, min: -8, max: 8 }) },
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1, -1, 2 ** -149, -(2 ** -149), 2 ** 127, -(2 ** 127), 0.5),
);
const batch = fc.array(value, { minLength: 1, maxLength: 40 }).map((values) => Float32Array.from(values));
const split = fc
  .array(batch, { minLength: 1, maxLength: 7 })
  .chain((parts) =>
    fc.record({ parts: fc.constant(parts), order: fc.shuffledSubarray([...parts.keys()], fullOf(parts)) }),
  );

function fullOf(parts: readonly unknown[]): { minLength: number; maxLength: number } {
  return { minLength: parts.length, maxLength: parts.length };
}

const channel = { granularity: perChannel(-1) };

/** Every method and form that merges in any order. */
const FREE: readonly (readonly [RangeMethod, object])[] = [
  ['minmax', {}],
  ['minmax', channel],
  ['percentile', { bins: 64, percentile: 90 }],
  ['percentile', { bins: 64, percentile: 90, form: 'onnxruntime' }],
  ['percentile', { bins: 64, percentile: 90, form: 'onnxruntime', symmetric: false }],
  ['mse', { bins: 64, startBin: 16 }],
  ['entropy', { bins: 64, quantizedBins: 16, startBin: 16 }],
  ['entropy', { bins: 64, quantizedBins: 16, form: 'onnxruntime' }],
];

/** Bits of everything that an observer tells, and of everything that it remembers. */
function bitsOf(observer: RangeObserver): string {
  const { min, max } = observer.range();
  const words = [min, max].map((floats) => Array.from(new Uint32Array(floats.slice().buffer)));
  return JSON.stringify([words, observer]);
}

/** Observes a part as rows of one value, so that channels have the same number in every part. */
function observe(observer: RangeObserver, values: Float32Array): void {
  observer.observe(values, 'float32', [values.length, 1]);
}

describe('observers that saw parts merge in any order and grouping to the bits of one that saw everything', () => {
  test.each(FREE)('%s %j', (method, options) => {
    fc.assert(
      fc.property(split, fc.nat(), ({ parts, order }, seed) => {
        const whole = createObserver(method, options as never);
        for (const part of parts) observe(whole, part);
        const lanes = order.map((index) => {
          const lane = createObserver(method, options as never);
          observe(lane, parts[index]!);
          return lane;
        });
        // Any tree of merges: neighbours are joined until one is left.
        for (let step = seed; lanes.length > 1; step = Math.floor(step / 3) + 1) {
          const at = step % (lanes.length - 1);
          lanes[at]!.merge(lanes[at + 1]!);
          lanes.splice(at + 1, 1);
        }
        expect(lanes[0]!.mergesInAnyOrder).toBe(true);
        expect(bitsOf(lanes[0]!)).toBe(bitsOf(whole));
      }),
      { numRuns: 60 },
    );
  });
});

describe('observers that depend on the order merge in it to the bits of one that saw everything', () => {
  test('moving average, a batch at a time', () => {
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 9 }), (parts) => {
        const [whole, merged] = [new MovingAverage(), new MovingAverage()];
        for (const part of parts) {
          whole.observe(part);
          const lane = new MovingAverage();
          lane.observe(part);
          merged.merge(lane);
        }
        expect(bitsOf(merged)).toBe(bitsOf(whole));
      }),
    );
  });

  const scaled = fc.array(fc.constantFrom(0, 0, 0, 0, 0, 1, 2, 5), { maxLength: 8 });
  test.each(['max', 'most_recent'] as const)('delayed scaling, in runs of batches, %s', (algorithm) => {
    fc.assert(
      fc.property(scaled, scaled, fc.integer({ min: 1, max: 4 }), (before, after, history) => {
        const options = { algorithm, history };
        const [whole, first, second] = [0, 1, 2].map(() => new DelayedScaling(options)) as [
          DelayedScaling,
          DelayedScaling,
          DelayedScaling,
        ];
        for (const amax of [...before, ...after]) whole.observe(Float32Array.of(amax));
        for (const amax of before) first.observe(Float32Array.of(amax));
        for (const amax of after) second.observe(Float32Array.of(-amax));
        first.merge(second);
        expect(JSON.stringify(first)).toBe(JSON.stringify(whole));
        expect(first.scale()).toBe(whole.scale());
      }),
      { numRuns: 2000 },
    );
  });
});

const COUNTING = FREE.filter(([method]) => method !== 'minmax');

test.each(COUNTING)('no value is lost: %s %j', (method, options) => {
  fc.assert(
    fc.property(fc.array(batch, { minLength: 1, maxLength: 6 }), (parts) => {
      const observer = createObserver(method, options as never);
      for (const part of parts) observer.observe(part);
      const { edges, counts } = observer.histogram()!;
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(observer.elements);
      expect(counts.every(Number.isInteger)).toBe(true);
      expect(edges.every((edge, index) => Number.isFinite(edge) && (index === 0 || edge > edges[index - 1]!))).toBe(
        true,
      );
      // Every value lies between the edges of a bin that has counts.
      const isSigned = edges[0]! < 0;
      for (const x of parts.flatMap((part) => Array.from(part, (y) => (isSigned ? y : Math.abs(y))))) {
        const bin = edges.findLastIndex((edge) => edge <= x);
        expect(counts[Math.min(bin, counts.length - 1)]).toBeGreaterThan(0);
      }
    }),
    { numRuns: 50 },
  );
});

test('first-batch bins lose no value either, or refuse them', () => {
  const simple = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -50, max: 50 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(simple, { minLength: 1, maxLength: 5 }), fc.boolean(), (parts, symmetric) => {
      const observer = new Percentile({ form: 'onnxruntime', symmetric, bins: 32, grid: 'first-batch' });
      for (const part of parts) {
        try {
          observer.observe(Float32Array.from(part));
        } catch (error) {
          expect((error as Error).message).toContain("use grid 'dyadic'");
        }
      }
      if (observer.batches === 0) return;
      expect(observer.histogram()!.counts.reduce((sum, count) => sum + count, 0)).toBe(observer.elements);
    }),
  );
});

test.each([[{ form: 'tensorrt' }], [{ form: 'onnxruntime' }], [{ form: 'onnxruntime', symmetric: false }]] as const)(
  'a larger percentile has a range that holds the smaller one: %j',
  (options) => {
    const percentile = fc.double({ min: 50, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 4 }), percentile, percentile, (parts, a, b) => {
        const [inner, outer] = [Math.min(a, b), Math.max(a, b)].map((share) => {
          const observer = new Percentile({ ...options, percentile: share, bins: 64 });
          for (const part of parts) observer.observe(part);
          return observer.range();
        }) as [ReturnType<Percentile['range']>, ReturnType<Percentile['range']>];
        expect(outer.min[0]).toBeLessThanOrEqual(inner.min[0]!);
        expect(outer.max[0]).toBeGreaterThanOrEqual(inner.max[0]!);
      }),
    );
  },
);

test('every observer goes to JSON and back, and on to the same bits', () => {
  const every: readonly (readonly [RangeMethod, object])[] = [
    ...FREE,
    ['moving-average', channel],
    ['histogram', { bins: 64 }],
    ['delayed', { history: 2 }],
    ['percentile', { bins: 64, grid: 'first-batch' }],
    ['entropy', { bins: 64, quantizedBins: 16, form: 'onnxruntime', grid: 'first-batch' }],
  ];
  const near = fc
    .array(fc.float({ noNaN: true, min: -8, max: 8 }), { minLength: 1 })
    .map((list) => Float32Array.of(...list, 3));
  fc.assert(
    fc.property(
      fc.constantFrom(...every),
      fc.array(near, { minLength: 2, maxLength: 4 }),
      ([method, options], parts) => {
        const straight = createObserver(method, options as never);
        let travelled = createObserver(method, options as never);
        for (const part of parts) {
          observe(straight, part);
          travelled = restoreObserver(JSON.parse(JSON.stringify(travelled)));
          observe(travelled, part);
        }
        expect(bitsOf(travelled)).toBe(bitsOf(straight));
      },
    ),
  );
});
