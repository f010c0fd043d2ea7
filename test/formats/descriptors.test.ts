import { mkdir, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createNpy, npyHeader, openNpz, openTensors, spool } from '#src/formats/index.js';
import { bytesOf, expectRejected, join2, put, temporaryFolder } from './files.js';
import { zipFile } from './zip-bytes.js';

const folder = await temporaryFolder();

/** Number of files that this process has open inside the folder of this page. */
async function openFiles(): Promise<number> {
  const descriptors = await readdir('/proc/self/fd');
  const targets = await Promise.all(descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(folder)).length;
}

test.skipIf(process.platform !== 'linux')('every way of ending closes its file', async () => {
  // A forgotten file that the garbage collector closes is no longer open, but Node warns of it.
  const warnings: string[] = [];
  process.on('warning', (warning) => warnings.push(warning.message));
  const path = await put(folder, 'a.npy', join2(npyHeader('int8', [1]), Uint8Array.of(1)));
  const file = await openTensors(path);
  expect(await openFiles()).toBe(1);
  await file.close();
  expect(await openFiles()).toBe(0);

  await expectRejected(openTensors(await put(folder, 'bad', bytesOf('neither'))), 'ERR_QUANTLANE_FORMAT', /neither/);
  await expectRejected(openTensors(await put(folder, 'bad.npy', bytesOf('bad'))), 'ERR_QUANTLANE_FORMAT', /NUMPY/);
  expect(await openFiles()).toBe(0);

  const good = await createNpy(path, { dtype: 'int8', shape: [1] });
  expect(await openFiles()).toBe(1);
  await good.write('a', 0, Uint8Array.of(2));
  await good.close();
  expect(await openFiles()).toBe(0);

  const incomplete = await createNpy(path, { dtype: 'int8', shape: [1] });
  await expectRejected(incomplete.close(), 'ERR_QUANTLANE_FORMAT', /to be written/);
  const aborted = await createNpy(path, { dtype: 'int8', shape: [1] });
  await aborted.abort();
  await mkdir(join(folder, 'taken.npy'));
  const taken = await createNpy(join(folder, 'taken.npy'), { dtype: 'int8', shape: [0] });
  await expectRejected(taken.close(), 'ERR_QUANTLANE_FORMAT', /can be written/);
  expect(await openFiles()).toBe(0);

  const member = { name: 'a.npy', bytes: join2(npyHeader('int8', [1]), Uint8Array.of(1)), deflate: true };
  const npz = await openNpz(await put(folder, 'a.npz', zipFile([member])), { directory: folder });
  expect(await openFiles()).toBe(2);
  await npz.close();
  await npz.close();
  expect(await openFiles()).toBe(0);
  const lying = await put(folder, 'lying.npz', zipFile([{ ...member, size: 128 }]));
  await expectRejected(openNpz(lying, { directory: folder }), 'ERR_QUANTLANE_FORMAT', /got more/);
  const wrong = await put(folder, 'wrong.npz', zipFile([{ ...member, bytes: bytesOf('no npy file') }]));
  await expectRejected(openNpz(wrong, { directory: folder }), 'ERR_QUANTLANE_FORMAT', /NUMPY/);
  expect(await openFiles()).toBe(0);
  expect((await readdir(folder)).filter((name) => name.startsWith('quantlane-'))).toEqual([]);

  async function* text() {
    yield 'text' as unknown as Uint8Array;
  }
  await expectRejected(spool(text(), folder), 'ERR_QUANTLANE_ARGUMENT', /got "text"/);
  expect(await openFiles()).toBe(0);
  expect(warnings.filter((message) => message.includes('garbage collection'))).toEqual([]);
});
