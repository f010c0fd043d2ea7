/** Presets of embeddings on the command line: rows that end within a byte, there, back and looked at. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { preset } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import { normal, putNpy, readSafetensors, run, runJson, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const at = (name: string): string => join(folder, name);
const [rows, columns] = [50, 1213];
const data = normal(rows * columns);
const npy = await putNpy(at('vectors.npy'), 'float32', [rows, columns], data);

const BITS = ['st-binary', 'st-ubinary', 'usearch-b1', 'pgvector-binary', 'qdrant-binary'];

it.each([...BITS, 'usearch-i8'])('%s', async (name) => {
  const out = at(`${name}.safetensors`);
  const back = at(`${name}.npy`);
  await withRuntime({}, async (runtime) => {
    using quantized = await runtime.quantize({ dtype: 'float32', shape: [rows, columns], data }, name);
    using values = await runtime.dequantize(quantized);
    const bytes = name === 'usearch-i8' ? columns : Math.ceil(columns / 8);
    for (const words of [[], ['--memory', '64KiB'], ['--lanes', '2']]) {
      await runJson(['quantize', npy, '--preset', name, '--out', out, ...words]);
      const { tensors } = await readSafetensors(out);
      // As every block format: bytes, whatever a consumer takes them for.
      expect(tensors['vectors']).toMatchObject({ dtype: 'U8', shape: [rows, bytes] });
      expect(difference(tensors['vectors']!.bytes, quantized.data)).toBe('');
      await runJson(['dequantize', out, '--out', back, ...words]);
      const file = await readFile(back);
      expect(difference(file.subarray(file.length - data.byteLength), values.data)).toBe('');
    }
  });
});

it('inspect tells the bits or the codes', async () => {
  interface Inspected {
    tensors: { saturatedShare: number; codes: object; scale: object }[];
  }
  for (const name of [...BITS, 'usearch-i8']) {
    const out = at(`inspect-${name}.safetensors`);
    await runJson(['quantize', npy, '--preset', name, '--out', out]);
    const { tensors } = await runJson<Inspected>(['inspect', out]);
    const found = tensors[0]!;
    expect(found).toMatchObject({ saturatedShare: 0, scale: { count: 0 } });
    if (name !== 'usearch-i8') expect(found.codes).toMatchObject({ min: 0, max: 1 });
    const ends = name === 'usearch-i8' ? '-127 to 127' : '0 to 1';
    expect((await run(['inspect', out])).out).toContain(` of ${ends}\n`);
  }
  const positive = await putNpy(at('positive.npy'), 'float32', [3, 3], new Float32Array(9).fill(1));
  const out = at('positive.safetensors');
  await runJson(['quantize', positive, '--preset', 'st-binary', '--out', out]);
  const { tensors } = await runJson<Inspected>(['inspect', out]);
  expect(tensors[0]!.codes).toMatchObject({ min: 1, max: 1 });
});

it('presets names the format', async () => {
  const { out } = await run(['presets']);
  for (const name of [...BITS, 'usearch-i8']) expect(out).toContain(`${preset(name).format}, which has its own`);
});
