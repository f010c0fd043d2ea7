import { describe, expect, test } from 'vitest';
import { QuantlaneError } from '#src/errors.js';
import {
  createObserver,
  DelayedScaling,
  HistogramObserver,
  MinMax,
  MovingAverage,
  Percentile,
  RANGE_METHODS,
  restoreObserver,
} from '#src/ranges/index.js';
import { perChannel, perToken } from '#src/scheme/index.js';
import { batches, codeOf } from './helpers.js';

const axis = (index: number) => ({ granularity: perChannel(index) as { kind: 'perChannel'; axis: number } });

describe.each(RANGE_METHODS)('%s', (method) => {
  test('rejects a batch with a value that is not finite, whole and with count and place', () => {
    const observer = createObserver(method);
    observer.observe(Float32Array.of(1, -2, 3));
    const before = JSON.stringify(observer);
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      try {
        observer.observe(Float32Array.of(9, 9, bad, 9, bad));
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(QuantlaneError);
        expect((error as QuantlaneError).code).toBe('ERR_QUANTLANE_NON_FINITE');
        expect((error as QuantlaneError).details).toEqual({ count: 2, first: 2 });
      }
    }
    expect(JSON.stringify(observer)).toBe(before);
  });

  test('skips values that are not finite where told to', () => {
    const [skipping, without] = [createObserver(method, { nonFinite: 'skip' }), createObserver(method)];
    skipping.observe(Float32Array.of(Number.NaN, 1, -2, Infinity, 3));
    skipping.observe(Float32Array.of(Number.NaN, -Infinity));
    without.observe(Float32Array.of(1, -2, 3));
    expect(skipping.range()).toEqual(without.range());
    expect([skipping.batches, skipping.elements, skipping.skipped]).toEqual([1, 3, 4]);
  });

  test('has no range before a batch, nor after an empty one', () => {
    const observer = createObserver(method);
    expect(codeOf(() => observer.range())).toBe('ERR_QUANTLANE_ARGUMENT');
    observer.observe(new Float32Array(0));
    expect(observer.batches).toBe(0);
    expect(codeOf(() => observer.range())).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(observer.histogram()).toBeNull();
  });

  test('goes on where it cannot tell anything but zero', () => {
    const observer = createObserver(method);
    observer.observe(Float32Array.of(0, -0, 0));
    const { min, max } = observer.range();
    expect([min.length, max.length]).toEqual([1, 1]);
    expect(min[0]).toBeLessThanOrEqual(0);
    expect(max[0]).toBeGreaterThanOrEqual(0);
    observer.observe(Float32Array.of(0, 2));
    expect(observer.range().max[0]).toBeGreaterThan(0);
  });

  test('takes all input types to the same range', () => {
    const numbers = [1.5, -2.25, 0.125, 1024, -0.5];
    const ranges = [
      ['float32', Float32Array.from(numbers)],
      ['float16', Uint16Array.of(0x3e00, 0xc080, 0x3000, 0x6400, 0xb800)],
      ['bfloat16', Uint16Array.of(0x3fc0, 0xc010, 0x3e00, 0x4480, 0xbf00)],
    ] as const;
    const [first, ...others] = ranges.map(([dtype, values]) => {
      const observer = createObserver(method);
      observer.observe(values, dtype);
      return observer.range();
    });
    for (const other of others) expect(other).toEqual(first);
  });

  test('refuses to merge itself, another method or other options', () => {
    const observer = createObserver(method);
    const other = createObserver(method === 'minmax' ? 'delayed' : 'minmax');
    for (const wrong of [observer, other, createObserver(method, { nonFinite: 'skip' }), null, {}]) {
      expect(codeOf(() => observer.merge(wrong as never))).toBe('ERR_QUANTLANE_ARGUMENT');
    }
    observer.merge(createObserver(method));
    expect(observer.batches).toBe(0);
  });

  test('refuses options that it does not know', () => {
    const wrong = [
      { nonFinite: 'ignore' },
      { other: 1 },
      { nonFinite: null },
      JSON.parse('{"__proto__": 1}'),
      [],
      7,
      null,
    ];
    for (const options of wrong) {
      expect(codeOf(() => createObserver(method, options as never))).toBe('ERR_QUANTLANE_ARGUMENT');
    }
  });

  test('refuses values that do not fit their type or shape', () => {
    const observer = createObserver(method);
    expect(codeOf(() => observer.observe([1, 2] as never))).toBe('ERR_QUANTLANE_DTYPE');
    expect(codeOf(() => observer.observe(new Float32Array(2), 'float16'))).toBe('ERR_QUANTLANE_DTYPE');
    expect(codeOf(() => observer.observe(new Uint16Array(2), 'float32'))).toBe('ERR_QUANTLANE_DTYPE');
    expect(codeOf(() => observer.observe(new Float32Array(2), 'int8' as never))).toBe('ERR_QUANTLANE_DTYPE');
    expect(codeOf(() => observer.observe(new Float32Array(2), 'float32', [3]))).toBe('ERR_QUANTLANE_SHAPE');
  });

  test('refuses JSON that is not its own', () => {
    const observer = createObserver(method);
    observer.observe(Float32Array.of(1, -2, 3));
    const good = JSON.parse(JSON.stringify(observer)) as Record<string, unknown>;
    expect(JSON.stringify(restoreObserver(good))).toBe(JSON.stringify(observer));
    const state = good['state'] as Record<string, unknown>;
    const hostile: unknown[] = [
      null,
      [],
      'text',
      { ...good, method: 'other' },
      { ...good, batches: -1 },
      { ...good, batches: 0 },
      { ...good, elements: 0 },
      { ...good, elements: 2 ** 60 },
      { ...good, skipped: 0.5 },
      { ...good, options: { nonFinite: 1 } },
      { ...good, more: 1 },
      { ...good, state: null },
      { ...good, state: {} },
      { ...good, state: { ...state, more: 1 } },
      JSON.parse(JSON.stringify(good).replace('"batches"', '"__proto__":{},"batches"')),
      ...Object.keys(state).flatMap((key) =>
        [null, 'x', [], [Number.NaN], Number.NaN, 0.1, { length: 1e9 }].map((value) => ({
          ...good,
          state: { ...state, [key]: value },
        })),
      ),
    ];
    for (const json of hostile) expect(codeOf(() => restoreObserver(json))).toBe('ERR_QUANTLANE_FORMAT');
  });
});

test('unknown methods are refused', () => {
  for (const method of ['max', '', 'constructor', null]) {
    expect(codeOf(() => createObserver(method as never))).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(codeOf(() => restoreObserver({ method }))).toBe('ERR_QUANTLANE_FORMAT');
  }
});

describe('channels', () => {
  const values = Float32Array.from({ length: 24 }, (_, index) => index * (index % 2 === 0 ? 1 : -1));

  test.each([
    [0, [-11, -23], [10, 22]],
    [1, [-15, -19, -23], [14, 18, 22]],
    [2, [0, -21, 0, -23], [20, 0, 22, 0]],
    [-1, [0, -21, 0, -23], [20, 0, 22, 0]],
  ])('along axis %i', (index, min, max) => {
    const observer = new MinMax(axis(index));
    observer.observe(values, 'float32', [2, 3, 4]);
    // The middle and the first axis of 24 alternating values, by hand.
    const range = observer.range();
    expect(Array.from(range.min, (value) => Math.min(value, 0))).toEqual(min);
    expect(Array.from(range.max, (value) => Math.max(value, 0))).toEqual(max);
  });

  test('need a shape with their axis and always as many channels', () => {
    const observer = new MovingAverage(axis(1));
    expect(codeOf(() => observer.observe(values))).toBe('ERR_QUANTLANE_SHAPE');
    expect(codeOf(() => observer.observe(values, 'float32', [24]))).toBe('ERR_QUANTLANE_SHAPE');
    observer.observe(values, 'float32', [6, 4]);
    expect(codeOf(() => observer.observe(values, 'float32', [4, 6]))).toBe('ERR_QUANTLANE_SHAPE');
    const other = new MovingAverage(axis(1));
    other.observe(values, 'float32', [4, 6]);
    expect(codeOf(() => observer.merge(other))).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(observer.batches).toBe(1);
  });

  test('without a finite value have the range [0, 0] until one comes', () => {
    const observer = new MovingAverage({ ...axis(0), nonFinite: 'skip' });
    observer.observe(Float32Array.of(Number.NaN, Number.NaN, 1, 2), 'float32', [2, 2]);
    expect(observer.range()).toEqual({ min: Float32Array.of(0, 1), max: Float32Array.of(0, 2) });
    const back = MovingAverage.fromJSON(JSON.parse(JSON.stringify(observer)));
    back.observe(Float32Array.of(5, 6, Infinity, Number.NaN), 'float32', [2, 2]);
    expect(back.range()).toEqual({ min: Float32Array.of(5, 1), max: Float32Array.of(6, 2) });
  });

  test('other granularities have no ranges before their values', () => {
    for (const granularity of [perToken, { kind: 'perBlock', size: 4, axis: -1 }, { kind: 'perChannel', axis: 9 }]) {
      expect(codeOf(() => new MinMax({ granularity: granularity as never }))).toBe('ERR_QUANTLANE_ARGUMENT');
    }
  });
});

describe('the order of batches', () => {
  test('a moving average merges one batch at a time', () => {
    const [first, second] = [new MovingAverage(), new MovingAverage()];
    for (const batch of batches()) {
      first.observe(batch);
      second.observe(batch);
    }
    expect(first.mergesInAnyOrder).toBe(false);
    expect(codeOf(() => first.merge(second))).toBe('ERR_QUANTLANE_ARGUMENT');
    const empty = new MovingAverage();
    empty.merge(second);
    expect(JSON.stringify(empty)).toBe(JSON.stringify(second));
  });

  test('a histogram of PyTorch merges only where the other side saw nothing', () => {
    const [first, second] = [new HistogramObserver(), new HistogramObserver()];
    first.observe(batches()[0]!);
    second.merge(first);
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
    expect(codeOf(() => first.merge(second))).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(first.mergesInAnyOrder).toBe(false);
  });

  test('bins of the first batch merge where their widths agree', () => {
    const make = () => new Percentile({ grid: 'first-batch', bins: 64 });
    const [first, second, third, zeros] = [make(), make(), make(), make()];
    first.observe(Float32Array.of(1, 0.5));
    second.observe(Float32Array.of(-1, 0.25));
    second.observe(Float32Array.of(3));
    third.observe(Float32Array.of(1.1));
    zeros.observe(Float32Array.of(0, 0));
    first.merge(second);
    first.merge(zeros);
    expect(first.histogram()!.counts.reduce((sum, count) => sum + count, 0)).toBe(7);
    expect(codeOf(() => first.merge(third))).toBe('ERR_QUANTLANE_ARGUMENT');
    zeros.merge(third);
    expect(zeros.histogram()!.counts[0]).toBe(2);
    expect(first.mergesInAnyOrder).toBe(false);
  });

  test('bins of the first batch refuse values that are far too large', () => {
    const observer = new Percentile({ grid: 'first-batch' });
    observer.observe(Float32Array.of(1e-3));
    const before = JSON.stringify(observer);
    expect(codeOf(() => observer.observe(Float32Array.of(1e30)))).toBe('ERR_QUANTLANE_ARGUMENT');
    expect(JSON.stringify(observer)).toBe(before);
  });
});

describe('delayed scaling', () => {
  // (FP8_MAX / amax) in float32, by hand: 448 / 2 and so on.
  test('follows the largest of the history', () => {
    const observer = new DelayedScaling({ history: 2 });
    expect(observer.scale()).toBe(1);
    const scales = [2, 0, 1, 0, 0, 7].map((amax) => {
      observer.observe(Float32Array.of(-amax));
      return observer.scale();
    });
    expect(scales).toEqual([224, 224, 448, 448, 448, 64]);
    expect(observer.range()).toEqual({ min: Float32Array.of(-7), max: Float32Array.of(7) });
  });

  test('or the latest batch, with a margin', () => {
    const observer = new DelayedScaling({ algorithm: 'most_recent', format: 'e5m2', margin: 3 });
    const scales = [2, 0, 1].map((amax) => {
      observer.observe(Float32Array.of(amax));
      return observer.scale();
    });
    expect(scales).toEqual([3584, 3584, 7168]);
    expect(observer.range().max).toEqual(Float32Array.of(8));
  });

  test('never leaves float32', () => {
    const observer = new DelayedScaling();
    observer.observe(Float32Array.of(0));
    expect([observer.scale(), observer.range().max[0]]).toEqual([1, 448]);
    observer.observe(Float32Array.of(2 ** -149));
    expect(observer.scale()).toBe((2 - 2 ** -23) * 2 ** 127);
    const wide = new DelayedScaling({ margin: 8 });
    wide.observe(Float32Array.of(2 ** 127));
    expect(wide.range().max[0]).toBe((2 - 2 ** -23) * 2 ** 127);
  });
});

test('ends of float32 do not break a moving average', () => {
  const observer = new MovingAverage();
  observer.observe(Float32Array.of(-3e38));
  observer.observe(Float32Array.of(3e38));
  const { min, max } = observer.range();
  expect(min[0]).toBe(Math.fround(-2.94e38));
  expect(max[0]).toBe(Math.fround(-2.94e38));
});

test.each(['percentile', 'entropy'] as const)('ends of ONNX Runtime never cross: %s', (method) => {
  const share = method === 'percentile' ? { percentile: 0, symmetric: true } : {};
  const observer = createObserver(method, { form: 'onnxruntime', ...share });
  observer.observe(Float32Array.from({ length: 100 }, (_, index) => 5 + index / 100));
  const { min, max } = observer.range();
  expect(min[0]).toBeLessThanOrEqual(max[0]!);
  expect(min[0]).toBeGreaterThanOrEqual(5);
});
