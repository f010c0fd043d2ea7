import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CALIBRATION_SCHEMA,
  calibrationOf,
  createObserver,
  RANGE_METHODS,
  type RangeMethod,
  type RangeObserver,
  readCalibration,
  writeCalibration,
} from '#src/ranges/index.js';
import { batches, codeOf } from './helpers.js';

const SMALL: Partial<Record<RangeMethod, object>> = {
  percentile: { bins: 64 },
  mse: { bins: 64 },
  entropy: { bins: 64 },
  histogram: { bins: 64 },
};

function observed(method: RangeMethod, factor = 1): RangeObserver {
  const observer = createObserver(method, (SMALL[method] ?? {}) as never);
  for (const batch of batches()) observer.observe(batch.map((value) => value * factor));
  return observer;
}

const target = { name: 'onnx-static', options: { dtype: 'uint8' } } as const;

describe.each(RANGE_METHODS)('%s', (method) => {
  test('is read as it was written', () => {
    const calibration = calibrationOf(
      [
        ['input', observed(method)],
        ['layers.0.mlp', observed(method, 0.1)],
      ],
      target,
    );
    const text = writeCalibration(calibration);
    const back = readCalibration(text);
    expect(back).toEqual(calibration);
    expect(writeCalibration(back)).toBe(text);
    expect(back.tensors.get('input')).toMatchObject({ batches: 3, elements: 12001, skipped: 0 });
  });
});

test('names may be anything but the prototype', () => {
  const names = fc.uniqueArray(
    fc.oneof(fc.string({ minLength: 1, unit: 'grapheme' }), fc.constantFrom('constructor', 'toString', '1', '0')),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(names, (list) => {
      const tensors = list.filter((name) => name !== '__proto__').map((name) => [name, observed('minmax')] as const);
      if (tensors.length === 0) return;
      const back = readCalibration(writeCalibration(calibrationOf(tensors)));
      expect([...back.tensors.keys()].sort()).toEqual(tensors.map(([name]) => name).sort());
    }),
    { numRuns: 20 },
  );
});

describe('a calibration', () => {
  test.each([
    ['no tensors', () => calibrationOf([])],
    ['no batches', () => calibrationOf([['a', createObserver('minmax')]])],
    [
      'two methods',
      () =>
        calibrationOf([
          ['a', observed('minmax')],
          ['b', observed('delayed')],
        ]),
    ],
    [
      'two sets of options',
      () => {
        const other = createObserver('percentile', { bins: 64, percentile: 50 });
        other.observe(Float32Array.of(1));
        return calibrationOf([
          ['a', observed('percentile')],
          ['b', other],
        ]);
      },
    ],
    [
      'a name twice',
      () =>
        calibrationOf([
          ['a', observed('minmax')],
          ['a', observed('minmax')],
        ]),
    ],
    ['no name', () => calibrationOf([['', observed('minmax')]])],
    ['the name of the prototype', () => calibrationOf([['__proto__', observed('minmax')]])],
  ])('refuses %s', (_name, make) => {
    expect(codeOf(make)).toBe('ERR_QUANTLANE_ARGUMENT');
  });

  test('refuses a preset that there is not', () => {
    expect(codeOf(() => calibrationOf([['a', observed('minmax')]], { name: 'none', options: {} }))).toBe(
      'ERR_QUANTLANE_PRESET',
    );
  });
});

describe('a file', () => {
  const good = JSON.parse(writeCalibration(calibrationOf([['a', observed('percentile')]], target)));
  const tensor = good.tensors.a;
  const withTensor = (change: object): unknown => ({ ...good, tensors: { a: { ...tensor, ...change } } });
  const withHistogram = (change: object): unknown => withTensor({ histogram: { ...tensor.histogram, ...change } });
  const { edges, counts } = tensor.histogram as { edges: number[]; counts: number[] };

  const hostile: readonly (readonly [string, unknown])[] = [
    ['a list', []],
    ['null', null],
    ['another format', { ...good, format: 'other' }],
    ['a format that cannot be text', { ...good, format: [{ toString: 0 }] }],
    ['a newer version', { ...good, version: 2 }],
    ['a version that is text', { ...good, version: '1' }],
    ['one more field', { ...good, more: 1 }],
    ['no preset', { ...good, preset: undefined }],
    ['no tensors', { ...good, tensors: {} }],
    ['tensors in a list', { ...good, tensors: [tensor] }],
    ['an unknown method', { ...good, method: 'magic' }],
    ['a method of the prototype', { ...good, method: 'constructor' }],
    ['an unknown option', { ...good, options: { ...good.options, more: 1 } }],
    ['an option out of bounds', { ...good, options: { ...good.options, percentile: 101 } }],
    ['too many bins', { ...good, options: { ...good.options, bins: 2 ** 40 } }],
    ['an unknown preset', { ...good, preset: { name: 'none', options: {} } }],
    ['a preset option out of place', { ...good, preset: { name: 'onnx-dynamic', options: { axis: 1 } } }],
    ['a preset option of the wrong type', { ...good, preset: { name: 'onnx-static', options: { axis: '1' } } }],
    [
      'a preset that knows no reduced range',
      { ...good, preset: { name: 'onnx-static', options: { reduceRange: true } } },
    ],
    ['a preset with more', { ...good, preset: { ...target, more: 1 } }],
    ['a long name', { ...good, tensors: { ['a'.repeat(2000)]: tensor } }],
    ['no name', { ...good, tensors: { '': tensor } }],
    ['a tensor that is null', { ...good, tensors: { a: null } }],
    ['a tensor with more', withTensor({ more: 1 })],
    ['no range', withTensor({ min: [], max: [] })],
    ['a range of text', withTensor({ min: ['1'] })],
    ['a range of null', withTensor({ min: [null] })],
    ['ends of different length', withTensor({ min: [0, 0] })],
    ['a range of more than float32', withTensor({ max: [0.1] })],
    ['a range beyond float32', withTensor({ max: [1e39] })],
    ['min above max', withTensor({ min: [9], max: [1] })],
    ['a huge range', withTensor({ min: Array(2 ** 22 + 1).fill(0) })],
    ['batches that are none', withTensor({ batches: 0 })],
    ['fewer elements than batches', withTensor({ elements: 1 })],
    ['skipped below zero', withTensor({ skipped: -1 })],
    ['a histogram in a list', withTensor({ histogram: [] })],
    ['edges that fall', withHistogram({ edges: edges.toReversed() })],
    ['too few edges', withHistogram({ edges: edges.slice(1) })],
    ['counts below zero', withHistogram({ counts: counts.map((count) => -count) })],
    ['counts of parts', withHistogram({ counts: counts.map((count) => count + 0.5) })],
    ['counts that do not add up', withHistogram({ counts: counts.with(0, counts[0]! + 1) })],
    ['a huge histogram', withHistogram({ counts: Array(2 ** 20 + 1).fill(0) })],
    ['no counts', withHistogram({ counts: [] })],
  ];

  test.each(hostile)('with %s is refused', (_name, json) => {
    expect(codeOf(() => readCalibration(JSON.stringify(json)))).toBe('ERR_QUANTLANE_FORMAT');
  });

  test.each(['', '{', 'NaN', '{"format":NaN}', '[[[['])('with the text %j is refused', (text) => {
    expect(codeOf(() => readCalibration(text))).toBe('ERR_QUANTLANE_FORMAT');
  });

  test('with a prototype anywhere is refused and changes nothing', () => {
    const text = JSON.stringify(good);
    for (const place of ['"format"', '"percentile"', '"name"', '"dtype"', '"a"', '"min"', '"edges"']) {
      const wrong = text.replace(`${place}:`, `"__proto__":{"polluted":true},${place}:`);
      expect(wrong).not.toBe(text);
      expect(codeOf(() => readCalibration(wrong))).toBe('ERR_QUANTLANE_FORMAT');
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('with one field replaced by anything else is refused or read, never more', () => {
    const paths = pathsOf(good);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        const json = structuredClone(good);
        let parent = json as Record<string, unknown>;
        for (const key of path.slice(0, -1)) parent = parent[key] as Record<string, unknown>;
        parent[path.at(-1)!] = value;
        const code = codeOf(() => readCalibration(JSON.stringify(json)));
        expect([undefined, 'ERR_QUANTLANE_FORMAT']).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  test('has the fields that the schema names', () => {
    expect(Object.keys(good)).toEqual(CALIBRATION_SCHEMA.required);
    const schema = CALIBRATION_SCHEMA.properties.tensors.additionalProperties;
    expect(Object.keys(tensor)).toEqual(schema.required);
    expect(Object.keys(schema.properties)).toEqual(schema.required);
    expect(CALIBRATION_SCHEMA.properties.method.enum).toEqual(RANGE_METHODS);
    expect(Object.isFrozen(schema.properties)).toBe(true);
  });
});

/** The way to every field of an object, but only to the first few of a list. */
function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .slice(0, 20)
    .flatMap(([key, part]) => [[key], ...pathsOf(part).map((rest) => [key, ...rest])]);
}
