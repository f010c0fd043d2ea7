import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '#src/errors.js';
import { openSafetensors, parseSafetensorsHeader, safetensorsHeader } from '#src/formats/index.js';
import { bytesOf, expectRefused, expectRejected, join2, pattern, put, temporaryFolder } from './files.js';

const folder = await temporaryFolder();

const VALID = join2(
  safetensorsHeader(
    [
      { name: 'weight', dtype: 'float32', shape: [2, 3] },
      { name: 'bias', dtype: 'int8', shape: [5] },
    ],
    { k: 'v' },
  ).bytes,
  pattern(29),
);

/** Eight bytes of a header length. */
function lengthOf(value: bigint): Uint8Array {
  return new Uint8Array(new BigUint64Array([value]).buffer);
}

/** Parses a header of this text in a file with so many bytes of data. */
function parse(text: string, dataBytes: number) {
  const bytes = new Uint8Array(Buffer.from(text, 'utf8'));
  return parseSafetensorsHeader(bytes, 8 + bytes.length + dataBytes);
}

/** A tensor of uint8 as a JSON member. */
function member(name: string, shape: string, offsets: string, dtype = '"U8"'): string {
  return `${JSON.stringify(name)}:{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`;
}

describe('offsets', () => {
  test.each([
    ['an overlap', [member('a', '[4]', '[0,4]'), member('b', '[4]', '[2,6]')], 6, /"b" to begin at .*: an overlap/],
    ['the same bytes twice', [member('a', '[4]', '[0,4]'), member('b', '[4]', '[0,4]')], 4, /: an overlap/],
    ['one inside another', [member('a', '[8]', '[0,8]'), member('b', '[2]', '[3,5]')], 8, /: an overlap/],
    ['an empty one inside another', [member('a', '[8]', '[0,8]'), member('b', '[0]', '[4,4]')], 8, /: an overlap/],
    ['a hole', [member('a', '[4]', '[0,4]'), member('b', '[4]', '[5,9]')], 9, /"b" to begin at .*: a hole/],
    ['a hole at the beginning', [member('a', '[4]', '[1,5]')], 5, /"a" to begin at .*: a hole/],
    ['a hole at the end', [member('a', '[4]', '[0,4]')], 5, /there is more after the last tensor/],
    ['reversed', [member('a', '[4]', '[4,0]')], 4, /0 <= begin <= end, got \[4, 0\]/],
    ['negative', [member('a', '[4]', '[-4,0]')], 4, /got \[-4, 0\]/],
    ['negative zero', [member('a', '[0]', '[-0,0]')], 0, /data_offsets of tensor "a"/],
    ['a fraction', [member('a', '[4]', '[0,4.5]')], 5, /got \[0, 4.5\]/],
    ['past the end', [member('a', '[4]', '[0,4]')], 3, /Expected at least \d+ bytes, got \d+: the file is truncated/],
    ['far past the end', [member('a', '[4]', '[9007199254740987,9007199254740991]')], 4, /truncated/],
    ['2^53', [member('a', '[4]', '[9007199254740988,9007199254740992]')], 4, /two integers/],
    ['infinity', [member('a', '[4]', '[0,1e999]')], 4, /got \[0, Infinity\]/],
    ['one number', [member('a', '[4]', '[0]')], 4, /got \[0\]/],
    ['three numbers', [member('a', '[4]', '[0,4,8]')], 4, /got \[0, 4, 8\]/],
    ['text', [member('a', '[4]', '["0","4"]')], 4, /got \["0", "4"\]/],
    ['an object', [member('a', '[4]', '{"0":0,"1":4,"length":2}')], 4, /got an object/],
    ['null', [member('a', '[4]', 'null')], 4, /got null/],
    ['none', ['"a":{"dtype":"U8","shape":[4]}'], 4, /got undefined/],
    ['too many bytes for the shape', [member('a', '[3]', '[0,4]')], 4, /Expected 3 bytes for tensor "a" .*, got 4/],
    ['too few bytes for the type', [member('a', '[4]', '[0,4]', '"F32"')], 4, /Expected 16 bytes for tensor "a"/],
  ])('%s', (_, members, dataBytes, message) => {
    expectRefused(() => parse(`{${members.join(',')}}`, dataBytes), message);
  });
});

test('a file that is shorter than its header', () => {
  expectRefused(() => parse('{}', -1), /Expected at least 10 bytes, got 9: the file is truncated/);
});

describe('entries', () => {
  test.each([
    ['a negative dimension', member('a', '[-1]', '[0,1]'), /got -1 in tensor "a"/],
    ['a fraction', member('a', '[0.5]', '[0,1]'), /got 0.5 in tensor "a"/],
    ['a dimension as text', member('a', '["1"]', '[0,1]'), /got "1" in tensor "a"/],
    ['a shape as a number', member('a', '1', '[0,1]'), /Expected a shape that is a list of dimensions, got 1/],
    ['a shape that is null', member('a', 'null', '[0,1]'), /got null/],
    ['a product of 2^53', member('a', '[94906266,94906266]', '[0,1]'), /below 2\^53 bytes/],
    ['a product that wraps to 1 in 64 bits', member('a', '[4294967297,4294967297]', '[0,1]'), /below 2\^53 bytes/],
    ['bytes of 2^53', member('a', '[4503599627370496]', '[0,1]', '"F32"'), /below 2\^53 bytes/],
    ['33 dimensions', member('a', `[${Array(33).fill(1)}]`, '[0,1]'), /at most 32 dimensions, got 33/],
    ['no type', '"a":{"shape":[1],"data_offsets":[0,1]}', /tensor "a" to have one of the dtypes .*, got undefined/],
    ['float4', member('a', '[1]', '[0,1]', '"F4"'), /tensor "a" to have one of the dtypes F64, .*, got "F4"/],
    ['a type in lower case', member('a', '[1]', '[0,1]', '"u8"'), /got "u8"/],
    ['a type of the prototype', member('a', '[1]', '[0,1]', '"constructor"'), /got "constructor"/],
    ['a type that cannot be text', member('a', '[1]', '[0,1]', '{"constructor":{"name":{}}}'), /got an object/],
    ['a number', '"a":1', /Expected tensor "a" to be an object, got 1/],
    ['a list', '"a":[]', /Expected tensor "a" to be an object, got a list/],
    ['null', '"a":null', /Expected tensor "a" to be an object, got null/],
    ['a lone surrogate', '"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}', /lone surrogate of "\\ud800"/],
    [
      'an entry only in __proto__',
      '"a":{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      /got undefined/,
    ],
    ['a long name', member('x'.repeat(10_000), '[2]', '[0,1]'), /^.{0,200}$/],
    ['a name of control characters', member('\x1b[2J', '[2]', '[0,1]'), /"\\u001b\[2J"/],
  ])('%s', (_, text, message) => {
    expectRefused(() => parse(`{${text}}`, 1), message);
  });

  test.each([
    ['a list', '[]', /__metadata__ to be a map of strings, got a list/],
    ['null', 'null', /got null/],
    ['text', '"a"', /got "a"/],
    ['a number inside', '{"a":1}', /__metadata__ to hold strings, got 1 for "a"/],
    ['a map inside', '{"a":{"constructor":{"name":{}}}}', /got an object for "a"/],
    ['null inside', '{"a":null}', /got null for "a"/],
  ])('metadata: %s', (_, text, message) => {
    expectRefused(() => parse(`{"__metadata__":${text}}`, 0), message);
  });
});

describe('JSON', () => {
  const entry = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
  test.each([
    ['nothing', '', /begins with '\{'/],
    ['a list', '[]', /begins with '\{'/],
    ['white space first', ' {}', /begins with '\{'/],
    ['a byte order mark', '\ufeff{}', /begins with '\{'/],
    ['an open brace', '{', /Expected a header in JSON/],
    ['a comment', '{/* */}', /Expected a header in JSON/],
    ['single quotes', "{'a':1}", /Expected a header in JSON/],
    ['a trailing comma', `{"a":${entry},}`, /Expected a header in JSON/],
    ['two values', '{}{}', /Expected a header in JSON/],
    ['NUL as padding', '{}\0\0', /Expected a header in JSON/],
    ['a repeated name', `{"a":${entry},"a":${entry}}`, /each name once in the header, got "a" twice/],
    ['a repeated name with an escape', `{"a":${entry},"\\u0061":${entry}}`, /got "a" twice/],
    ['repeated metadata', '{"__metadata__":{},"__metadata__":{}}', /got "__metadata__" twice/],
    ['a repeated key of metadata', '{"__metadata__":{"k":"a","k":"b"}}', /got "k" twice/],
    [
      'a repeated key of an entry',
      '{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
      /got "dtype" twice/,
    ],
    ['a repeated __proto__', `{"__proto__":${entry},"__proto__":${entry}}`, /got "__proto__" twice/],
    ['deep nesting', `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, /Expected/],
    ['deep nesting in the offsets', member('a', '[1]', `${'['.repeat(200_000)}${']'.repeat(200_000)}`), /Expected/],
  ])('%s', (_, text, message) => {
    expectRefused(() => parse(text.startsWith('"') ? `{${text}}` : text, 1), message);
  });

  test('bytes that are not UTF-8', () => {
    const bytes = join2(bytesOf('{"'), Uint8Array.of(0xc3, 0x28), bytesOf('":1}'));
    expectRefused(() => parseSafetensorsHeader(bytes, 8 + bytes.length), /Expected a header in UTF-8/);
  });
});

describe('files', () => {
  test.each([
    ['nothing', new Uint8Array(), /Expected at least 8 bytes, got 0: the file is truncated/],
    ['seven bytes', new Uint8Array(7), /Expected at least 8 bytes, got 7/],
    ['a length of 0', new Uint8Array(8), /begins with '\{'/],
    ['a length beyond the end', join2(lengthOf(3n), bytesOf('{}')), /Expected at least 11 bytes, got 10/],
    ['a length of 25 MB, in a small file', join2(lengthOf(25_000_000n), bytesOf('{}')), /least 25000008 bytes, got 10/],
    ['a length above 25 MB', join2(lengthOf(25_000_001n), bytesOf('{}')), /at most 25000000 bytes, got 25000001/],
    ['a length of 2^32', join2(lengthOf(2n ** 32n), bytesOf('{}')), /got 4294967296/],
    ['a length of 2^64 - 1', join2(lengthOf(2n ** 64n - 1n), bytesOf('{}')), /got 18446744073709551615/],
    ['another format', bytesOf('PK\x03\x04\x14\x00\x00\x00\x08\x00 and so on'), /at most 25000000 bytes/],
    [
      'bytes after the data',
      join2(VALID, Uint8Array.of(0)),
      /Expected 221 bytes, got 222: there is more after the last/,
    ],
  ])('%s', async (name, bytes, message) => {
    const path = await put(folder, `${name.replaceAll(' ', '-')}.safetensors`, bytes);
    const error = await expectRejected(openSafetensors(path), 'ERR_QUANTLANE_FORMAT', message);
    expect(error.message.startsWith(`${path}: Expected`)).toBe(true);
  });

  test('a file cut at any length is refused', async () => {
    for (let length = 0; length < VALID.length; length += 1) {
      const path = await put(folder, 'any-cut.safetensors', VALID.subarray(0, length));
      const error = await expectRejected(openSafetensors(path), 'ERR_QUANTLANE_FORMAT', /truncated/);
      expect(error.details.actual).toBe(length);
      expect(error.details.expected).toBeGreaterThan(length);
    }
  });

  test('changed bytes are refused or read, and never crash', async () => {
    const change = fc.tuple(
      fc.nat({ max: VALID.length - 1 }),
      fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...bytesOf('0129{}[],:"'))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = VALID.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const path = await put(folder, 'changed.safetensors', bytes);
        const file = await openSafetensors(path).catch((error: unknown) => error);
        if (file instanceof FormatError) return;
        const opened = file as Awaited<ReturnType<typeof openSafetensors>>;
        const last = opened.tensors[opened.tensors.length - 1];
        await opened.close();
        expect(last.offset + last.byteLength).toBe(bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  test('any JSON is refused or parsed, and never crashes', () => {
    const dimension = fc.oneof(fc.constantFrom(-1, 0, 1, 2, 0.5, 2 ** 53, 1e300), fc.jsonValue());
    const tensor = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('U8', 'F32'), fc.jsonValue()),
        shape: fc.oneof(fc.array(dimension), fc.jsonValue()),
        data_offsets: fc.oneof(fc.tuple(dimension, dimension), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const header = fc.dictionary(
      fc.oneof(fc.constantFrom('a', '__metadata__'), fc.string()),
      fc.oneof(tensor, fc.jsonValue()),
    );
    fc.assert(
      fc.property(header, fc.nat({ max: 8 }), (value, dataBytes) => {
        try {
          const { tensors } = parse(JSON.stringify(value), dataBytes);
          expect(tensors.reduce((sum, entry) => sum + entry.byteLength, 0)).toBe(dataBytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('a missing file keeps its cause', async () => {
    const opening = openSafetensors(join(folder, 'missing.safetensors'));
    const error = await expectRejected(opening, 'ERR_QUANTLANE_FORMAT', /Expected a file that exists, got ENOENT/);
    expect((error.cause as NodeJS.ErrnoException).code).toBe('ENOENT');
  });
});
