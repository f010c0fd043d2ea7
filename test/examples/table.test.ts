/** The parts of the example that can be looked at alone. */
import { describe, expect, it } from 'vitest';
import { parametersOf } from '../../dist/examples/calibration.js';
import { Progress } from '../../dist/examples/progress.js';
import { shortCount, shortNumber, table, wrap } from '../../dist/examples/table.js';

describe('table', () => {
  it('is as wide as it needs, with numbers flush right', () => {
    const columns = [
      { head: ['name', ''], cell: (row: { name: string }) => row.name },
      { head: ['a', 'b'], cell: (row: { n: number }) => String(row.n) },
    ] as never;
    const rows = [
      { name: 'x', n: 1 },
      { name: 'longer', n: 200 },
    ];
    expect(table(columns, rows).split('\n')).toEqual([
      'name     a',
      '         b',
      '------ ---',
      'x        1',
      'longer 200',
    ]);
    expect(table(columns, [])).toBe('name a\n     b\n---- -');
  });

  it.each([
    [0, '0'],
    [99_999, '99999'],
    [100_000, '100k'],
    [999_499, '999k'],
    [999_500, '1.00M'],
    [1_138_688, '1.14M'],
    [2 ** 53, '9.01P'],
  ])('%d is %s', (count, text) => {
    expect(shortCount(count)).toBe(text);
  });

  it.each([
    [0, '0'],
    [0.0316789, '0.0317'],
    [12.3456, '12.3'],
    [1e-9, '1.0e-9'],
    [123_456, '1.2e+5'],
  ])('%d is %s', (value, text) => {
    expect(shortNumber(value)).toBe(text);
    expect(text.length).toBeLessThanOrEqual(7);
  });

  it('wraps text at 80 columns', () => {
    const text = 'word '.repeat(100).trim();
    expect(wrap(text).join(' ')).toBe(text);
    expect(Math.max(...wrap(text).map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(wrap('x'.repeat(100))).toEqual(['x'.repeat(100)]);
  });
});

describe('calibration', () => {
  it.each([
    [0, 255, 1, 0],
    [-255, 0, 1, 255],
    [-1, 1, Math.fround(2 / 255), 128],
    [0, 0, 1, 0],
    [0, 2 ** -140, 1, 0],
  ])('of %d to %d', (low, high, scale, zeroPoint) => {
    expect(parametersOf(low, high, { codes: [0, 255], symmetric: false })).toEqual({ scale, zeroPoint });
  });
});

describe('progress', () => {
  function terminal(isTTY: boolean) {
    const written: string[] = [];
    return { written, stream: { isTTY, columns: 30, write: (text: string) => written.push(text) } as never };
  }

  it('writes nothing where no terminal is', () => {
    const { written, stream } = terminal(false);
    const progress = new Progress(stream);
    progress.show('x', 0.5);
    progress.clear();
    expect(written).toEqual([]);
  });

  it('overwrites one line of a terminal and removes it', () => {
    const { written, stream } = terminal(true);
    const progress = new Progress(stream);
    progress.show('a-long-name-of-a-preset', 0.5);
    progress.show('too soon', 0.6);
    progress.clear();
    expect(written).toEqual(['\r\x1b[K##########..........  50 %  a', '\r\x1b[K']);
  });

  it('has nothing to remove where it showed nothing', () => {
    const { written, stream } = terminal(true);
    new Progress(stream).clear();
    expect(written).toEqual([]);
  });
});
