import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { npyHeader, openTensors, safetensorsHeader, spool } from '#src/formats/index.js';
import { bytesOf, expectRejected, join2, names, pattern, put, readAll, temporaryFolder } from './files.js';
import { ggufFile, tensor } from './gguf-bytes.js';
import { zipFile } from './zip-bytes.js';

const folder = await temporaryFolder();
const NPY = join2(npyHeader('int16', [3]), pattern(6));
const SAFETENSORS = join2(safetensorsHeader([{ name: 'a', dtype: 'int8', shape: [4] }]).bytes, pattern(4));
const GGUF = ggufFile({ tensors: [tensor('g', [4], 24, 0)], data: pattern(4) });
const NPZ = zipFile([{ name: 'z.npy', bytes: NPY }]);
/** Its ninth byte is that of a JSON object, as in a safetensors file. */
const MANY = ggufFile({
  tensors: Array.from({ length: 0x7b }, (_, index) => tensor(`${index}`, [0], 24, 0)),
});

/** A stream of the given chunks. */
async function* streamOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

describe('openTensors', () => {
  test.each([
    ['x.npy', NPY, 'npy', 'x'],
    ['x.NPY', NPY, 'npy', 'x'],
    ['x', NPY, 'npy', 'x'],
    ['x.bin', NPY, 'npy', 'x'],
    ['y.safetensors', SAFETENSORS, 'safetensors', 'a'],
    ['y.SafeTensors', SAFETENSORS, 'safetensors', 'a'],
    ['y', SAFETENSORS, 'safetensors', 'a'],
    ['y.model', SAFETENSORS, 'safetensors', 'a'],
    ['g.gguf', GGUF, 'gguf', 'g'],
    ['g.GGUF', GGUF, 'gguf', 'g'],
    ['g', GGUF, 'gguf', 'g'],
    ['z.npz', NPZ, 'npz', 'z'],
    ['z.NPZ', NPZ, 'npz', 'z'],
    ['z', NPZ, 'npz', 'z'],
    ['z.zip', NPZ, 'npz', 'z'],
  ])('%s', async (name, bytes, format, tensor) => {
    const file = await openTensors(await put(folder, name, bytes));
    expect(file.format).toBe(format);
    expect(file.tensors.map((entry) => entry.name)).toEqual([tensor]);
    expect(await readAll(file, file.find(tensor))).toEqual(pattern(file.find(tensor).byteLength));
    await file.close();
  });

  test('a GGUF file of 123 tensors is no safetensors file', async () => {
    expect(MANY[8]).toBe('{'.charCodeAt(0));
    const file = await openTensors(await put(folder, 'many', MANY));
    expect([file.format, file.tensors.length]).toEqual(['gguf', 123]);
    await file.close();
  });

  test.each([
    ['wrong.npy', SAFETENSORS, /begins with 0x93 NUMPY/],
    ['wrong.NPY', SAFETENSORS, /begins with 0x93 NUMPY/],
    ['wrong.safetensors', NPY, /safetensors header of at most/],
    ['wrong.gguf', NPY, /begins with 'GGUF'/],
    ['wrong.npz', NPY, /the end record of a zip archive/],
    ['neither', bytesOf('\x7fELF some other file'), /neither its extension nor its first bytes/],
    ['zip', bytesOf('PK\x03\x04 and then some other file'), /the end record of a zip archive/],
    ['gguf', bytesOf('GGUF'), /truncated/],
    ['empty', new Uint8Array(), /neither its extension nor its first bytes/],
    ['short', bytesOf('\x93NUM'), /neither its extension nor its first bytes/],
    ['magic', bytesOf('\x93NUMPY'), /truncated/],
  ])('%s is refused', async (name, bytes, message) => {
    await expectRejected(openTensors(await put(folder, name, bytes)), 'ERR_QUANTLANE_FORMAT', message);
  });

  test.each(['missing', 'missing.npy', 'missing.npz', 'missing.safetensors', 'missing.gguf'])(
    '%s names the path and keeps the cause',
    async (name) => {
      const path = join(folder, name);
      const error = await expectRejected(
        openTensors(path),
        'ERR_QUANTLANE_FORMAT',
        /Expected a file that exists, got ENOENT/,
      );
      expect(error.message.startsWith(`${path}: `)).toBe(true);
      expect((error.cause as NodeJS.ErrnoException).code).toBe('ENOENT');
    },
  );

  test('a folder is no file', async () => {
    await mkdir(join(folder, 'folder.npy'));
    const opening = openTensors(join(folder, 'folder.npy'));
    await expectRejected(opening, 'ERR_QUANTLANE_FORMAT', /Expected a regular file, got a directory/);
  });

  test.skipIf(process.platform === 'win32')('a device is no file', async () => {
    await expectRejected(
      openTensors('/dev/null'),
      'ERR_QUANTLANE_FORMAT',
      /Expected a regular file, got a device or pipe/,
    );
  });
});

describe('spool', () => {
  test.each([
    ['npy', NPY, 'stdin'],
    ['safetensors', SAFETENSORS, 'a'],
    ['gguf', GGUF, 'g'],
    ['npz', NPZ, 'z'],
  ])('a stream of %s opens like a file', async (format, bytes, tensor) => {
    const room = join(folder, `spool-${format}`);
    await mkdir(room);
    const pieces = [0, 1, 2, 50, 51, 120].map((begin, index, all) => bytes.subarray(begin, all[index + 1]));
    const spooled = await spool(streamOf(...pieces, new Uint8Array()), room);
    const file = await openTensors(spooled.path);
    expect(file.format).toBe(format);
    expect(await readAll(file, file.find(tensor))).toEqual(pattern(file.find(tensor).byteLength));
    await file.close();
    expect(await names(room)).toHaveLength(1);
    await spooled.remove();
    await spooled.remove();
    await spooled[Symbol.asyncDispose]();
    expect(await names(room)).toEqual([]);
  });

  test('an empty stream gives an empty file, which is refused', async () => {
    const spooled = await spool(streamOf());
    await expectRejected(openTensors(spooled.path), 'ERR_QUANTLANE_FORMAT', /neither its extension/);
    await spooled.remove();
    await expectRejected(openTensors(spooled.path), 'ERR_QUANTLANE_FORMAT', /ENOENT/);
  });

  test('a stream that fails leaves nothing and keeps its error', async () => {
    const room = join(folder, 'spool-fails');
    await mkdir(room);
    const failure = new Error('the pipe broke');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield NPY;
      throw failure;
    }
    await expect(spool(failing(), room)).rejects.toBe(failure);
    expect(await names(room)).toEqual([]);
  });

  test('a stream of text is refused and leaves nothing', async () => {
    const room = join(folder, 'spool-text');
    await mkdir(room);
    const text = streamOf('text' as unknown as Uint8Array);
    await expectRejected(spool(text, room), 'ERR_QUANTLANE_ARGUMENT', /Expected a stream of Uint8Array, got "text"/);
    expect(await names(room)).toEqual([]);
  });

  test('a folder that does not exist is refused', async () => {
    const spooling = spool(streamOf(NPY), join(folder, 'nowhere'));
    await expectRejected(spooling, 'ERR_QUANTLANE_FORMAT', /Expected a folder that can be written, got ENOENT/);
  });
});
