import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '#src/errors.js';
import { openGguf, openTensors, parseGgufHeader } from '#src/formats/index.js';
import { bytesOf, expectRefused, expectRejected, join2, pattern, put, temporaryFolder } from './files.js';
import { ggufFile, type Parts, pair, tensor, text, u32, u64 } from './gguf-bytes.js';

const folder = await temporaryFolder();

const VALID = ggufFile({
  pairs: [
    pair('general.architecture', 8, text('x')),
    pair('list', 9, u32(9), u64(1), u32(4), u64(2), u32(1), u32(2)),
    pair('general.alignment', 4, u32(32)),
  ],
  tensors: [tensor('weight', [32, 2], 2, 0), tensor('bias', [5], 0, 64)],
  data: pattern(84),
});

/** Parses a whole file of these parts. */
function parse(parts: Parts) {
  const bytes = ggufFile(parts);
  return parseGgufHeader(bytes, bytes.length);
}

test('the file that the others are made of is good', () => {
  expect(parseGgufHeader(VALID, VALID.length).tensors).toHaveLength(2);
});

describe('the beginning', () => {
  test.each([
    ['version 0', { version: 0 }, /Expected GGUF version 2 or 3, little-endian, got 0/],
    ['version 1', { version: 1 }, /got 1/],
    ['version 4', { version: 4 }, /got 4/],
    ['big-endian', { version: 0x03000000 }, /got a big-endian file/],
    ['2^17 + 1 tensors', { tensorCount: 2 ** 17 + 1 }, /Expected at most 131072 tensors, got 131073/],
    ['2^64 - 1 tensors', { tensorCount: 2n ** 64n - 1n }, /a number of tensors below 2\^53 at byte 8, got 18446/],
    ['2^16 + 1 values', { pairCount: 2 ** 16 + 1 }, /Expected at most 65536 values, got 65537/],
    ['more tensors than bytes', { tensorCount: 2 ** 17 }, /truncated/],
    ['more values than bytes', { pairCount: 2 ** 16 }, /truncated/],
    ['one tensor too many', { tensorCount: 1 }, /truncated/],
  ])('%s', (_, parts, message) => {
    expectRefused(() => parse(parts), message);
  });
});

describe('values', () => {
  const list = (type: number, count: number | bigint, ...rest: Uint8Array[]) =>
    pair('k', 9, u32(type), u64(count), ...rest);
  const nested = (depth: number) =>
    pair('k', 9, new Uint8Array(Buffer.concat(Array(depth).fill(join2(u32(9), u64(1))))), u32(7), u64(0));
  test.each([
    ['an unknown type', [pair('k', 13)], /a value type from 0 to 12 for "k" at byte \d+, got 13/],
    ['a type of 2^32 - 1', [pair('k', 0xffffffff)], /got 4294967295/],
    ['an unknown type of elements', [list(99, 0)], /a value type from 0 to 12 for "k" at byte \d+, got 99/],
    ['true as 2', [pair('k', 7, Uint8Array.of(2))], /Expected 0 or 1 for "k" at byte \d+, got 2/],
    ['no key', [pair('', 7, Uint8Array.of(1))], /Expected a key of 1 to 65535 bytes at byte 32, got 0/],
    ['a key of 65,536 bytes', [pair('x'.repeat(65_536), 7, Uint8Array.of(1))], /1 to 65535 bytes .*, got 65536/],
    [
      'a key of other bytes',
      [join2(text(Uint8Array.of(0xc3, 0x28)), u32(7), u32(0))],
      /Expected a key in UTF-8 at byte/,
    ],
    [
      'a repeated key',
      [pair('k', 7, Uint8Array.of(1)), pair('k', 7, Uint8Array.of(0))],
      /Expected each key once, got "k" twice/,
    ],
    [
      'a repeated __proto__',
      [pair('__proto__', 7, Uint8Array.of(1)), pair('__proto__', 7, Uint8Array.of(0))],
      /got "__proto__" twice/,
    ],
    [
      'a text beyond the end',
      [pair('k', 8, u64(1000), bytesOf('short'))],
      /Expected at least \d+ bytes, got 64: the file/,
    ],
    ['a text of 2^53 - 1 bytes', [pair('k', 8, u64(2n ** 53n - 1n))], /truncated/],
    ['a text of 2^64 - 1 bytes', [pair('k', 8, u64(2n ** 64n - 1n))], /a string length below 2\^53 at byte/],
    ['a list beyond the end', [list(0, 1000)], /truncated/],
    ['a list of 2^53 - 1 lists', [list(9, 2n ** 53n - 1n)], /truncated/],
    ['a list of 2^64 - 1', [list(0, 2n ** 64n - 1n)], /a length of the list "k" below 2\^53/],
    ['lists that are too deep', [nested(4)], /Expected at most 4 lists in each other for "k" at byte \d+, got more/],
    ['lists that are far too deep', [nested(100_000)], /at most 4 lists in each other/],
    ['an alignment of 0', [pair('general.alignment', 4, u32(0))], /a power of two as uint32, got 0 \(uint32\)/],
    ['an alignment of 24', [pair('general.alignment', 4, u32(24))], /got 24 \(uint32\)/],
    ['an alignment of 64 bits', [pair('general.alignment', 10, u64(32))], /got 32 \(uint64\)/],
    ['an alignment as a list', [pair('general.alignment', 9, u32(4), u64(1), u32(32))], /got a list \(array\)/],
  ])('%s', (_, pairs, message) => {
    expectRefused(() => parse({ pairs }), message);
  });

  test('lists as deep as they may be', () => {
    expect(parse({ pairs: [nested(3)] }).values['k'].type).toBe('array');
  });

  test('more elements than memory is taken for', () => {
    const pairs = [list(0, 2 ** 22, new Uint8Array(2 ** 22))];
    expectRefused(() => parse({ pairs }), /Expected lists of at most 4194304 values together, got 4194320/);
  });

  test('more empty lists than memory is taken for', () => {
    const empty = join2(u32(0), u64(0));
    const count = 2 ** 18;
    const pairs = [list(9, count, new Uint8Array(Buffer.concat(Array(count).fill(empty))))];
    expectRefused(() => parse({ pairs }), /Expected lists of at most 4194304 values together/);
  });
});

describe('tensors', () => {
  const one = (dimensions: (number | bigint)[], type: number, offset: number | bigint) => [
    tensor('a', dimensions, type, offset),
  ];
  test.each([
    ['five dimensions', one([1, 1, 1, 1, 1], 24, 0), /at most 4 dimensions for tensor "a", got 5/],
    ['2^32 - 1 dimensions', [join2(text('a'), u32(0xffffffff), u64(1), u64(1))], /got 4294967295/],
    ['a dimension of 2^64 - 1', one([2n ** 64n - 1n], 24, 0), /a dimension of tensor "a" below 2\^53/],
    ['a product of 2^53', one([94_906_266, 94_906_266], 24, 0), /below 2\^53 bytes, .* in tensor "a"/],
    ['a product that wraps to 1 in 64 bits', one([4_294_967_297, 4_294_967_297], 24, 0), /below 2\^53 bytes/],
    ['bytes of 2^53', one([2 ** 51], 0, 0), /below 2\^53 bytes/],
    ['half a block', one([48], 2, 0), /rows of whole blocks of 32 elements \(Q4_0\), got rows of 48 in tensor "a"/],
    ['a scalar of blocks', one([], 15, 0), /blocks of 256 elements \(Q8_K\), got rows of 1/],
    [
      'a type that was withdrawn',
      one([32], 4, 0),
      /Expected tensor "a" to have a type that ggml has, got the number 4/,
    ],
    ['a type of tomorrow', one([32], 1000, 0), /got the number 1000/],
    ['an offset that is not aligned', one([4], 24, 16), /offset of tensor "a" to be a multiple of 32, got 16/],
    ['an offset of 2^64 - 32', one([4], 24, 2n ** 64n - 32n), /an offset of tensor "a" below 2\^53/],
    ['an offset past the end', one([4], 24, 64), /truncated/],
    ['bytes past the end', one([65], 24, 0), /Expected at least \d+ bytes, got \d+: the file is truncated/],
    ['far past the end', one([2 ** 40], 24, 0), /truncated/],
    ['no name', [tensor('', [1], 24, 0)], /Expected a tensor name of 1 to 65535 bytes at byte 32, got 0/],
    ['a repeated name', [tensor('a', [1], 24, 0), tensor('a', [1], 24, 32)], /each tensor name once, got "a" twice/],
    ['an overlap', [tensor('a', [40], 24, 0), tensor('b', [4], 24, 32)], /"b" to begin at byte .*: an overlap/],
    ['the same bytes twice', [tensor('a', [8], 24, 0), tensor('b', [8], 24, 0)], /: an overlap/],
    ['an empty one inside another', [tensor('a', [40], 24, 0), tensor('b', [0], 24, 32)], /: an overlap/],
    ['a long name', [tensor('x'.repeat(10_000), [1, 1, 1, 1, 1], 24, 0)], /^.{0,200}$/],
    ['a name of control characters', [tensor('\x1b[2J', [5], 99, 0)], /"\\u001b\[2J"/],
  ])('%s', (_, tensors, message) => {
    expectRefused(() => parse({ tensors, data: new Uint8Array(64) }), message);
  });
});

describe('files', () => {
  test('another format', async () => {
    const path = await put(folder, 'other.gguf', bytesOf('PK\x03\x04 and so on'));
    await expectRejected(openGguf(path), 'ERR_QUANTLANE_FORMAT', /Expected a GGUF file, which begins with 'GGUF'/);
  });

  test('a header of more than 64 MiB', async () => {
    const bytes = join2(
      ggufFile({ pairCount: 1, pairs: [join2(text('k'), u32(8), u64(2 ** 26))] }),
      new Uint8Array(2 ** 26),
    );
    const path = await put(folder, 'huge.gguf', bytes);
    await expectRejected(openGguf(path), 'ERR_QUANTLANE_FORMAT', /a GGUF header of at most 67108864 bytes, got 671089/);
  });

  test('a file cut at any length is refused', async () => {
    for (let length = 0; length < VALID.length; length += 1) {
      const path = await put(folder, 'cut.gguf', VALID.subarray(0, length));
      const message = length < 4 ? /begins with 'GGUF'/ : /truncated/;
      const error = await expectRejected(openGguf(path), 'ERR_QUANTLANE_FORMAT', message);
      expect(error.message.startsWith(`${path}: Expected`)).toBe(true);
      if (length >= 4) expect(error.details.actual).toBe(length);
    }
  });

  test('changed bytes are refused or read, and never crash', async () => {
    const change = fc.tuple(fc.nat({ max: VALID.length - 1 }), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = VALID.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const path = await put(folder, 'changed.bin', bytes);
        const file = await openTensors(path).catch((error: unknown) => error);
        if (file instanceof FormatError) return;
        const { tensors, close } = file as Awaited<ReturnType<typeof openTensors>>;
        await close();
        for (const { offset, byteLength } of tensors) expect(offset + byteLength).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});
