/** How codes are used, where channels lie, and which stand out. */
import { describe, expect, it } from 'vitest';
import { CodeUsage, channelLayout, outlierChannels } from '#src/index.js';
import { medianOf } from '#src/quality/index.js';

describe('the usage of codes', () => {
  it.each([
    ['nothing', [], 0, 0, 0],
    ['one code', [3, 3, 3], 0, 1, 0],
    ['two codes evenly', [0, 1, 0, 1], 1, 2, 0],
    ['every code evenly', [-2, -1, 0, 1, 2, 3, 4, 5], 3, 8, 2],
    ['a half, a quarter and two eighths', [0, 0, 0, 0, 1, 1, -2, 5], 1.75, 4, 2],
  ])('%s', (_name, codes, entropy, used, atEnds) => {
    const usage = new CodeUsage(-2, 5);
    usage.add(codes);
    expect(usage.entropy).toBeCloseTo(entropy, 14);
    expect([usage.total, usage.used, usage.atEnds]).toEqual([codes.length, used, atEnds]);
  });

  it('merges', () => {
    const [a, b] = [new CodeUsage(0, 3), new CodeUsage(0, 3)];
    a.add(Uint8Array.of(0, 1));
    b.add(Uint8Array.of(1, 3));
    a.merge(b);
    expect([...a.counts]).toEqual([1, 2, 0, 1]);
    expect(() => a.merge(new CodeUsage(0, 4))).toThrow('Expected codes 0 to 3, got 0 to 4');
  });

  it('knows a single code', () => {
    const usage = new CodeUsage(7, 7);
    usage.add([7, 7]);
    expect([usage.atEnds, usage.entropy]).toEqual([2, 0]);
  });

  it.each([
    [1, 0],
    [0, 2 ** 24],
    [0.5, 2],
    [0, Number.NaN],
  ])('refuses %d to %d', (lo, hi) => {
    expect(() => new CodeUsage(lo, hi)).toThrow('Expected up to 16777216 codes');
  });

  it.each([[-3], [6], [0.5], [Number.NaN]])('refuses the code %d', (code) => {
    expect(() => new CodeUsage(-2, 5).add([0, code])).toThrow(`Expected codes from -2 to 5, got ${code} at 1`);
  });
});

describe('channels', () => {
  it('are the indices of an axis', () => {
    expect(channelLayout([2, 3, 4], 0)).toEqual({ count: 2, inner: 12 });
    expect(channelLayout([2, 3, 4], 1)).toEqual({ count: 3, inner: 4 });
    expect(channelLayout([2, 3, 4], -1)).toEqual({ count: 4, inner: 1 });
    expect(() => channelLayout([2], 1)).toThrow('Expected a shape with axis 1, got [2]');
    expect(() => channelLayout([], -1)).toThrow('Expected a shape with axis -1, got []');
  });

  it.each([
    [[1, 1, 1, 6], []],
    [[1, 1, 1, 6.01], [3]],
    [
      [7, 1, 1, 1, 9, 1],
      [0, 4],
    ],
    [[0, 0, 0.1], [2]],
    [[0, 0], []],
    [[5], []],
    [[], []],
  ])('stand out: %j', (amax, expected) => {
    expect(outlierChannels(amax)).toEqual(expected);
  });

  it('stand out by another factor', () => {
    expect(outlierChannels([1, 2, 3, 4], 1)).toEqual([2, 3]);
  });

  it('have a median', () => {
    expect([medianOf([3, 1, 2]), medianOf([4, 1, 3, 2]), medianOf([5])]).toEqual([2, 2.5, 5]);
    expect(medianOf([])).toBeNaN();
  });
});
