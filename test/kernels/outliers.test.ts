/** LLM.int8(): SIMD and scalar give the same bytes, and the results are those of the definition. */
import { describe, expect, test } from 'vitest';
import { type NonFinitePolicy, preset } from '#src/index.js';
import { schemeWords } from '#src/scheme/index.js';
import { Dtype, Mode, Op } from '../../src/scheme/codes.js';
import { Size, Word } from '../../src/scheme/descriptor.js';
import { DTYPES, FILLS, fill } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { contentOf } from './work.js';

const sandbox = new Sandbox();
const NAMES = { [Dtype.Float32]: 'float32', [Dtype.Float16]: 'float16', [Dtype.Bfloat16]: 'bfloat16' } as const;
const POLICIES: readonly NonFinitePolicy[] = ['error', 'saturate', 'propagate'];

interface Options {
  readonly dtype?: Dtype;
  readonly threshold?: number;
  readonly nonFinite?: NonFinitePolicy;
  /** Columns that are listed instead of those that were marked. */
  readonly columns?: readonly number[];
  readonly misalign?: number;
}

/** All three modes one after the other, each in one descriptor and in one for every row. */
function perform(content: Uint8Array, rows: number, options: Options = {}) {
  const { dtype = Dtype.Float32, threshold = 6, nonFinite = 'error', misalign = 0 } = options;
  sandbox.clear();
  const size = dtype === Dtype.Float32 ? 4 : 2;
  const elements = content.length / size;
  const length = elements / rows;
  const values = sandbox.input(content, misalign * size);
  const scheme = preset('bnb-int8', { threshold, nonFinite });
  const execute = (mode: Mode, words: readonly (readonly [Word, number])[]): number[] => {
    const first = sandbox.descriptors(rows + 1);
    const all = Array.from({ length: rows + 1 }, (_, part) => first + part * Size.Descriptor);
    for (const [part, at] of all.entries()) {
      const common = new Map<Word, number>();
      for (const [index, word] of schemeWords(scheme, NAMES[dtype]).entries())
        common.set(Size.SchemeWords + index, word);
      sandbox.fill(at, common);
      sandbox.fill(
        at,
        new Map<Word, number>([
          [Word.Op, Op.Outliers],
          [Word.Mode, mode],
          [Word.First, part === 0 ? 0 : part - 1],
          [Word.Last, part === 0 ? rows : part],
          [Word.Length, length],
          [Word.Values, values],
          ...words,
        ]),
      );
    }
    sandbox.run(...all);
    return all;
  };
  const marks = sandbox.input(new Uint8Array(length), misalign);
  sandbox.allow(marks, length);
  execute(Mode.Range, [[Word.RangeLow, marks]]);
  const marked = [...sandbox.read(marks, length)].flatMap((mark, column) => (mark === 1 ? [column] : []));
  const listed = options.columns ?? marked;
  const list = sandbox.input(new Uint8Array(Int32Array.from(listed).buffer));
  const codes = sandbox.output(elements, misalign);
  const scale = sandbox.output(rows * 4, misalign * 4);
  const apart = sandbox.output(rows * listed.length * 4);
  const statistics = sandbox.output(rows * Size.StatisticsDoubles * 8);
  const places = [
    [Word.Codes, codes],
    [Word.Scale, scale],
    [Word.ZeroPoint, list],
    [Word.RangeHigh, apart],
    [Word.Count, listed.length],
  ] as const;
  const [whole] = execute(Mode.Quantize, [...places, [Word.Statistics, statistics]]);
  const back = sandbox.output(elements * 4);
  if (sandbox.word(whole!, Word.BadCount) === 0 || nonFinite !== 'error') {
    execute(Mode.Dequantize, [...places, [Word.Values, back]]);
  }
  const floats = (at: number, count: number) => new Float32Array(sandbox.read(at, count * 4).buffer);
  return {
    marked,
    codes: [...new Int8Array(sandbox.read(codes, elements).buffer)],
    scales: [...floats(scale, rows)],
    apart: [...floats(apart, rows * listed.length)],
    statistics: new Float64Array(sandbox.read(statistics, rows * Size.StatisticsDoubles * 8).buffer),
    back: [...floats(back, elements)],
    bad: [sandbox.word(whole!, Word.BadCount), sandbox.word(whole!, Word.BadFirst)],
  };
}

const float32 = (values: readonly number[]): Uint8Array => contentOf(Dtype.Float32, values);
const f = Math.fround;

describe.each(DTYPES)('both kernels give the same bytes, dtype %i', (dtype) => {
  test('lengths and misalignments', () => {
    for (let length = 1; length <= 70; length++) {
      perform(fill('normal', dtype, 3 * length, length), 3, { dtype, threshold: 2, misalign: length % 16 });
    }
  });

  test('any values under each policy', () => {
    let seed = 1;
    for (const kind of FILLS) {
      for (const nonFinite of POLICIES) {
        for (const threshold of [0, 1.5, 6, 1e-40, 3e38]) {
          const content = fill(kind, dtype, 4 * 37, seed++);
          perform(content, 4, { dtype, threshold, nonFinite, misalign: seed % 16 });
        }
      }
    }
  });
});

describe('by hand', () => {
  const X = [1, 2, -3, 7, 0.5, -1, 0.25, 0.5, -6, 5.75, 0, 0, -0, 1, 0];

  test('rows without their outliers, columns of zeros, the values apart', () => {
    const found = perform(float32(X), 3);
    expect(found.marked).toEqual([3]);
    expect(found.scales).toEqual([3, 5.75, 1]);
    expect(found.apart).toEqual([7, -6, 1]);
    expect(found.codes).toEqual([42, 85, -127, 0, 21, -22, 6, 11, 0, 127, 0, 0, 0, 0, 0]);
    const read = (code: number, absmax: number) => f(f(code * absmax) * f(1 / 127));
    const expected = found.codes.map((code, at) => read(code, found.scales[Math.floor(at / 5)]!));
    for (const row of [0, 1, 2]) expected[row * 5 + 3] = found.apart[row]!;
    expect(found.back).toEqual(expected.map((value) => value + 0));
  });

  test('the threshold itself is an outlier, and 0 is none', () => {
    expect(perform(float32([5.999, 6, -6]), 1).marked).toEqual([1, 2]);
    const found = perform(float32([5, 600, -6]), 1, { threshold: 0 });
    expect(found.marked).toEqual([]);
    expect(found.codes).toEqual([1, 127, -1]);
  });

  test('a row of zeros, and one of outliers alone', () => {
    const found = perform(float32([0, -0, 9, 8]), 2);
    expect(found.scales).toEqual([0, 0]);
    expect(found.codes).toEqual([0, 0, 0, 0]);
    expect(found.apart).toEqual([0, -0, 9, 8]);
  });

  test('a row so small that 127 / absmax is infinite saturates', () => {
    expect(perform(float32([2 ** -140, -(2 ** -149), 0]), 1).codes).toEqual([127, -127, 0]);
  });

  test('statistics: outlier columns have signal and no error', () => {
    const { statistics, back } = perform(float32(X), 3);
    for (const row of [0, 1, 2]) {
      const [noise, signal] = [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ] as [number[], number[]];
      let largest = 0;
      for (let i = 0; i < 5; i++) {
        const e = f(X[row * 5 + i]! - back[row * 5 + i]!);
        noise[i & 3]! += e * e;
        signal[i & 3]! += X[row * 5 + i]! ** 2;
        largest = Math.max(largest, Math.abs(e));
      }
      expect([...statistics.subarray(row * 10, row * 10 + 10)]).toEqual([...noise, ...signal, largest, 0]);
    }
  });

  test('columns that are given: an outlier elsewhere saturates, a column beyond the row is passed over', () => {
    const found = perform(float32([1, 2, 50, 4]), 1, { columns: [0, 3, 99] });
    expect(found.codes).toEqual([0, 64, 127, 0]);
    expect(found.apart.slice(0, 2)).toEqual([1, 4]);
    expect(found.back).toEqual([1, f(f(64 * 4) * f(1 / 127)), 4, 4]);
  });
});

describe('values that are not finite', () => {
  const X = [1, Number.NaN, Number.POSITIVE_INFINITY, 2, 1, 2, 3, Number.NEGATIVE_INFINITY];

  test('error: counted, in row and place', () => {
    expect(perform(float32(X), 2).bad).toEqual([3, 1]);
  });

  test('saturate: NaN is 0 and infinities the absmax of their row, and none is an outlier', () => {
    const found = perform(float32([...X.slice(0, 3), 9, ...X.slice(4)]), 2, { nonFinite: 'saturate' });
    expect(found.marked).toEqual([3]);
    expect(found.scales).toEqual([1, 3]);
    expect(found.codes).toEqual([127, 0, 127, 0, 42, 85, 127, 0]);
    expect(found.apart).toEqual([9, -3]);
  });

  test('propagate: an infinity is an outlier, a NaN poisons its row', () => {
    const found = perform(float32(X), 2, { nonFinite: 'propagate' });
    expect(found.marked).toEqual([2, 3]);
    expect(found.scales).toEqual([Number.NaN, 3]);
    expect(found.codes).toEqual([0, 0, 0, 0, 42, 85, 0, 0]);
    expect(found.apart).toEqual([Number.POSITIVE_INFINITY, 2, 3, Number.NEGATIVE_INFINITY]);
    const none = perform(float32(X), 2, { nonFinite: 'propagate', threshold: 0 });
    expect(none.scales).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
    expect(none.codes).toEqual(new Array(8).fill(0));
  });
});
