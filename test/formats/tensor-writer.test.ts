import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createNpy,
  createSafetensors,
  npyHeader,
  safetensorsHeader,
  type TensorDeclaration,
} from '#src/formats/index.js';
import { createTensorFile } from '#src/formats/tensor-writer.js';
import { expectRejected, join2, names, pattern, temporaryFolder } from './files.js';

const root = await temporaryFolder();
const TENSORS: TensorDeclaration[] = [
  { name: 'first', dtype: 'uint8', shape: [100] },
  { name: 'second', dtype: 'int16', shape: [4, 5] },
  { name: 'nothing', dtype: 'float32', shape: [0] },
];
const DATA = pattern(140);
const HEADER = safetensorsHeader(TENSORS).bytes;

/** A folder of its own, the path of a file in it, and a writer of that file. */
async function fresh(name: string) {
  const folder = join(root, name);
  await mkdir(folder);
  const path = join(folder, 'out.safetensors');
  return { folder, path, writer: await createSafetensors(path, TENSORS) };
}

describe('close', () => {
  test('puts the file at its path, and only then', async () => {
    const { folder, path, writer } = await fresh('rename');
    expect(await names(folder)).toEqual([expect.stringMatching(/^out\.safetensors\.[0-9a-f]{12}\.tmp$/)]);
    await writer.write('first', 0, DATA.subarray(0, 100));
    await writer.write('second', 0, DATA.subarray(100));
    expect(await names(folder)).not.toContain('out.safetensors');
    await writer.close();
    expect(await names(folder)).toEqual(['out.safetensors']);
    expect(new Uint8Array(await readFile(path))).toEqual(join2(HEADER, DATA));
    await writer.close();
    await writer.abort();
    await writer[Symbol.asyncDispose]();
    expect(await names(folder)).toEqual(['out.safetensors']);
  });

  test('replaces an older file only on success', async () => {
    const folder = join(root, 'replace');
    await mkdir(folder);
    const path = join(folder, 'x.npy');
    await writeFile(path, 'older');
    const failed = await createNpy(path, { dtype: 'int8', shape: [2] });
    await expectRejected(failed.close(), 'ERR_QUANTLANE_FORMAT', /got 0/);
    expect(await readFile(path, 'utf8')).toBe('older');
    const writer = await createNpy(path, { dtype: 'int8', shape: [2] });
    await writer.write('x', 0, Uint8Array.of(1, 2));
    await writer.close();
    expect(new Uint8Array(await readFile(path))).toEqual(join2(npyHeader('int8', [2]), Uint8Array.of(1, 2)));
    expect(await names(folder)).toEqual(['x.npy']);
  });

  test.each([
    ['nothing', [], /Expected all 100 bytes of "first" to be written, got 0/],
    ['one tensor', [['first', 0, 100]], /Expected all 40 bytes of "second" to be written, got 0/],
    [
      'all but the last byte',
      [
        ['first', 0, 100],
        ['second', 0, 39],
      ],
      /"second" to be written, got 39/,
    ],
    [
      'all but the first byte',
      [
        ['first', 1, 99],
        ['second', 0, 40],
      ],
      /"first" to be written, got 99/,
    ],
    [
      'a hole',
      [
        ['first', 0, 50],
        ['first', 51, 49],
        ['second', 0, 40],
      ],
      /"first" to be written, got 99/,
    ],
    [
      'the same bytes twice',
      [
        ['first', 0, 50],
        ['first', 0, 50],
        ['second', 0, 40],
      ],
      /"first" to be written, got 50/,
    ],
    [
      'overlaps',
      [
        ['first', 0, 60],
        ['first', 30, 60],
        ['second', 0, 40],
      ],
      /"first" to be written, got 90/,
    ],
  ] as const)('%s is not enough, and leaves no file', async (name, writes, message) => {
    const { folder, writer } = await fresh(`incomplete ${name}`);
    for (const [tensor, position, length] of writes) await writer.write(tensor, position, new Uint8Array(length));
    await expectRejected(writer.close(), 'ERR_QUANTLANE_FORMAT', message);
    expect(await names(folder)).toEqual([]);
  });

  test('fails while a write is under way', async () => {
    const { folder, writer } = await fresh('early');
    await writer.write('first', 0, DATA.subarray(0, 100));
    const writing = writer.write('second', 0, DATA.subarray(100));
    const closing = expectRejected(writer.close(), 'ERR_QUANTLANE_FORMAT', /"second" to be written, got 0/);
    await Promise.allSettled([writing]);
    await closing;
    expect(await names(folder)).toEqual([]);
  });

  test('fails when the path is a folder, and leaves no file', async () => {
    const folder = join(root, 'taken');
    await mkdir(join(folder, 'x.npy', 'inside'), { recursive: true });
    const writer = await createNpy(join(folder, 'x.npy'), { dtype: 'int8', shape: [0] });
    const error = await expectRejected(
      writer.close(),
      'ERR_QUANTLANE_FORMAT',
      /x\.npy: Expected a path that can be written/,
    );
    expect(error.cause).toBeInstanceOf(Error);
    expect(await names(folder)).toEqual(['x.npy']);
  });
});

describe('write', () => {
  test('in any pieces and any order, with overlaps', async () => {
    const folder = join(root, 'pieces');
    await mkdir(folder);
    const path = join(folder, 'x.npy');
    const pieces = fc.array(fc.tuple(fc.nat({ max: 39 }), fc.nat({ max: 12 })), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(pieces, async (list) => {
        const data = pattern(40);
        const writer = await createNpy(path, { dtype: 'uint8', shape: [40] });
        const written = new Set<number>();
        for (const [begin, length] of list) {
          const part = data.subarray(begin, begin + length);
          await writer.write('x', begin, part);
          for (let at = begin; at < begin + part.length; at += 1) written.add(at);
        }
        if (written.size < 40) {
          const error = await expectRejected(writer.close(), 'ERR_QUANTLANE_FORMAT', /to be written/);
          expect(error.details).toEqual({ expected: 40, actual: written.size });
        } else {
          await writer.close();
          expect(new Uint8Array(await readFile(path)).subarray(128)).toEqual(data);
        }
      }),
      {
        numRuns: 60,
        examples: [
          [
            [
              [30, 10],
              [0, 9],
              [9, 12],
              [20, 12],
            ],
          ],
          [
            [
              [0, 12],
              [28, 12],
              [14, 12],
              [12, 2],
              [26, 2],
            ],
          ],
        ],
      },
    );
  });

  test('from shared memory, many at the same time', async () => {
    const { path, writer } = await fresh('shared');
    const shared = new Uint8Array(new SharedArrayBuffer(160), 10, 140);
    shared.set(DATA);
    const firsts = Array.from({ length: 100 }, (_, at) => writer.write('first', at, shared.subarray(at, at + 1)));
    await Promise.all([...firsts, writer.write('second', 0, shared.subarray(100))]);
    await writer.close();
    expect(new Uint8Array(await readFile(path))).toEqual(join2(HEADER, DATA));
  });

  test('no bytes are written by no bytes', async () => {
    const { writer } = await fresh('none');
    await writer.write('nothing', 0, new Uint8Array());
    await writer.write('first', 100, new Uint8Array());
    await expectRejected(writer.close(), 'ERR_QUANTLANE_FORMAT', /"first" to be written, got 0/);
  });

  test.each([
    ['third', 0, 1, /Expected a declared tensor, got "third"/],
    ['__proto__', 0, 1, /Expected a declared tensor, got "__proto__"/],
    ['second', 0, 41, /inside the 40 bytes of "second", got 41 bytes at 0/],
    ['second', 40, 1, /got 1 bytes at 40/],
    ['second', -1, 1, /got 1 bytes at -1/],
    ['second', 0.5, 1, /got 1 bytes at 0.5/],
    ['nothing', 0, 1, /inside the 0 bytes/],
  ])('%s at %d with %d bytes is refused', async (name, position, length, message) => {
    const { folder, writer } = await fresh(`refused ${name} ${position} ${length}`);
    await expectRejected(writer.write(name, position, new Uint8Array(length)), 'ERR_QUANTLANE_ARGUMENT', message);
    await writer.abort();
    expect(await names(folder)).toEqual([]);
  });

  test('bytes of another kind are refused', async () => {
    const { writer } = await fresh('kind');
    const bytes = new Float32Array(1) as unknown as Uint8Array;
    await expectRejected(writer.write('first', 0, bytes), 'ERR_QUANTLANE_ARGUMENT', /Expected a Uint8Array/);
    await writer.abort();
  });
});

describe('abort', () => {
  test('deletes the file and ends the writer', async () => {
    const { folder, writer } = await fresh('abort');
    await writer.write('first', 0, DATA.subarray(0, 100));
    await writer.abort();
    expect(await names(folder)).toEqual([]);
    await writer.abort();
    await writer[Symbol.asyncDispose]();
    await expectRejected(
      writer.write('first', 0, DATA.subarray(0, 1)),
      'ERR_QUANTLANE_CLOSED',
      /Expected an open writer/,
    );
    await expectRejected(writer.close(), 'ERR_QUANTLANE_CLOSED', /Expected an open writer/);
    expect(await names(folder)).toEqual([]);
  });

  test('dispose without close is abort', async () => {
    const { folder, writer } = await fresh('dispose');
    await writer.write('first', 0, DATA.subarray(0, 100));
    await writer.write('second', 0, DATA.subarray(100));
    await writer[Symbol.asyncDispose]();
    expect(await names(folder)).toEqual([]);
  });

  test('after a close that failed it changes nothing', async () => {
    const { folder, writer } = await fresh('after');
    const closing = expectRejected(writer.close(), 'ERR_QUANTLANE_FORMAT', /to be written/);
    await writer.abort();
    await closing;
    await expectRejected(writer.close(), 'ERR_QUANTLANE_FORMAT', /to be written/);
    expect(await names(folder)).toEqual([]);
  });
});

describe('an ending', () => {
  const entries = [{ name: 'a', dtype: 'uint8', shape: [3], offset: 4, byteLength: 3 }] as const;

  test('is zeros up to the size, and what completes the file when all is written', async () => {
    const folder = join(root, 'ending');
    await mkdir(folder);
    const path = join(folder, 'out');
    const seen: number[] = [];
    const writer = await createTensorFile(path, Uint8Array.of(1, 2), entries, {
      size: 10,
      complete: async (handle) => {
        const { buffer } = await handle.read(Buffer.alloc(3), 0, 3, 4);
        seen.push(...buffer);
        await handle.write(Uint8Array.of(9), 0, 1, 8);
      },
    });
    await writer.write('a', 0, Uint8Array.of(5, 6, 7));
    expect(seen).toEqual([]);
    await writer.close();
    expect(seen).toEqual([5, 6, 7]);
    expect([...(await readFile(path))]).toEqual([1, 2, 0, 0, 5, 6, 7, 0, 9, 0]);
  });

  test('that fails leaves nothing, and does not run for a file that is not complete', async () => {
    const folder = join(root, 'bad-ending');
    await mkdir(folder);
    let runs = 0;
    const complete = async () => {
      runs += 1;
      throw new Error('no luck');
    };
    const path = join(folder, 'out');
    const incomplete = await createTensorFile(path, new Uint8Array(), entries, { complete });
    await expectRejected(incomplete.close(), 'ERR_QUANTLANE_FORMAT', /to be written, got 0/);
    expect(runs).toBe(0);
    const failing = await createTensorFile(path, new Uint8Array(), entries, { complete });
    await failing.write('a', 0, Uint8Array.of(5, 6, 7));
    await expectRejected(failing.close(), 'ERR_QUANTLANE_FORMAT', /can be written, got no luck/);
    await expectRejected(
      createTensorFile(path, new Uint8Array(), entries, { size: 2 ** 63 }),
      'ERR_QUANTLANE_FORMAT',
      /Expected room for \d+ bytes, got /,
    );
    expect(await names(folder)).toEqual([]);
  });
});

test('a folder that does not exist keeps its cause', async () => {
  const creation = createNpy(join(root, 'no', 'such', 'x.npy'), { dtype: 'int8', shape: [1] });
  const error = await expectRejected(
    creation,
    'ERR_QUANTLANE_FORMAT',
    /x\.npy: Expected a path that can be written, got ENOENT/,
  );
  expect((error.cause as NodeJS.ErrnoException).code).toBe('ENOENT');
});
