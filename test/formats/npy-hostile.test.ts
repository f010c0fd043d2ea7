import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '#src/errors.js';
import { npyHeader, openNpy, parseNpyHeader } from '#src/formats/index.js';
import { bytesOf, expectRefused, expectRejected, join2, pattern, put, temporaryFolder } from './files.js';

const folder = await temporaryFolder();
const VALID = join2(npyHeader('float32', [3, 4]), pattern(48));

/** The bytes before the dict, in version 1.0 unless told. */
function prefix(length: number, major = 1, minor = 0): Uint8Array {
  const size = major === 1 ? new Uint16Array([length]) : new Uint32Array([length]);
  return join2(bytesOf('\x93NUMPY'), Uint8Array.of(major, minor), new Uint8Array(size.buffer));
}

/** A header of version 1.0 with any dict. */
function header(text: string): Uint8Array {
  return join2(prefix(text.length), bytesOf(text));
}

describe('the dict', () => {
  const entries = "'descr': '<f4', 'fortran_order': False";
  test.each([
    ['nothing', '', /Expected at least 12 bytes, got 10/],
    ['only white space', '   \n', /Expected '\{' at position 4 of the header, got the end of the header/],
    ['an empty dict', '{}', /Expected a header with the string 'descr', got undefined/],
    ['no descr', "{'fortran_order': False, 'shape': (3,)}", /'descr', got undefined/],
    ['no shape', `{${entries}}`, /Expected a shape that is a list of dimensions, got undefined/],
    ['no fortran_order', "{'descr': '<f4', 'shape': (3,)}", /'fortran_order' True or False, got undefined/],
    ['another key', `{${entries}, 'shape': (3,), 'extra': True}`, /Expected only the keys .*, got "extra"/],
    ['a key of the prototype', `{${entries}, 'shape': (3,), '__proto__': True}`, /got "__proto__"/],
    ['a key twice', `{${entries}, 'shape': (3,), 'shape': (4,)}`, /Expected each key once in the header, got "shape"/],
    ['no closing brace', `{${entries}, 'shape': (3,)`, /Expected '\}' at position/],
    ['text after the dict', `{${entries}, 'shape': (3,)} + 1`, /Expected the end of the header at position \d+/],
    ['NUL after the dict', `{${entries}, 'shape': (3,)}\0`, /Expected the end of the header/],
    ['no comma', `{${entries} 'shape': (3,)}`, /Expected '\}' at position/],
    ['two commas', `{${entries},, 'shape': (3,)}`, /Expected a string in quotes/],
    ['no colon', "{'descr' '<f4'}", /Expected ':' at position/],
    ['an open string', "{'descr': '<f4", /Expected a closing quote in the header, got none after position 10/],
    ['an escape in a string', "{'descr': '\\x3cf4'}", /Expected a plain string in the header/],
    ['a line end in a string', "{'descr': '<f4\n'}", /Expected a plain string in the header/],
    ['a call', "{'descr': __import__('os')}", /Expected a string, True, False or a tuple/],
    ['a number key', `{1: 2}`, /Expected a string in quotes/],
    ['a list', '[1, 2]', /Expected '\{'/],
    ['a bytes string', "{b'descr': '<f4'}", /Expected a string in quotes/],
    ['a structured dtype', "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}", /got "\[\('a'/],
    ['descr as a tuple', "{'descr': (4,), 'fortran_order': False, 'shape': (3,)}", /string 'descr', got a list/],
    ['fortran_order as text', "{'descr': '<f4', 'fortran_order': 'no', 'shape': (3,)}", /True or False, got "no"/],
    ['fortran_order as None', "{'descr': '<f4', 'fortran_order': None, 'shape': (3,)}", /True, False or a tuple/],
    [
      'Fortran order',
      "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 4)}",
      /Expected C order, got Fortran order/,
    ],
  ])('%s', (_, text, message) => {
    expectRefused(() => parseNpyHeader(header(text)), message);
  });

  test.each([
    ['a number', '3', /Expected a string, True, False or a tuple/],
    ['a number in brackets', '(3)', /Expected ',' after the only number of a tuple/],
    ['only a comma', '(,)', /Expected an integer from 0/],
    ['two commas', '(3,,4)', /Expected an integer from 0/],
    ['a list', '[3, 4]', /Expected a string, True, False or a tuple/],
    ['text', "'3'", /Expected a shape that is a list of dimensions, got "3"/],
    ['a truth value', 'True', /list of dimensions, got true/],
    ['a truth value inside', '(True,)', /Expected an integer from 0/],
    ['a negative dimension', '(-3,)', /Expected an integer from 0 .*got "-3/],
    ['a fraction', '(3.5,)', /Expected ',' after the only number/],
    ['a fraction after a number', '(3, 3.5)', /Expected '\)'/],
    ['an exponent', '(1e3,)', /Expected ','/],
    ['hexadecimal', '(0x10,)', /Expected ','/],
    ['a leading zero', '(03,)', /Expected an integer with no leading zero/],
    ['an underscore', '(1_000, 2)', /Expected ','/],
    ['a long of Python 2', '(3L, 4)', /Expected ','/],
    ['a nested tuple', '((3,), 4)', /Expected an integer from 0/],
    ['2^53', '(9007199254740992,)', /Expected integers below 2\^53, got 9007199254740992/],
    ['a number of 5000 digits', `(${'9'.repeat(5000)},)`, /Expected integers below 2\^53, got 9{40}$/],
    ['a product of 2^53', '(134217728, 67108864)', /Expected a tensor below 2\^53 bytes/],
    ['an overflow beside a zero', '(0, 9007199254740991, 9007199254740991)', /below 2\^53 bytes/],
    ['33 dimensions', `(${'1, '.repeat(33)})`, /at most 32 dimensions, got 33/],
    ['an open tuple', '(3, 4', /Expected '\)'/],
  ])('shape: %s', (_, shape, message) => {
    expectRefused(() => parseNpyHeader(header(`{${entries}, 'shape': ${shape}}`)), message);
  });

  test.each([
    ['objects', '|O', /Expected numbers, got Python objects \(a pickle\)/],
    ['objects with no order', 'O', /got Python objects/],
    ['big-endian', '>f4', /Expected little-endian data, got the big-endian ">f4"/],
    ['big-endian int64', '>i8', /big-endian/],
    ['big-endian void', '>V2', /big-endian/],
    ['no byte order', 'f4', /byte order and one of/],
    ['an irrelevant byte order', '|f4', /byte order and one of/],
    ['complex', '<c8', /got "<c8"/],
    ['text', '<U5', /got "<U5"/],
    ['dates', '<M8[ns]', /got "<M8\[ns\]"/],
    ['long double', '<f16', /got "<f16"/],
    ['another void', '|V4', /got "\|V4"/],
    ['nothing', '', /got ""/],
    ['a name of the prototype', '<constructor', /got "<constructor"/],
    ['an escape sequence', '\x1b[31m', /got "\\u001b\[31m"/],
  ])('descr: %s', (_, descr, message) => {
    const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (3, 4)}`;
    expectRefused(() => parseNpyHeader(header(text)), message);
  });
});

describe('around the dict', () => {
  test.each([
    ['nothing', new Uint8Array(), /begins with 0x93 NUMPY/],
    ['other magic', bytesOf('PK\x03\x04 and more bytes'), /begins with 0x93 NUMPY/],
    ['magic that is cut', bytesOf('\x93NUMP'), /begins with 0x93 NUMPY/],
    ['only magic', bytesOf('\x93NUMPY'), /Expected at least 12 bytes, got 6: the file is truncated/],
    ['version 0.0', join2(prefix(2, 0), bytesOf('{}')), /Expected npy version 1.0, 2.0 or 3.0, got 0.0/],
    ['version 4.0', join2(prefix(2, 4), bytesOf('{}')), /got 4.0/],
    ['version 1.1', join2(prefix(2, 1, 1), bytesOf('{}')), /got 1.1/],
    ['a length beyond the end', join2(prefix(500), bytesOf('{}')), /Expected at least 510 bytes, got 12/],
    ['a length above 1 MiB', join2(prefix(2 ** 20 + 1, 2), bytesOf('{}')), /at most 1048576 bytes, got 1048577/],
    ['a length of 4 GiB', join2(prefix(2 ** 32 - 1, 3), bytesOf('{}')), /at most 1048576 bytes, got 4294967295/],
    ['bad UTF-8 in 3.0', join2(prefix(2, 3), Uint8Array.of(0x7b, 0xff)), /Expected a header in UTF-8/],
    ['a byte order mark', join2(prefix(5, 3), Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)), /Expected '\{'/],
  ])('%s', async (name, bytes, message) => {
    expectRefused(() => parseNpyHeader(bytes), message);
    const path = await put(folder, `${name.replaceAll(' ', '-')}.npy`, bytes);
    const error = await expectRejected(openNpy(path), 'ERR_QUANTLANE_FORMAT', message);
    expect(error.message.startsWith(`${path}: Expected`)).toBe(true);
  });

  test('a file that is cut says how many bytes it should have', async () => {
    const path = await put(folder, 'cut.npy', VALID.subarray(0, 175));
    const error = await expectRejected(
      openNpy(path),
      'ERR_QUANTLANE_FORMAT',
      /at least 176 bytes, got 175: .* truncated/,
    );
    expect(error.details).toEqual({ expected: 176, actual: 175 });
  });

  test('a file with more after the data is refused', async () => {
    const path = await put(folder, 'long.npy', join2(VALID, Uint8Array.of(0)));
    const error = await expectRejected(
      openNpy(path),
      'ERR_QUANTLANE_FORMAT',
      /Expected 176 bytes, got 177: there is more/,
    );
    expect(error.details).toEqual({ expected: 176, actual: 177 });
  });

  test('a small file that declares terabytes costs no memory', async () => {
    const path = await put(folder, 'huge.npy', npyHeader('float64', [2 ** 49]));
    await expectRejected(openNpy(path), 'ERR_QUANTLANE_FORMAT', /Expected at least 4503599627370624 bytes, got 128/);
  });
});

describe('properties', () => {
  test('a file cut at any length is refused', async () => {
    for (let length = 0; length < VALID.length; length += 1) {
      const path = await put(folder, 'any-cut.npy', VALID.subarray(0, length));
      await expectRejected(openNpy(path), 'ERR_QUANTLANE_FORMAT', length < 6 ? /0x93 NUMPY/ : /truncated/);
    }
  });

  test('changed bytes are refused or read, and never crash', async () => {
    const change = fc.tuple(fc.nat({ max: VALID.length - 1 }), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = VALID.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const path = await put(folder, 'changed.npy', bytes);
        const file = await openNpy(path).catch((error: unknown) => error);
        if (file instanceof FormatError) return;
        const opened = file as Awaited<ReturnType<typeof openNpy>>;
        const { offset, byteLength } = opened.tensors[0];
        await opened.close();
        expect(offset + byteLength).toBe(bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  test('any text in place of the dict is refused or parsed, and never crashes', () => {
    const word = fc.constantFrom(
      "'descr'",
      "'shape'",
      "'fortran_order'",
      "'<f4'",
      '(',
      ')',
      '3',
      ',',
      ':',
      '{',
      '}',
      'True',
      ' ',
      '"',
      '\\',
      '-',
      '\0',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (words) => {
        try {
          expect(parseNpyHeader(header(words.join(''))).dtype).toBe('float32');
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('any bytes after the magic are refused or parsed, and never crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (tail) => {
        expectRefused(() => parseNpyHeader(join2(bytesOf('\x93NUMPY'), tail)), /^npy header: Expected/);
      }),
    );
  });
});

test('a missing file keeps its cause', async () => {
  const path = join(folder, 'missing.npy');
  const error = await expectRejected(
    openNpy(path),
    'ERR_QUANTLANE_FORMAT',
    /missing\.npy: Expected a file that exists, got ENOENT/,
  );
  expect((error.cause as NodeJS.ErrnoException).code).toBe('ENOENT');
});
