import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '#src/errors.js';
import { npyHeader, openNpz } from '#src/formats/index.js';
import { bytesOf, expectRejected, join2, names, pattern, put, temporaryFolder } from './files.js';
import { u64 } from './gguf-bytes.js';
import { type Ending, type Member, u16, zipFile } from './zip-bytes.js';

const folder = await temporaryFolder();
const room = join(folder, 'room');
await mkdir(room);

const NPY = join2(npyHeader('int8', [20]), pattern(20));
const A: Member = { name: 'a.npy', bytes: NPY };
const B: Member = { name: 'b.npy', bytes: NPY, deflate: true };
const VALID = zipFile([A, B]);

/** Opens an archive that must be refused; nothing may be left of it. */
async function refused(bytes: Uint8Array, message: RegExp, options = {}) {
  const path = await put(folder, 'hostile.npz', bytes);
  const error = await expectRejected(openNpz(path, { directory: room, ...options }), 'ERR_QUANTLANE_FORMAT', message);
  expect(error.message.startsWith(`${path}: `)).toBe(true);
  expect(await names(room)).toEqual([]);
  return error;
}

test('the archive that the others are made of is good', async () => {
  const file = await openNpz(await put(folder, 'good.npz', VALID));
  expect(file.tensors).toHaveLength(2);
  await file.close();
});

describe('names', () => {
  test.each([
    ['../a.npy', /Expected names that stay in their folder, got "\.\.\/a\.npy"/],
    ['/a.npy', /stay in their folder/],
    ['b/../a.npy', /stay in their folder/],
    ['./a.npy', /stay in their folder/],
    ['b//a.npy', /stay in their folder/],
    ['..\\a.npy', /stay in their folder/],
    ['a\0.npy', /stay in their folder, got "a\\u0000\.npy"/],
    ['\x1b[2J.npy', /got "\\u001b\[2J\.npy"/],
    ['a.txt', /Expected only npy members, got "a\.txt"/],
    ['.npy', /Expected only npy members/],
    ['', /Expected only npy members, got ""/],
    [`${'x'.repeat(10_000)}.txt`, /^.{0,250}$/],
  ])('%j', async (name, message) => {
    await refused(zipFile([{ ...A, name }]), message);
  });

  test.each([
    ['the same twice', [A, A], /Expected each member once, got "a\.npy" twice/],
    ['the same twice, packed otherwise', [A, { ...B, name: 'a.npy' }], /"a\.npy" twice/],
    ['a folder with bytes', [{ ...A, name: 'folder/' }], /only npy members/],
    [
      'more than ASCII without the flag',
      [{ ...A, name: 'é.npy', flags: 0 }],
      /names in ASCII, or in UTF-8 with its flag/,
    ],
  ])('%s', async (_, members, message) => {
    await refused(zipFile(members), message);
  });

  test('bytes that are not UTF-8', async () => {
    const bytes = zipFile([{ ...A, flags: 0x800 }]);
    const at = Buffer.from(bytes).lastIndexOf('a.npy');
    bytes[at] = 0xff;
    await refused(bytes, /Expected names in UTF-8/);
  });
});

describe('members', () => {
  const wide = (...values: (number | bigint)[]) => join2(u16(1), u16(8 * values.length), ...values.map(u64));
  const other = /member "a\.npy": Expected a local header like the one of the directory at byte 0, got other bytes/;
  test.each<[string, Member[], RegExp]>([
    ['encrypted', [{ ...A, flags: 1 }], /member "a\.npy": Expected a member without encryption, got an encrypted one/],
    ['strongly encrypted', [{ ...A, flags: 0x41 }], /without encryption/],
    ['a masked directory', [{ ...A, flags: 0x2000 }], /without encryption/],
    ['bzip2', [{ ...A, method: 12 }], /Expected method 0 \(stored\) or 8 \(deflated\), got 12/],
    ['deflate64', [{ ...A, method: 9 }], /got 9/],
    ['stored with two sizes', [{ ...A, size: NPY.length + 1 }], /sizes of a stored member, got 149 bytes in 148/],
    ['a bomb by its sizes', [{ ...B, size: 10_000_000 }], /sizes of a deflated member, got 10000000 bytes in \d+/],
    ['another name before the data', [{ ...A, local: { name: 'c.npy' } }], other],
    ['a longer name before the data', [{ ...A, local: { name: 'a.npyx' } }], other],
    ['another method before the data', [{ ...A, local: { method: 8 } }], other],
    ['encryption before the data', [{ ...A, local: { flags: 1 } }], other],
    [
      'another size before the data',
      [{ ...A, local: { size: 5 } }],
      /to have the sizes and the CRC-32 of the directory/,
    ],
    ['another CRC-32 before the data', [{ ...A, local: { crc: 5 } }], /to have the sizes and the CRC-32/],
    ['no size before the data, without the flag', [{ ...A, local: { size: 0 } }], /to have the sizes and the CRC-32/],
    ['another disk', [{ ...A, central: { disk: 1 } }], /Expected an archive on one disk, got disk 1/],
    [
      'a header in the directory',
      [{ ...A, central: { offset: 400 } }],
      /a local header before the directory at byte 183/,
    ],
    ['a header past the end', [{ ...A, central: { offset: 0xfffffffe } }], /got 4294967294/],
    ['a header at another place', [{ ...A, central: { offset: 1 } }], /like the one of the directory at byte 1/],
    ['the same bytes twice', [A, { ...A, central: { offset: 0 } }], /at byte 183 or later, got 0: an overlap/],
    ['one member inside another', [A, { ...A, central: { offset: 40 } }], /: an overlap/],
    [
      'data in the directory',
      [{ ...A, size: 200, packedSize: 200 }],
      /data before the directory at byte 183, got 200 at 35/,
    ],
    [
      'a cut extra field',
      [{ ...A, central: { extra: join2(u16(7), u16(9)) } }],
      /whole extra fields, got one that is cut/,
    ],
    ['half an extra field', [{ ...A, local: { extra: u16(7) } }], /whole extra fields/],
    [
      'two zip64 extra fields',
      [{ ...A, central: { extra: join2(wide(1), wide(2)) } }],
      /one zip64 extra field, got two/,
    ],
    [
      'no zip64 extra field',
      [{ ...A, zip64: 'both', central: { extra: new Uint8Array() } }],
      /fit in 32 bits, got none/,
    ],
    ['a short zip64 extra field', [{ ...A, zip64: 'both', central: { extra: wide(148, 148) } }], /got none/],
    [
      'sizes of 2^64 - 1',
      [{ ...A, zip64: 'both', central: { extra: wide(2n ** 64n - 1n, 0, 0) } }],
      /below 2\^53, got 18446/,
    ],
    [
      'no npy file',
      [{ ...A, bytes: bytesOf('text') }],
      /member "a\.npy": Expected an npy file, which begins with 0x93/,
    ],
    ['nothing', [{ ...A, bytes: new Uint8Array() }], /Expected an npy file/],
    ['nothing, deflated', [{ ...B, bytes: new Uint8Array() }], /member "b\.npy": Expected an npy file/],
    [
      'a cut npy file',
      [{ ...A, bytes: NPY.subarray(0, 140) }],
      /Expected at least 148 bytes, got 140: the file is trunc/,
    ],
    ['a cut npy file, deflated', [{ ...B, bytes: NPY.subarray(0, 140) }], /at least 148 bytes, got 140/],
    ['a long npy file', [{ ...A, bytes: join2(NPY, pattern(1)) }], /Expected 148 bytes, got 149: there is more/],
    ['a long npy file, deflated', [{ ...B, bytes: join2(NPY, pattern(1)) }], /Expected 148 bytes, got 149/],
  ])('%s', async (_, members, message) => {
    await refused(zipFile(members), message);
  });
});

describe('deflated bytes', () => {
  const zeros = join2(npyHeader('int8', [1_000_000]), new Uint8Array(1_000_000));
  const packed = new Uint8Array(deflateRawSync(zeros));
  test.each<[string, Member, RegExp]>([
    ['more than the directory says', { ...B, bytes: zeros, size: 999_999 }, /Expected 999999 bytes, .*, got more/],
    ['a bomb that says that it is small', { ...B, bytes: zeros, size: 128 }, /Expected 128 bytes, .*, got more/],
    [
      'fewer than the directory says',
      { ...B, bytes: zeros, size: 1_000_129 },
      /1000129 bytes from \d+, .*, got 1000128/,
    ],
    [
      'bytes after the last block',
      { ...B, packed: join2(deflateRawSync(NPY), pattern(9)) },
      /Expected 148 bytes from \d+/,
    ],
    [
      'a cut stream',
      { ...B, bytes: zeros, packed: packed.subarray(0, -4) },
      /Expected deflated bytes, got Z_BUF_ERROR/,
    ],
    ['no stream', { ...B, bytes: NPY, packed: pattern(50).fill(0xff) }, /Expected deflated bytes, got Z_DATA_ERROR/],
    ['another CRC-32', { ...B, crc: 1 }, /Expected the CRC-32 00000001, as the directory says, got [0-9a-f]{8}/],
  ])('%s', async (_, member, message) => {
    await refused(zipFile([A, member]), message);
  });

  test('more than the caller allows', async () => {
    const error = await refused(VALID, /compressed members of at most 147 bytes, got 148/, { maxInflatedBytes: 147 });
    expect(error.details).toEqual({ expected: 147, actual: 148 });
    const path = await put(folder, 'allowed.npz', VALID);
    await (await openNpz(path, { maxInflatedBytes: 148 })).close();
    await expectRejected(openNpz(path, { maxInflatedBytes: -1 }), 'ERR_QUANTLANE_ARGUMENT', /maxInflatedBytes from 0/);
  });

  test('a folder that does not exist', async () => {
    const path = await put(folder, 'nowhere.npz', VALID);
    const opening = openNpz(path, { directory: join(folder, 'nowhere') });
    await expectRejected(opening, 'ERR_QUANTLANE_FORMAT', /Expected a folder that can be written, got ENOENT/);
  });
});

describe('the end', () => {
  test.each<[string, Ending, RegExp]>([
    [
      'a comment',
      { comment: bytesOf('hello') },
      /the end record of a zip archive .*: the file is truncated or has a comment/,
    ],
    ['a comment that is an archive', { comment: zipFile([]) }, /at byte|ends at byte/],
    ['several disks', { disk: 1 }, /Expected an archive on one disk, got disk 1/],
    ['one member more', { count: 3 }, /a central header at byte 102 of the directory, got other bytes/],
    ['one member fewer', { count: 1 }, /a directory of 102 bytes, got 51 in 1 members/],
    ['a directory that is shorter', { bytes: 101 }, /Expected a directory that ends at byte \d+, got \d+/],
    ['a directory that begins elsewhere', { offset: 3 }, /Expected a directory that ends at byte/],
    ['a directory of 4 GiB', { bytes: 0xfffffffe }, /at most 131072 members and 67108864 bytes, got 2 and 4294967294/],
    ['members beyond number', { count: 0xfffe }, /a central header at byte 102/],
    ['a mark without the other record', { count: 0xffff }, /the zip64 end record at byte \d+ and its locator after it/],
    ['members beyond number, in 64 bits', { zip64: 'marks', count: 2 ** 17 + 1 }, /got 131073 and/],
    ['a locator that leads astray', { zip64: 'marks', locator: 5 }, /the zip64 end record at byte/],
    ['64 bits that nothing asks for', { zip64: 'truth' }, /Expected a directory that ends at byte/],
    ['bytes between the members and the directory', { gap: pattern(7), offset: 3 }, /a directory that ends at byte/],
  ])('%s', async (_, ending, message) => {
    await refused(zipFile([A, B], ending), message);
  });

  test('two end records that differ', async () => {
    const bytes = zipFile([A, B], { zip64: 'marks' });
    new DataView(bytes.buffer).setUint16(bytes.length - 12, 1, true);
    await refused(bytes, /Expected both end records to say the same/);
  });

  test('bytes before the archive', async () => {
    await refused(join2(pattern(5), VALID), /Expected a directory that ends at byte/);
  });

  test.each([0, 10, 21])('a file of %i bytes', async (length) => {
    await refused(VALID.subarray(0, length), /Expected at least 22 bytes, got \d+: the file is truncated/);
  });

  test('a file cut at any length is refused', async () => {
    for (let length = 0; length < VALID.length; length += 1) {
      const path = await put(folder, 'cut.npz', VALID.subarray(0, length));
      await expectRejected(openNpz(path), 'ERR_QUANTLANE_FORMAT', /truncated/);
    }
  });

  test('changed bytes are refused or read, and never crash', async () => {
    const change = fc.tuple(fc.nat({ max: VALID.length - 1 }), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = VALID.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const file = await openNpz(await put(folder, 'changed.npz', bytes), { directory: room }).catch(
          (error) => error,
        );
        if (!(file instanceof FormatError)) await (file as Awaited<ReturnType<typeof openNpz>>).close();
      }),
      { numRuns: 500 },
    );
    expect(await names(room)).toEqual([]);
  });
});
