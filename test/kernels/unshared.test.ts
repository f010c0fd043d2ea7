/** The kernels over a memory that is not shared, for pages that may not share any. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { bindKernels, compileKernels, compileUnshared } from '#src/kernels/index.js';
import { withoutSharing } from '#src/kernels/unshared.js';
import { codeOf } from '../memory/helpers.js';

const KERNELS = new URL('../../dist/src/kernels/kernels.wasm', import.meta.url);
const memoryOf = (shared: boolean) => new WebAssembly.Memory({ initial: 1, maximum: 1, shared });

test('one bit of the module is another', async () => {
  const before = new Uint8Array(await readFile(KERNELS));
  const after = withoutSharing(before);
  const changed = [...after.keys()].filter((at) => after[at] !== before[at]);
  expect(changed).toHaveLength(1);
  expect(before[changed[0]!]! ^ after[changed[0]!]!).toBe(2);
});

test('each module takes the memory that it was made for', async () => {
  const [shared, unshared] = await Promise.all([compileKernels(), compileUnshared()]);
  expect(bindKernels(shared, memoryOf(true)).name).toBe('simd');
  expect(bindKernels(unshared, memoryOf(false)).name).toBe('simd');
  expect(codeOf(() => bindKernels(shared, memoryOf(false)))).toBe('ERR_QUANTLANE_KERNEL');
  expect(codeOf(() => bindKernels(unshared, memoryOf(true)))).toBe('ERR_QUANTLANE_KERNEL');
});

test('a module of other imports is refused', () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  expect(() => withoutSharing(empty)).toThrow('no imports');
  // A function of no module and no name.
  const type = [1, 4, 1, 0x60, 0, 0];
  expect(() => withoutSharing(Uint8Array.of(...empty, ...type, 2, 5, 1, 0, 0, 0, 0))).toThrow('imports beyond');
});
