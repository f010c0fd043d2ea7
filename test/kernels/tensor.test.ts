import { describe, expect, test } from 'vitest';
import { Dtype, Mode, NonFinite, Op, Source } from '../../src/scheme/codes.js';
import { Size, Word } from '../../src/scheme/descriptor.js';
import { DTYPES, fill } from './arbitrary.js';
import { Sandbox } from './sandbox.js';
import { AFFINE, bitsOf, contentOf, contentOfBits, perform, SYMMETRIC } from './work.js';

const sandbox = new Sandbox();
const TILE = Size.TensorTile;
const NAN = 0x7fc00000;

const tensor = (length: number) => ({ op: Op.Tensor, length });

describe('a tensor of several tiles', () => {
  test.each(DTYPES)('has the same codes in one call and in two passes, dtype %i', (dtype) => {
    for (const length of [TILE, TILE + 1, 3 * TILE - 5]) {
      const content = fill('normal', dtype, length, length);
      const work = { rules: { ...AFFINE, dtype }, shape: tensor(length), content, statistics: true, misalign: 3 };
      const whole = perform(sandbox, work);
      for (const cuts of [1, 2, 3]) {
        const parts = perform(sandbox, { ...work, source: Source.Barrier, cuts });
        for (const output of ['codes', 'scales', 'zeros', 'statistics'] as const) {
          expect(Buffer.from(parts[output].buffer).equals(Buffer.from(whole[output].buffer)), output).toBe(true);
        }
      }
    }
  });

  test.each([NonFinite.Error, NonFinite.Saturate, NonFinite.Propagate])('under policy %i', (nonFinite) => {
    for (const poisons of [true, false]) {
      const length = 2 * TILE + 100;
      const rules = { ...AFFINE, nonFinite, poisons, nanCode: 7 };
      const content = fill('normal', Dtype.Float32, length, 5);
      const at = TILE + 5000;
      content.set(contentOfBits(Dtype.Float32, [NAN, 0xff800000]), at * 4);
      for (const source of [Source.Data, Source.Barrier, Source.Range, Source.Given]) {
        const given = { scales: [0.02], zeros: [100], lows: [-1], highs: [2] };
        const work = { rules, shape: tensor(length), content, source, given, statistics: true };
        const outcome = perform(sandbox, { ...work, cuts: source === Source.Data ? 1 : 2 });
        expect([outcome.badCount, outcome.badFirst]).toEqual([2, at]);
        if (nonFinite === NonFinite.Saturate) {
          const zero = source === Source.Given ? 100 : outcome.zeros[0];
          expect([...outcome.codes.subarray(at, at + 2)]).toEqual([zero, 0]);
        }
      }
    }
  });

  test('quantizes with a given range, and beyond it to its ends', () => {
    const content = contentOf(Dtype.Float32, [-9, -1, 0, 1, 2, 9]);
    const given = { lows: [-1], highs: [2] };
    const outcome = perform(sandbox, { rules: AFFINE, shape: tensor(6), content, source: Source.Range, given });
    expect([...outcome.codes]).toEqual([0, 0, 85, 170, 255, 255]);
    expect([outcome.scales[0], outcome.zeros[0]]).toEqual([Math.fround(3 / 255), 85]);
    for (const [low, high] of [
      [0.5, 2],
      [-2, -0.5],
      [-0, 0],
      [0, -0],
    ] as const) {
      const bent = perform(sandbox, {
        rules: AFFINE,
        shape: tensor(6),
        content,
        source: Source.Range,
        given: { lows: [low], highs: [high] },
      });
      const extent = Math.max(high, 0) - Math.min(low, 0);
      expect(bent.scales[0]).toBe(extent === 0 ? 1 : Math.fround(extent / 255));
    }
  });

  test('a range pass over parts of one descriptor goes on where the last part ended', () => {
    sandbox.clear();
    const content = contentOf(
      Dtype.Float32,
      Float32Array.from({ length: 2 * TILE + 1 }, (_, i) => i - TILE),
    );
    const values = sandbox.input(content);
    const at = sandbox.descriptors(1);
    const words = [
      [Word.Op, Op.Tensor],
      [Word.Mode, Mode.Range],
      [Word.Values, values],
      [Word.Length, 2 * TILE + 1],
    ] as const;
    sandbox.fill(at, new Map(words));
    const ends: number[][] = [];
    for (let tile = 0; tile < 3; tile++) {
      sandbox.fill(
        at,
        new Map([
          [Word.First, tile],
          [Word.Last, tile + 1],
        ]),
      );
      sandbox.run(at);
      ends.push([sandbox.word(at, Word.Low), sandbox.word(at, Word.High)]);
    }
    const low = bitsOf(-TILE);
    expect(ends).toEqual([
      [low, 0],
      [low, bitsOf(TILE - 1)],
      [low, bitsOf(TILE)],
    ]);
  });
});

describe('ranges', () => {
  const specials = [3, Number.NaN, -Infinity, -7, Infinity, 0.5];
  test.each([
    [NonFinite.Saturate, true, -7, 3],
    [NonFinite.Error, true, -7, 3],
    [NonFinite.Propagate, false, -Infinity, Infinity],
    [NonFinite.Propagate, true, -Infinity, Number.NaN],
  ])('policy %i, poisons %s: [%f, %f]', (nonFinite, poisons, low, high) => {
    for (const dtype of DTYPES) {
      const rules = { ...SYMMETRIC, dtype, nonFinite, poisons };
      for (const repeat of [1, 9]) {
        const values = Array(repeat).fill(specials).flat();
        const n = values.length;
        const shapes = [
          tensor(n),
          { op: Op.Segments, rows: 1, length: n, group: n },
          { op: Op.Channels, count: 1, parts: repeat, length: 6 },
          { op: Op.Columns, length: n, group: n, inner: 1 },
        ];
        for (const shape of shapes) {
          const outcome = perform(sandbox, { rules, shape, content: contentOf(dtype, values), mode: Mode.Range });
          expect([outcome.lows[0], outcome.highs[0]]).toEqual([low, high]);
          expect([outcome.badCount, outcome.badFirst]).toEqual([3 * repeat, 1]);
        }
      }
    }
  });

  test('hold zero: from −0 to +0 where there is nothing else', () => {
    for (const values of [[], [0, -0, 0], [-0], [0]]) {
      const content = contentOf(Dtype.Float32, values);
      const { lows, highs } = perform(sandbox, {
        rules: AFFINE,
        shape: tensor(values.length),
        content,
        mode: Mode.Range,
      });
      expect([lows[0], highs[0]]).toEqual([-0, 0]);
    }
  });
});
