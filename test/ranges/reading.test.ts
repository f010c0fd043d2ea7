/** Batches that come in steps and in runs: the same bits as at once, and nothing before the end. */
import { describe, expect, test } from 'vitest';
import {
  createObserver,
  DelayedScaling,
  RANGE_METHODS,
  type RangeMethod,
  type RangeObserver,
  type Reading,
} from '#src/ranges/index.js';
import { perChannel } from '#src/scheme/index.js';
import { batchOf, codeOf } from './helpers.js';

/** Batches of several runs each, of one, and of a few values. */
const BATCHES = [batchOf(50_000, 4.1, 0), batchOf(40, 6.83, 0.25), batchOf(16_384, 2.57, -1.5), batchOf(70_001, 9, 1)];

/** Every method, those that count with both grids. */
const CASES: readonly (readonly [RangeMethod, object])[] = [
  ...RANGE_METHODS.map((method) => [method, {}] as const),
  ['percentile', { grid: 'first-batch', form: 'onnxruntime', symmetric: false }],
  ['mse', { grid: 'first-batch', bins: 64, startBin: 8 }],
  ['entropy', { form: 'onnxruntime' }],
  ['histogram', { release: '1.13' }],
  ['minmax', { nonFinite: 'skip' }],
];

/** Answers what an observer asks for; gives up after so many answers. Returns how many there were. */
function answer(reading: Reading, values: Float32Array, most = Infinity): number {
  let answers = 0;
  for (let step = reading.next(); step.done !== true && answers < most; answers++) {
    const { first, count } = step.value;
    step = reading.next(values.slice(first, first + count));
  }
  return answers;
}

describe.each(CASES)('%s %j', (method, options) => {
  test('gives the same bits at once, in steps and in runs', () => {
    const observers = [0, 1, 2].map(() => createObserver(method, options)) as RangeObserver[];
    const [whole, steps, runs] = observers;
    for (const values of BATCHES) {
      whole!.observe(values);
      const iterator = steps!.observing(values);
      while (iterator.next().done !== true);
      answer(runs!.reading(values.length), values);
    }
    for (const other of [steps, runs]) expect(JSON.stringify(other)).toBe(JSON.stringify(whole));
  });

  test('a batch that is given up changes nothing', () => {
    const values = BATCHES[0]!;
    const total = answer(createObserver(method, options).reading(values.length), values);
    expect(total).toBeGreaterThanOrEqual(4);
    for (let most = 0; most < total; most++) {
      const observer = createObserver(method, options);
      observer.observe(BATCHES[1]!);
      const before = JSON.stringify(observer);
      answer(observer.reading(values.length), values, most);
      expect(JSON.stringify(observer)).toBe(before);
    }
  });
});

test('channels may begin and end anywhere in a run', () => {
  const values = batchOf(3 * 7001 * 5, 3, -1);
  for (const [shape, axis] of [
    [[3, 7001, 5], 1],
    [[3, 7001, 5], 0],
    [[3, 7001, 5], -1],
    [[105_015], 0],
  ] as const) {
    const granularity = perChannel(axis) as { kind: 'perChannel'; axis: number };
    const observer = createObserver('minmax', { granularity });
    observer.observe(values, 'float32', shape);
    const { min, max } = observer.range();
    const index = axis < 0 ? axis + shape.length : axis;
    const inner = shape.slice(index + 1).reduce((product, size) => product * size, 1);
    const expected = Array.from({ length: shape[index]! }, () => [Infinity, -Infinity] as [number, number]);
    values.forEach((value, at) => {
      const ends = expected[Math.floor(at / inner) % shape[index]!]!;
      ends[0] = Math.min(ends[0], value);
      ends[1] = Math.max(ends[1], value);
    });
    expect([...min]).toEqual(expected.map(([low]) => low + 0));
    expect([...max]).toEqual(expected.map(([, high]) => high + 0));
  }
});

test('a value that is not finite is found in any run', () => {
  const values = batchOf(40_000, 1, 0);
  values[33_333] = Number.NaN;
  values[39_999] = Infinity;
  const observer = createObserver('entropy');
  const steps = observer.observing(values);
  const run = (): void => {
    while (steps.next().done !== true);
  };
  expect(run).toThrow(expect.objectContaining({ details: { count: 2, first: 33_333 } }));
  expect(observer.batches).toBe(0);
});

test('checks what it is given before the first run', () => {
  const observer = createObserver('minmax');
  expect(codeOf(() => observer.reading(4, [5]).next())).toBe('ERR_QUANTLANE_SHAPE');
  expect(codeOf(() => observer.observing(new Float32Array(4), 'float16').next())).toBe('ERR_QUANTLANE_DTYPE');
});

test('only delayed scaling knows a range ahead', () => {
  for (const method of RANGE_METHODS) {
    const observer = createObserver(method);
    observer.observe(Float32Array.of(1, -2));
    expect(observer.ahead()).toEqual(method === 'delayed' ? observer.range() : null);
  }
  const end = Float32Array.of(448);
  expect(new DelayedScaling().ahead()).toEqual({ min: Float32Array.of(-448), max: end });
});
