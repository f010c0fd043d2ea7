import { describe, expect, test } from 'vitest';
import { Dtype, NonFinite, Op, Source } from '../../src/scheme/codes.js';
import { Sandbox } from './sandbox.js';
import { AFFINE, bitsOf, contentOf, type Outcome, perform, type Rules, type Shape, SYMMETRIC } from './work.js';

const sandbox = new Sandbox();
const GUARD = 0xa5;
const NAN_BITS = 0x7fc00000;

/** Three groups of 4, the middle one not finite, as rows, channels or columns. */
const SHAPES: [string, Shape, (group: number, i: number) => number][] = [
  ['rows', { op: Op.Segments, rows: 3, length: 4, group: 4 }, (group, i) => group * 4 + i],
  ['blocks', { op: Op.Segments, rows: 1, length: 12, group: 4 }, (group, i) => group * 4 + i],
  ['channels', { op: Op.Channels, count: 3, parts: 2, length: 2 }, (group, i) => (i >> 1) * 6 + group * 2 + (i & 1)],
  ['columns', { op: Op.Columns, length: 4, group: 4, inner: 3 }, (group, i) => i * 3 + group],
];

describe.each(SHAPES)('%s', (_name, shape, place) => {
  const groups = [
    [127, -127, 0, 1],
    [Number.NaN, -Infinity, 127, Infinity],
    [254, -254, 2, -2],
  ];
  const values = new Float32Array(12);
  for (const [group, items] of groups.entries()) for (const [i, x] of items.entries()) values[place(group, i)] = x;

  function quantize(rules: Partial<Rules>, source = Source.Data): Outcome & { of(group: number): number[] } {
    const all = { ...SYMMETRIC, ...rules };
    const content = contentOf(Dtype.Float32, values);
    const outcome = perform(sandbox, { rules: all, shape, content, source, given: { scales: [1] }, statistics: true });
    return { ...outcome, of: (group) => groups[0]!.map((_, i) => outcome.codes[place(group, i)]!) };
  }

  const first = Math.min(place(1, 0), place(1, 1), place(1, 3));

  test('error: the group has no codes and no parameters; the others have', () => {
    const outcome = quantize({ nonFinite: NonFinite.Error });
    expect([outcome.badCount, outcome.badFirst]).toEqual([3, first]);
    expect(outcome.of(1).map((code) => code & 255)).toEqual([GUARD, GUARD, GUARD, GUARD]);
    expect(bitsOf(outcome.scales[1]!)).toBe(
      bitsOf(new Float32Array(Uint8Array.of(GUARD, GUARD, GUARD, GUARD).buffer)[0]!),
    );
    expect([outcome.scales[0], outcome.scales[2]]).toEqual([1, 2]);
    expect([outcome.of(0), outcome.of(2)]).toEqual([
      [127, -127, 0, 1],
      [127, -127, 1, -1],
    ]);
  });

  test('error with given parameters', () => {
    const outcome = quantize({ nonFinite: NonFinite.Error }, Source.Given);
    expect([outcome.badCount, outcome.badFirst]).toEqual([3, first]);
    expect(outcome.of(0)).toEqual([127, -127, 0, 1]);
    expect(outcome.of(2)).toEqual([127, -128, 2, -2]);
  });

  test('saturate: NaN is zero, infinities are the ends of what is left', () => {
    const outcome = quantize({ nonFinite: NonFinite.Saturate, nanCode: 9 });
    expect(outcome.badCount).toBe(3);
    expect(outcome.scales[1]).toBe(1);
    expect(outcome.of(1)).toEqual([0, 0, 127, 127]);
    expect(quantize({ nonFinite: NonFinite.Saturate }, Source.Given).of(1)).toEqual([0, -128, 127, 127]);
  });

  test('propagate: infinities make the scale infinite', () => {
    const outcome = quantize({ nonFinite: NonFinite.Propagate, poisons: false, nanCode: 9 });
    expect(outcome.scales[1]).toBe(Infinity);
    expect(outcome.of(1)).toEqual([9, 9, 0, 9]);
  });

  test('propagate: a NaN that poisons makes everything NaN', () => {
    const outcome = quantize({ nonFinite: NonFinite.Propagate, poisons: true, nanCode: 9 });
    expect(new Int32Array(outcome.scaleBytes.buffer)[1]).toBe(NAN_BITS);
    expect(outcome.of(1)).toEqual([9, 9, 9, 9]);
    expect([outcome.of(0), outcome.of(2)]).toEqual([
      [127, -127, 0, 1],
      [127, -127, 1, -1],
    ]);
    const affine = quantize({ ...AFFINE, nonFinite: NonFinite.Propagate, poisons: true, nanCode: 9 });
    expect(affine.zeros[1]).toBe(255);
  });
});
