import { open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSafetensors, safetensorsHeader, type TensorDeclaration, type TensorEntry } from '#src/formats/index.js';
import { expectRejected, join2, pattern, put, temporaryFolder } from './files.js';

const folder = await temporaryFolder();
const TENSORS: TensorDeclaration[] = [
  { name: 'first', dtype: 'uint8', shape: [100] },
  { name: 'second', dtype: 'int16', shape: [4, 5] },
];
const DATA = pattern(140);
const BYTES = join2(safetensorsHeader(TENSORS).bytes, DATA);

/** Opens the file of this page under a fresh name. */
async function openFresh(name: string) {
  return openSafetensors(await put(folder, `${name}.safetensors`, BYTES));
}

describe('read', () => {
  test('every range of a tensor', async () => {
    const file = await openFresh('ranges');
    const entry = file.find('second');
    for (let position = 0; position <= 40; position += 1) {
      const target = new Uint8Array(40 - position);
      await file.read(entry, position, target);
      expect(target).toEqual(DATA.slice(100 + position));
    }
    await file.close();
  });

  test('into a view on shared memory, and nothing around it', async () => {
    const file = await openFresh('shared');
    const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(0xee);
    await file.read(file.find('first'), 10, new Uint8Array(shared.buffer, 7, 33));
    expect(shared.slice(7, 40)).toEqual(DATA.slice(10, 43));
    expect([...shared.slice(0, 7), ...shared.slice(40)].every((byte) => byte === 0xee)).toBe(true);
    await file.close();
  });

  test('many at the same time', async () => {
    const file = await openFresh('many');
    const entry = file.find('first');
    const targets = Array.from({ length: 50 }, () => new Uint8Array(50));
    await Promise.all(targets.map((target, index) => file.read(entry, index, target)));
    for (const [index, target] of targets.entries()) expect(target).toEqual(DATA.slice(index, index + 50));
    await file.close();
  });

  test.each([
    [0, 41],
    [1, 40],
    [41, 0],
    [-1, 1],
    [0.5, 1],
    [Number.NaN, 1],
    [2 ** 53, 1],
    [Number.POSITIVE_INFINITY, 0],
  ])('position %d with %d bytes leaves the tensor', async (position, length) => {
    const file = await openFresh('outside');
    const reading = file.read(file.find('second'), position, new Uint8Array(length));
    await expectRejected(
      reading,
      'ERR_QUANTLANE_ARGUMENT',
      /Expected a range inside the 40 bytes of "second", got \d+ bytes at/,
    );
    await file.close();
  });

  test('a forged entry reads only its own tensor', async () => {
    const file = await openFresh('forged');
    const forged: TensorEntry = { ...file.find('second'), offset: 0, byteLength: BYTES.length };
    await expectRejected(file.read(forged, 0, new Uint8Array(41)), 'ERR_QUANTLANE_ARGUMENT', /inside the 40 bytes/);
    const target = new Uint8Array(40);
    await file.read(forged, 0, target);
    expect(target).toEqual(DATA.slice(100));
    await file.close();
  });

  test('a target that is not bytes is refused', async () => {
    const file = await openFresh('floats');
    const target = new Float32Array(4) as unknown as Uint8Array;
    await expectRejected(file.read(file.find('first'), 0, target), 'ERR_QUANTLANE_ARGUMENT', /Expected a Uint8Array/);
    await file.close();
  });

  test('a file that became shorter is truncated', async () => {
    const file = await openFresh('shrunk');
    await truncate(file.path, BYTES.length - 1);
    await expectRejected(file.read(file.find('second'), 0, new Uint8Array(40)), 'ERR_QUANTLANE_FORMAT', /truncated/);
    await file.close();
  });

  test.skipIf(process.platform === 'win32')('beyond 4 GiB, in a sparse file', async () => {
    const far = 2 ** 32 + 12_345;
    const { bytes } = safetensorsHeader([
      { name: 'zeros', dtype: 'uint8', shape: [far] },
      { name: 'end', dtype: 'uint8', shape: [5] },
    ]);
    const path = join(folder, 'sparse.safetensors');
    const handle = await open(path, 'w');
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.write(Uint8Array.of(1, 2, 3, 4, 5), 0, 5, bytes.length + far);
    await handle.close();
    const file = await openSafetensors(path);
    const target = new Uint8Array(4);
    await file.read(file.find('end'), 1, target);
    expect(target).toEqual(Uint8Array.of(2, 3, 4, 5));
    await file.read(file.find('zeros'), far - 4, target);
    expect(target).toEqual(new Uint8Array(4));
    await file.close();
  });
});

describe('find and close', () => {
  test('an unknown name lists the known ones', async () => {
    const file = await openFresh('unknown');
    await expectRejected(
      (async () => file.find('third'))(),
      'ERR_QUANTLANE_ARGUMENT',
      /one of the tensors "first", "second", got "third"/,
    );
    await expectRejected((async () => file.find('constructor'))(), 'ERR_QUANTLANE_ARGUMENT', /got "constructor"/);
    await file.close();
  });

  test('many names are cut', async () => {
    const tensors = Array.from({ length: 20 }, (_, index) => ({
      name: `t${index}`,
      dtype: 'bool' as const,
      shape: [0],
    }));
    const file = await openSafetensors(await put(folder, 'twenty.safetensors', safetensorsHeader(tensors).bytes));
    expect(() => file.find('x')).toThrow(/"t0", .*"t7" and 12 more, got "x"$/);
    await file.close();
  });

  test('close and dispose may be called again, and end reading', async () => {
    const file = await openFresh('closed');
    const entry = file.find('first');
    await file.close();
    await file.close();
    await file[Symbol.asyncDispose]();
    await expectRejected(file.read(entry, 0, new Uint8Array(1)), 'ERR_QUANTLANE_CLOSED', /Expected an open file/);
  });
});
