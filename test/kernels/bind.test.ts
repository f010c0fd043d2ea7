import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { compile } from '#src/kernels/bind.js';
import { bindKernels, bindReference, compileKernels, compileRelaxed, createReference } from '#src/kernels/index.js';

const folder = await mkdtemp(join(tmpdir(), 'quantlane-kernels-'));
afterAll(() => rm(folder, { recursive: true }));

const memory = () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });

/** The ids of the sections of a module, in order. */
function sections(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  let at = 8;
  while (at < bytes.length) {
    ids.push(bytes[at++]!);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  expect(at).toBe(bytes.length);
  return ids;
}

describe('the module', () => {
  test('has no static data, which every lane would write again into shared memory', async () => {
    for (const name of ['kernels', 'kernels-relaxed']) {
      const ids = sections(await readFile(new URL(`../../dist/src/kernels/${name}.wasm`, import.meta.url)));
      expect(ids, name).toContain(10);
      expect(ids, `data of ${name}`).not.toContain(11);
      expect(ids, `data count of ${name}`).not.toContain(12);
    }
  });

  test('takes only the memory and gives only execute', async () => {
    const module = await compileKernels();
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.filter((name) => name !== 'memory')).toEqual(['execute']);
  });

  test('is compiled once', async () => {
    expect(await compileKernels()).toBe(await compileKernels());
  });

  test('leaves the memory as it is when it is bound', async () => {
    const shared = memory();
    new Uint8Array(shared.buffer).fill(7);
    bindKernels(await compileKernels(), shared);
    expect(new Uint8Array(shared.buffer).every((byte) => byte === 7)).toBe(true);
  });
});

describe('the relaxed module', () => {
  test('is there exactly where the engine has its instructions', async () => {
    const isThere = (await compileRelaxed()) !== null;
    expect(isThere).toBe(Number.parseInt(process.versions.node, 10) >= 22);
    expect(await compileRelaxed()).toBe(await compileRelaxed());
  });

  test('takes only the memory and gives execute and probe', async () => {
    const relaxed = await compileRelaxed();
    if (relaxed === null) return;
    const { module } = relaxed;
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.filter((name) => name !== 'memory').sort()).toEqual(['execute', 'probe']);
    const instance = new WebAssembly.Instance(module, { env: { memory: memory() } });
    // One sum of four, or of saturated pairs, or of signed bytes.
    expect([4 * 127 * 255, 2 * 32_767, -4 * 127]).toContain((instance.exports['probe'] as () => number)());
  });
});

describe('binding', () => {
  test('names the kernels', async () => {
    expect(bindKernels(await compileKernels(), memory()).name).toBe('simd');
    expect(bindReference(memory()).name).toBe('scalar');
    expect(createReference(new ArrayBuffer(256)).name).toBe('scalar');
  });

  test('a missing or broken module is an error with its cause', async () => {
    const broken = join(folder, 'broken.wasm');
    await writeFile(broken, 'not a module');
    for (const path of [join(folder, 'missing.wasm'), broken]) {
      const error = await compile(pathToFileURL(path)).catch((reason) => reason);
      expect(error).toMatchObject({ code: 'ERR_QUANTLANE_KERNEL', cause: expect.any(Error) });
      expect(error.message).toContain(path);
    }
  });

  test('memory and module that do not fit are an error with its cause', async () => {
    const unshared = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const module = await compileKernels();
    expect(() => bindKernels(module, unshared)).toThrow(
      expect.objectContaining({ code: 'ERR_QUANTLANE_KERNEL', cause: expect.any(WebAssembly.LinkError) }),
    );
    const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    expect(() => bindKernels(empty, memory())).toThrow(expect.objectContaining({ code: 'ERR_QUANTLANE_KERNEL' }));
  });
});
