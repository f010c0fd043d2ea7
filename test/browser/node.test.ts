/** The browser's entry where there is no browser, as while a page is rendered on a server: one thread, the same bytes. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createRuntime, npyBlob, openTensors, quantizedBlob } from '#src/browser/index.js';
import { storedIn } from '#src/formats/container.js';
import { npyHeader, openNpy, openSafetensors } from '#src/formats/index.js';
import { preset } from '#src/index.js';
import { codeOf } from '../memory/helpers.js';
import { copied, expectSame, resultAtOnce, take, valuesOf } from '../runtime/helpers.js';
import { withRuntime } from '../support/runtime.js';

const folder = await mkdtemp(join(tmpdir(), 'quantlane-browser-'));
afterAll(() => rm(folder, { recursive: true }));

const SHAPE = [6, 64];
const VALUES = valuesOf(6 * 64);
const TENSOR = { dtype: 'float32', shape: SHAPE, data: VALUES } as const;

/** The bytes of a blob as a file. */
async function fileOf(name: string, blob: Blob): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, Buffer.from(await blob.arrayBuffer()));
  return path;
}

test('works on one thread, and says why', async () => {
  await using runtime = await createRuntime({ memory: '1MiB' });
  expect(runtime.fallback).toMatchObject({ code: 'ERR_QUANTLANE_LANE_START' });
  expect(runtime.lanes).toEqual([]);
  const actual = take(await runtime.quantize(TENSOR, 'torchao-int8'));
  await withRuntime({}, (node) => expectSame(actual, resultAtOnce(node, SHAPE, VALUES, 'torchao-int8')));
  expect(codeOf(() => runtime.connect())).toBe('ERR_QUANTLANE_ARGUMENT');
});

test('refuses where it is told to, and wrong options', async () => {
  const refused = createRuntime({ memory: '1MiB', fallback: 'error' });
  await expect(refused).rejects.toMatchObject({ code: 'ERR_QUANTLANE_LANE_START' });
  const wrong = { code: 'ERR_QUANTLANE_ARGUMENT' };
  await expect(createRuntime({ lanes: -1 })).rejects.toMatchObject(wrong);
  await expect(createRuntime({ memory: '1MiB', fallback: 'none' as 'error' })).rejects.toMatchObject(wrong);
});

describe('openTensors', () => {
  test('reads a .npy file by its header, into shared memory', async () => {
    const bytes = Buffer.concat([npyHeader('float32', SHAPE), Buffer.from(VALUES.buffer)]);
    const file = await openTensors(new File([bytes], 'some/acts.v1.npy'));
    expect(file.tensors).toMatchObject([{ name: 'acts.v1', dtype: 'float32', shape: SHAPE }]);
    const target = new Uint8Array(new SharedArrayBuffer(VALUES.byteLength));
    await file.read(file.tensors[0]!, 0, target);
    expect(Buffer.from(target).equals(Buffer.from(VALUES.buffer))).toBe(true);
    await expect(file.read(file.tensors[0]!, 8, target)).rejects.toMatchObject({ code: 'ERR_QUANTLANE_ARGUMENT' });
    await file.close();
    await expect(file.read(file.tensors[0]!, 0, target)).rejects.toMatchObject({ code: 'ERR_QUANTLANE_CLOSED' });
  });

  test('reads the bundled activations as from disk', async () => {
    const path = new URL('../../examples/activations.safetensors', import.meta.url).pathname;
    const [file, disk] = await Promise.all([openTensors(new Blob([await readFile(path)])), openSafetensors(path)]);
    expect(file.tensors).toEqual(disk.tensors);
    expect(file.format).toBe('safetensors');
    const entry = disk.tensors.at(-1)!;
    const [one, other] = [new Uint8Array(64), new Uint8Array(64)];
    await Promise.all([file.read(entry, 32, one), disk.read(entry, 32, other)]);
    expect(one).toEqual(other);
    await disk.close();
  });

  test.each([
    ['empty', Buffer.alloc(0), 'other first bytes'],
    ['GGUF', Buffer.from('GGUF\x03\0\0\0\0\0\0'), 'other first bytes'],
    ['cut .npy', npyHeader('float32', SHAPE), 'truncated'],
    ['cut .safetensors', Buffer.from('\xff\0\0\0\0\0\0\0{', 'latin1'), 'truncated'],
  ])('refuses what is no such file: %s', async (_, bytes, text) => {
    const refused = openTensors(new Blob([Uint8Array.from(bytes)]), 'x');
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_QUANTLANE_FORMAT',
      message: expect.stringContaining(text),
    });
  });
});

describe('files that a page makes', () => {
  test.each(['torchao-int8-affine', 'ggml-q4_0', 'bnb-int8', 'mx-fp4'] as const)(
    'the command line reads: %s',
    async (name) => {
      await using runtime = await createRuntime({ lanes: 0, memory: '1MiB' });
      const q = await runtime.quantize(TENSOR, name);
      const file = await openSafetensors(await fileOf(`${name}.safetensors`, await quantizedBlob('acts', q)));
      const [stored] = storedIn(file, 'file');
      expect(stored).toMatchObject({ name: 'acts', note: { shape: SHAPE, inputDtype: 'float32' } });
      expect(stored!.scheme).toEqual(preset(name));
      const parts = [q.data, q.scale, q.zeroPoint, q.outliers, q.outlierValues];
      const entries = [stored!.codes, stored!.scale, stored!.zeroPoint, stored!.outliers, stored!.outlierValues];
      for (const [at, entry] of entries.entries()) {
        expect(entry === undefined).toBe(parts[at] === null);
        if (entry === undefined) continue;
        const bytes = new Uint8Array(entry.byteLength);
        await file.read(entry, 0, bytes);
        expect(bytes).toEqual(copied(parts[at]!));
      }
      await file.close();
      q.release();
    },
  );

  test('npy of codes, from shared memory', async () => {
    await using runtime = await createRuntime({ lanes: 0, memory: '1MiB' });
    const q = await runtime.quantize(TENSOR, 'torchao-int8');
    const blob = await npyBlob({ dtype: 'int8', shape: q.dataShape, data: q.data });
    const file = await openNpy(await fileOf('codes.npy', blob));
    expect(file.tensors).toMatchObject([{ name: 'codes', dtype: 'int8', shape: SHAPE }]);
    const bytes = new Uint8Array(q.data.length);
    await file.read(file.tensors[0]!, 0, bytes);
    expect(bytes).toEqual(copied(q.data));
    await file.close();
    q.release();
    await expect(npyBlob({ dtype: 'bfloat16', shape: [1], data: new Uint16Array(1) })).rejects.toMatchObject({
      code: 'ERR_QUANTLANE_DTYPE',
    });
  });
});
