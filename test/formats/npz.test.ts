import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createNpz, npyHeader, openNpz, type TensorDeclaration } from '#src/formats/index.js';
import { localHeader, zipDirectory } from '#src/formats/zip-records.js';
import {
  DTYPES,
  expectRejected,
  join2,
  NAMED,
  names,
  pattern,
  put,
  readAll,
  SHAPES,
  temporaryFolder,
} from './files.js';
import { type Member, u16, zipFile } from './zip-bytes.js';

const folder = await temporaryFolder();

/** An npy file as a member. */
function npy(name: string, shape: number[], seed = 0): Member {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  return { name: `${name}.npy`, bytes: join2(npyHeader('uint8', shape), pattern(count, seed)) };
}

/** The members of an archive of stored members, found through its end, with their checksums checked. */
function unzip(bytes: Uint8Array): Map<string, { data: Buffer; begin: number }> {
  const all = Buffer.from(bytes);
  const end = all.length - 22;
  expect(all.readUInt32LE(end)).toBe(0x06054b50);
  expect(all.readUInt32LE(end + 12) + all.readUInt32LE(end + 16)).toBe(end);
  const found = new Map<string, { data: Buffer; begin: number }>();
  let at = all.readUInt32LE(end + 16);
  for (let count = all.readUInt16LE(end + 10); count > 0; count -= 1) {
    expect(all.readUInt32LE(at)).toBe(0x02014b50);
    const local = all.readUInt32LE(at + 42);
    const nameLength = all.readUInt16LE(at + 28);
    const name = all.toString('utf8', at + 46, at + 46 + nameLength);
    const [crc, packed, size] = [16, 20, 24].map((field) => all.readUInt32LE(at + field));
    expect(packed).toBe(size);
    expect(all.readUInt32LE(local)).toBe(0x04034b50);
    // From the flags to the length of the name, but not the length of the extra fields, both headers are the same.
    expect(all.subarray(local + 4, local + 28)).toEqual(all.subarray(at + 6, at + 30));
    expect(all.toString('utf8', local + 30, local + 30 + nameLength)).toBe(name);
    const begin = local + 30 + nameLength + all.readUInt16LE(local + 28);
    const data = all.subarray(begin, begin + size!);
    expect(crc32(data)).toBe(crc);
    found.set(name, { data, begin });
    at += 46 + nameLength + all.readUInt16LE(at + 30);
  }
  expect(at).toBe(end);
  return found;
}

describe('reading', () => {
  test.each([
    ['stored', {}],
    ['stored as NumPy does, with sizes of 64 bits', { zip64: 'local' }],
    ['all sizes of 64 bits', { zip64: 'both' }],
    ['sizes after the data', { flags: 8, local: { crc: 0, size: 0 } }],
    ['deflated', { deflate: true }],
    ['deflated with sizes of 64 bits', { deflate: true, zip64: 'local' }],
  ] as const)('%s members', async (name, how) => {
    const bytes = zipFile([npy('a', [3, 4]), { ...npy('b', [70_000], 1), ...how }, { ...npy('c', [], 2), ...how }]);
    const file = await openNpz(await put(folder, `${name}.npz`, bytes));
    expect(file.format).toBe('npz');
    expect(file.metadata).toEqual({});
    expect(file.tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['a', 'uint8', [3, 4]],
      ['b', 'uint8', [70_000]],
      ['c', 'uint8', []],
    ]);
    expect(await readAll(file, file.find('c'))).toEqual(pattern(1, 2));
    expect(await readAll(file, file.find('b'))).toEqual(pattern(70_000, 1));
    expect(await readAll(file, file.find('a'))).toEqual(pattern(12));
    const middle = new Uint8Array(5);
    await file.read(file.find('b'), 65_534, middle);
    expect(middle).toEqual(pattern(70_000, 1).slice(65_534, 65_539));
    await file.close();
    await expectRejected(file.read(file.tensors[1], 0, middle), 'ERR_QUANTLANE_CLOSED', /an open file/);
  });

  test('names with folders and in Unicode, folders besides, and an extra field that nobody knows', async () => {
    const bytes = zipFile([
      { name: 'layer/', bytes: new Uint8Array() },
      npy('layer/вес', [2]),
      { ...npy('dense:0', [1]), local: { extra: join2(u16(0xcafe), u16(3), pattern(3)) } },
    ]);
    const file = await openNpz(await put(folder, 'names.npz', bytes));
    expect(file.tensors.map(({ name }) => name)).toEqual(['layer/вес', 'dense:0']);
    await file.close();
  });

  test.each([
    ['nothing', [], {}],
    ['nothing, with an end record of 64 bits', [], { zip64: 'marks' }],
    ['one member, with an end record of 64 bits', [npy('a', [1])], { zip64: 'marks' }],
    ['a hole before the directory', [npy('a', [1])], { gap: pattern(9) }],
  ] as const)('an archive of %s', async (name, members, ending) => {
    const file = await openNpz(await put(folder, `${name}.npz`, zipFile(members, ending)));
    expect(file.tensors).toHaveLength(members.length);
    await file.close();
  });

  test('members in the order of their bytes, whatever the order of the directory', async () => {
    const [a, b] = [npy('a', [1]), npy('b', [2])];
    const straight = zipFile([a, b]);
    const directory = straight.length - 22 - 2 * (46 + 5);
    const swapped = join2(
      straight.subarray(0, directory),
      straight.subarray(directory + 51, directory + 102),
      straight.subarray(directory, directory + 51),
      straight.subarray(directory + 102),
    );
    const file = await openNpz(await put(folder, 'swapped.npz', swapped));
    expect(file.tensors.map(({ name }) => name)).toEqual(['a', 'b']);
    await file.close();
  });

  test('the temporary file is in the given folder and gone at the end', async () => {
    const room = join(folder, 'room');
    await mkdir(room);
    const path = await put(folder, 'deflated.npz', zipFile([{ ...npy('a', [9]), deflate: true }]));
    const file = await openNpz(path, { directory: room });
    expect(await readAll(file, file.find('a'))).toEqual(pattern(9));
    await file.close();
    expect(await names(room)).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')('a member beyond 4 GiB', async () => {
    const path = join(folder, 'sparse.npz');
    const begin = 2 ** 32 + 5;
    const header = npyHeader('uint8', [3]);
    const bytes = join2(header, pattern(3));
    const member = { name: 'far.npy', crc: crc32(bytes), bytes: bytes.length, headerOffset: begin };
    const local = localHeader(member, 64);
    const handle = await open(path, 'wx');
    await handle.write(join2(local, bytes), 0, undefined, begin);
    const end = begin + local.length + bytes.length;
    await handle.write(zipDirectory([member], end), 0, undefined, end);
    await handle.close();
    const file = await openNpz(path);
    expect(file.tensors[0].offset % 64).toBe(0);
    expect(await readAll(file, file.find('far'))).toEqual(pattern(3));
    await file.close();
  });
});

describe('writing', () => {
  const tensors: TensorDeclaration[] = NAMED.flatMap(([dtype]) =>
    SHAPES.map((shape) => ({ name: `${dtype}/é${shape}`, dtype, shape })),
  );

  test('every type and shape comes back, to another reader of zip too', async () => {
    const path = join(folder, 'all.npz');
    const writer = await createNpz(path, tensors);
    const data = tensors.map(({ dtype, shape }, index) => {
      const size = DTYPES.find(([name]) => name === dtype)![1];
      return pattern(
        shape.reduce((product, dimension) => product * dimension, size),
        index,
      );
    });
    for (const [index, bytes] of data.entries()) await writer.write(tensors[index].name, 0, bytes);
    await writer.close();
    const members = unzip(await readFile(path));
    const file = await openNpz(path);
    expect(file.tensors.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name));
    for (const [index, { name, dtype, shape }] of tensors.entries()) {
      const entry = file.find(name);
      expect(entry).toMatchObject({ dtype, shape });
      expect(entry.offset % 64).toBe(0);
      expect(await readAll(file, entry)).toEqual(data[index]);
      const { data: bytes, begin } = members.get(`${name}.npy`)!;
      expect(new Uint8Array(bytes)).toEqual(join2(npyHeader(dtype, shape), data[index]));
      expect(begin + npyHeader(dtype, shape).length).toBe(entry.offset);
    }
    expect(members.size).toBe(tensors.length);
    await file.close();
  });

  test('bytes in any order, twice, and longer than what is read back at once', async () => {
    const path = join(folder, 'order.npz');
    const bytes = pattern(3 * 2 ** 20 + 7);
    const writer = await createNpz(path, [
      { name: 'a', dtype: 'uint8', shape: [bytes.length] },
      { name: 'b', dtype: 'int16', shape: [2] },
    ]);
    await writer.write('b', 2, pattern(2, 1));
    await writer.write('a', 2 ** 20, bytes.subarray(2 ** 20));
    await writer.write('b', 0, pattern(4, 2));
    await writer.write('a', 0, bytes.subarray(0, 2 ** 20));
    await writer.close();
    const members = unzip(await readFile(path));
    expect(members.get('a.npy')!.data.subarray(128).equals(bytes)).toBe(true);
    expect(new Uint8Array(members.get('b.npy')!.data.subarray(128))).toEqual(pattern(4, 2));
  });

  test('the same tensors give the same bytes, and none give an empty archive', async () => {
    const path = join(folder, 'none.npz');
    await (await createNpz(path, [])).close();
    expect(new Uint8Array(await readFile(path))).toEqual(zipFile([]));
    const files = await Promise.all(
      ['one.npz', 'two.npz'].map(async (name) => {
        const writer = await createNpz(join(folder, name), [{ name: 'a', dtype: 'int8', shape: [2] }]);
        await writer.write('a', 0, pattern(2));
        await writer.close();
        return readFile(join(folder, name));
      }),
    );
    expect(files[0].equals(files[1])).toBe(true);
  });

  test('an incomplete file leaves nothing', async () => {
    const room = join(folder, 'incomplete');
    await mkdir(room);
    const writer = await createNpz(join(room, 'a.npz'), [{ name: 'a', dtype: 'int8', shape: [2] }]);
    await writer.write('a', 1, pattern(1));
    await expectRejected(writer.close(), 'ERR_QUANTLANE_FORMAT', /Expected all 2 bytes of "a" to be written, got 1/);
    expect(await names(room)).toEqual([]);
  });

  test.each([
    ['a repeated name', [{ name: 'a' }, { name: 'a' }], 'ERR_QUANTLANE_ARGUMENT', /a new name that is text, got "a"/],
    ['no name', [{ name: '' }], 'ERR_QUANTLANE_ARGUMENT', /Expected only npy members/],
    ['a lone surrogate', [{ name: '\ud800' }], 'ERR_QUANTLANE_ARGUMENT', /a new name that is text/],
    ['no text', [{ name: 4 }], 'ERR_QUANTLANE_ARGUMENT', /got 4/],
    ['a name of 64 KiB', [{ name: 'x'.repeat(65_532) }], 'ERR_QUANTLANE_ARGUMENT', /a new name that is text/],
    ['a name that leads out', [{ name: '../a' }], 'ERR_QUANTLANE_ARGUMENT', /names that stay in their folder/],
    ['an absolute name', [{ name: '/a' }], 'ERR_QUANTLANE_ARGUMENT', /names that stay in their folder/],
    ['bfloat16', [{ name: 'a', dtype: 'bfloat16' }], 'ERR_QUANTLANE_DTYPE', /got bfloat16/],
    ['a bad shape', [{ name: 'a', shape: [-1] }], 'ERR_QUANTLANE_SHAPE', /got -1/],
    [
      'a sum of 2^53',
      [
        { name: 'a', shape: [2 ** 52] },
        { name: 'b', shape: [2 ** 52] },
      ],
      'ERR_QUANTLANE_ARGUMENT',
      /below 2\^53/,
    ],
  ] as const)('%s is refused', async (_, parts, code, message) => {
    const bad = parts.map((part) => ({ dtype: 'uint8', shape: [1], ...part })) as unknown as TensorDeclaration[];
    await expectRejected(createNpz(join(folder, 'bad.npz'), bad), code, message);
  });
});

describe('records of 64 bits', () => {
  const small = { name: 'a.npy', crc: 0x12345678, bytes: 2 ** 32 - 2, headerOffset: 0 };

  test.each([
    [0, 64],
    [1, 64],
    [2 ** 32 + 33, 64],
  ])('data after a local header at %i is aligned', (headerOffset, alignment) => {
    for (const bytes of [5, 2 ** 32]) {
      const header = localHeader({ ...small, bytes, headerOffset }, alignment);
      expect((headerOffset + header.length) % alignment).toBe(0);
    }
  });

  test('appear when 32 bits do not suffice, and only then', () => {
    const large = { ...small, bytes: 2 ** 32 - 1, headerOffset: 2 ** 32 };
    const view = (bytes: Uint8Array) => Buffer.from(bytes);
    expect(view(localHeader(small, 64)).readUInt32LE(22)).toBe(2 ** 32 - 2);
    const local = view(localHeader(large, 64));
    expect([local.readUInt32LE(18), local.readUInt32LE(22), local.readUInt16LE(35)]).toEqual([
      2 ** 32 - 1,
      2 ** 32 - 1,
      1,
    ]);
    expect(local.readBigUInt64LE(39)).toBe(2n ** 32n - 1n);
    expect(zipDirectory([small], 2 ** 32 - 2)).toHaveLength(46 + 5 + 22);
    const directory = view(zipDirectory([large], 2 ** 33));
    expect(directory).toHaveLength(46 + 5 + 28 + 56 + 20 + 22);
    expect([51, 53].map((at) => directory.readUInt16LE(at))).toEqual([1, 24]);
    expect([55, 63, 71].map((at) => directory.readBigUInt64LE(at))).toEqual([
      2n ** 32n - 1n,
      2n ** 32n - 1n,
      2n ** 32n,
    ]);
    expect(directory.readBigUInt64LE(79 + 48)).toBe(2n ** 33n);
    expect(directory.readBigUInt64LE(79 + 56 + 8)).toBe(2n ** 33n + 79n);
  });

  test('a directory of 65,535 members has an end record of 64 bits', () => {
    const directory = Buffer.from(zipDirectory(Array(65_535).fill(small), 0));
    expect(directory.readUInt32LE(65_535 * 51)).toBe(0x06064b50);
    expect(directory.readUInt16LE(directory.length - 12)).toBe(0xffff);
  });
});
