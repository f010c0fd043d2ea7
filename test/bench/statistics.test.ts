/** Medians, intervals and verdicts are right on data whose answer is known, and the same every time. */
import { describe, expect, it } from 'vitest';
import { type Bar, barTable, digits, faster, verdict } from '../../bench/bars.js';
import { type Contender, measure, QUICK } from '../../bench/rounds.js';
import { difference, estimate, median, quantile, randomFrom, ratio } from '../../bench/statistics.js';

describe('median and quantile', () => {
  it('are the middle, and between neighbours', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([10, 20, 30], 0)).toBe(10);
    expect(quantile([10, 20, 30], 1)).toBe(30);
    expect(quantile([10, 20, 30], 0.75)).toBe(25);
  });

  it('refuse no values, and leave theirs in order', () => {
    expect(() => median([])).toThrow('Expected values, got none');
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('estimate', () => {
  const random = randomFrom(7);
  const values = Array.from({ length: 101 }, () => random());

  it('gives the same interval for the same seed, whose numbers are those of no other', () => {
    expect(estimate(values, 3)).toEqual(estimate(values, 3));
    expect(randomFrom(3)()).not.toBe(randomFrom(4)());
  });

  it('holds its median, and is narrower for more values', () => {
    const { value, low, high } = estimate(values);
    expect(low).toBeLessThan(value);
    expect(value).toBeLessThan(high);
    const few = estimate(values.slice(0, 11));
    expect(high - low).toBeLessThan(few.high - few.low);
  });

  it('holds the true median in about 95 of 100 experiments', () => {
    const draw = randomFrom(11);
    let held = 0;
    for (let experiment = 0; experiment < 100; experiment++) {
      const { low, high } = estimate(Array.from({ length: 25 }, draw));
      if (low <= 0.5 && 0.5 <= high) held++;
    }
    expect(held).toBeGreaterThanOrEqual(88);
    expect(held).toBeLessThan(100);
  });

  it('is a point where all values are the same', () => {
    expect(estimate([2, 2, 2])).toEqual({ value: 2, low: 2, high: 2 });
  });
});

describe('pairs', () => {
  it('cancel what falls on both sides of a round', () => {
    const noise = [1, 5, 2, 9, 1, 3, 7];
    const rounds = noise.map((factor) => factor * 3);
    expect(ratio(rounds, noise)).toEqual({ value: 3, low: 3, high: 3 });
    expect(
      difference(
        noise.map((x) => x + 2),
        noise,
      ),
    ).toEqual({ value: 2, low: 2, high: 2 });
  });

  it('need as many rounds on both sides', () => {
    expect(() => ratio([1], [1, 2])).toThrow('Expected pairs, got 1 and 2 rounds');
    expect(() => difference([1], [])).toThrow('Expected pairs, got 1 and 0 rounds');
  });
});

describe('measure', () => {
  it('gives each contender a turn in every round, every other round backwards', async () => {
    const turns: string[] = [];
    const contender = (name: string, nanoseconds: number): Contender => ({
      name,
      runs: 10,
      time: (runs) => {
        turns.push(name);
        return runs * nanoseconds;
      },
    });
    const times = await measure([contender('a', 100), contender('b', 300)], { ...QUICK, rounds: 3, warmMs: 0 });
    expect(turns.join('')).toBe('ababbaab');
    expect([...times]).toEqual([
      ['a', [100, 100, 100]],
      ['b', [300, 300, 300]],
    ]);
    expect(faster(times, 'work', 'a', 'b', 2).measured.value).toBe(3);
    expect(() => faster(times, 'work', 'a', 'c', 2)).toThrow('Expected times of c, got those of a, b');
  });

  it('counts the runs that fill a block', async () => {
    const asked: number[] = [];
    const time = (runs: number): number => {
      asked.push(runs);
      return runs * 1e5;
    };
    await measure([{ name: 'a', time }], { ...QUICK, rounds: 1, blocks: 1, blockMs: 0.8, warmMs: 2 });
    expect(asked).toEqual([1, 2, 4, 8, 8, 8]);
  });

  it('takes the median of the blocks that a turn has time for', async () => {
    // The first one is the warm-up; the turn is over before a third.
    const blocks = [5e6, 1e6, 9e6, 2e6];
    const time = (): number => blocks.shift()!;
    const effort = { ...QUICK, rounds: 1, blocks: 3, turnMs: 10 };
    expect([...(await measure([{ name: 'a', runs: 1, time }], effort))]).toEqual([['a', [5e6]]]);
    expect(blocks).toEqual([2e6]);
  });
});

describe('verdict', () => {
  const bar = (low: number, value: number, high: number, bound: Bar['bound']): Bar => ({
    work: 'work',
    rival: 'rival',
    unit: '×',
    measured: { value, low, high },
    bound,
  });

  it('goes by the median, and says where noise could turn it', () => {
    expect(verdict(bar(2, 3, 4, { least: 1 }))).toBe('met');
    expect(verdict(bar(2, 3, 4, { least: 5 }))).toBe('missed');
    expect(verdict(bar(2, 3, 4, { least: 2.5 }))).toBe('met, within noise');
    expect(verdict(bar(2, 3, 4, { least: 3.5 }))).toBe('missed, within noise');
    expect(verdict(bar(2, 3, 4, { most: 5 }))).toBe('met');
    expect(verdict(bar(2, 3, 4, { most: 1 }))).toBe('missed');
    expect(verdict(bar(2, 3, 4, undefined))).toBe('');
  });

  it('stands in the table beside what was measured', () => {
    const lines = barTable([bar(2, 3, 4, { least: 1 }), bar(0.01234, 0.5, 1234.5, { most: 0.1 })]).split('\n');
    expect(lines[2]).toMatch(/^\| work \| rival +\| +3 × \| +2 to 4 \| +≥ 1 × \| met +\|$/);
    expect(lines[3]).toContain('0.0123 to 1235');
    expect(lines[3]).toContain('missed');
    expect(digits(12.345)).toBe('12.3');
  });
});
