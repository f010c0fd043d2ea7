import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSize, parseSize } from '#src/memory/index.js';
import { codeOf } from './helpers.js';

test.each([
  [1, 1],
  [4096, 4096],
  [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['4096', 4096],
  ['12B', 12],
  ['12 B', 12],
  ['1KiB', 1024],
  ['256MiB', 268_435_456],
  ['1.5GiB', 1_610_612_736],
  ['1kB', 1000],
  ['1KB', 1000],
  ['64 MB', 64_000_000],
  ['2GB', 2_000_000_000],
  ['  8 MiB ', 8_388_608],
  ['1.1 KiB', 1126],
  ['0.1GB', 100_000_000],
])('%j is %d bytes', (value, bytes) => {
  expect(parseSize(value)).toBe(bytes);
});

test.each([
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  '',
  ' ',
  '0',
  '0MiB',
  '-1MiB',
  '1.5',
  '1.5B',
  '0.0001KiB',
  '1e6',
  '.5GiB',
  '1.GiB',
  '12 MiBs',
  '12mib',
  '1 TiB',
  '0x10',
  'MiB',
  '9007199254740993',
  '99999999GiB',
  null,
  undefined,
  {},
  [1],
])('%j is no size', (value) => {
  expect(codeOf(() => parseSize(value as never))).toBe('ERR_QUANTLANE_ARGUMENT');
});

test('the message names the value', () => {
  expect(() => parseSize('12 parsecs')).toThrow("got '12 parsecs' (string)");
});

test.each([
  [0, '0 B'],
  [12, '12 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [1_048_575, '1 MiB'],
  [268_435_456, '256 MiB'],
  [1_000_000, '976.56 KiB'],
  [1_610_612_736, '1.5 GiB'],
  [2 ** 52, '4096 TiB'],
])('%d bytes are %j', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test('a whole number of units survives the way there and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1023 }), fc.constantFrom('B', 'KiB', 'MiB', 'GiB'), (count, unit) => {
      expect(formatSize(parseSize(`${count} ${unit}`))).toBe(`${count} ${unit}`);
    }),
  );
});
