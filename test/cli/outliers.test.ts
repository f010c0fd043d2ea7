/** `bnb-int8` on the command line: outliers are those of the whole tensor, kept apart in the file and put back. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { preset } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import {
  bytesOf,
  normal,
  problem,
  putNpy,
  putSafetensors,
  readSafetensors,
  run,
  runJson,
  temporaryFolder,
} from './helpers.js';

const folder = await temporaryFolder();
const at = (name: string): string => join(folder, name);

/** Outliers in column 70 of the last row alone, and in column 5 of many. */
const ROWS = 600;
const COLUMNS = 128;
const data = normal(ROWS * COLUMNS, 3);
for (let row = 0; row < ROWS; row += 2) data[row * COLUMNS + 5] = 40 + row;
data[(ROWS - 1) * COLUMNS + 70] = -9;
const acts = await putNpy(at('acts.npy'), 'float32', [ROWS, COLUMNS], data);

it.each([
  ['16MiB', '0'],
  ['128KiB', '1'],
])('writes codes, absmax, outlier columns and their values, in %s', async (memory, lanes) => {
  const out = at(`cut-${memory}.safetensors`);
  const words = ['quantize', acts, '--preset', 'bnb-int8', '--out', out, '--memory', memory, '--lanes', lanes];
  const { tensors: rows } = await runJson<{ tensors: Record<string, unknown>[] }>(words);
  const { tensors, metadata } = await readSafetensors(out);
  const seen = Object.entries(tensors).map(([name, { dtype, shape }]) => [name, dtype, shape]);
  expect(seen).toEqual([
    ['acts', 'I8', [ROWS, COLUMNS]],
    ['acts.scale', 'F32', [ROWS, 1]],
    ['acts.outliers', 'I32', [2]],
    ['acts.outlier_values', 'F32', [ROWS, 2]],
  ]);
  expect(JSON.parse(metadata['quantlane.tensor.acts']!)).not.toHaveProperty('threshold');
  await withRuntime({}, async (runtime) => {
    const tensor = { dtype: 'float32', shape: [ROWS, COLUMNS], data } as const;
    using expected = await runtime.quantize(tensor, 'bnb-int8', { stats: true });
    expect([...expected.outliers!]).toEqual([5, 70]);
    expect(difference(tensors['acts']!.bytes, expected.data)).toBe('');
    expect(difference(tensors['acts.scale']!.bytes, expected.scale!)).toBe('');
    expect(difference(tensors['acts.outliers']!.bytes, expected.outliers!)).toBe('');
    expect(difference(tensors['acts.outlier_values']!.bytes, expected.outlierValues!)).toBe('');
    expect(rows[0]).toMatchObject({ maxError: expected.stats!.maxError, bytesOut: expected.byteLength });

    const back = at('back.npy');
    expect((await run(['dequantize', out, '--out', back, '--memory', memory, '--lanes', lanes])).err).toBe('');
    using values = await runtime.dequantize(expected);
    const file = await readFile(back);
    expect(Buffer.compare(file.subarray(file.length - values.byteLength), bytesOf(values.data))).toBe(0);
  });
});

it('takes a threshold, and writes it down', async () => {
  const out = at('threshold.safetensors');
  await run(['quantize', acts, '--preset', 'bnb-int8', '--threshold', '8.5', '--out', out]);
  const { tensors, metadata } = await readSafetensors(out);
  expect(tensors['acts.outliers']!.shape).toEqual([2]);
  expect(JSON.parse(metadata['quantlane.tensor.acts']!)).toMatchObject({ preset: 'bnb-int8', threshold: 8.5 });
  expect((await run(['dequantize', out, '--out', at('threshold.npy')])).code).toBe(0);

  const none = at('none.safetensors');
  await run(['quantize', acts, '--preset', 'bnb-int8', '--threshold', '0', '--out', none]);
  const whole = await readSafetensors(none);
  expect(whole.tensors['acts.outliers']!.shape).toEqual([0]);
  expect(whole.tensors['acts.outlier_values']!.shape).toEqual([ROWS, 0]);
  await withRuntime({}, async (runtime) => {
    const tensor = { dtype: 'float32', shape: [ROWS, COLUMNS], data } as const;
    using expected = await runtime.quantize(tensor, preset('bnb-int8', { threshold: 0 }));
    expect(difference(whole.tensors['acts']!.bytes, expected.data)).toBe('');
  });
  expect((await run(['dequantize', none, '--out', at('none.npy')])).err).toBe('');
});

it('is inspected as one tensor', async () => {
  const out = at('inspected.safetensors');
  await run(['quantize', acts, '--preset', 'bnb-int8', '--out', out]);
  const { tensors } = await runJson<{ tensors: Record<string, unknown>[] }>(['inspect', out]);
  expect(tensors).toHaveLength(1);
  expect(tensors[0]).toMatchObject({ name: 'acts', preset: 'bnb-int8', outliers: 2 });
  expect((await run(['inspect', out])).out).toContain('outliers: 2 of 128 columns kept apart');
  expect((await run(['presets'])).out).toContain('from 6 on, kept apart; takes --threshold');
});

it('refuses what does not go together', async () => {
  const quantize = ['quantize', acts, '--out', at('refused.safetensors'), '--preset'];
  expect(await problem([...quantize, 'torchao-int8', '--threshold', '6'], 2)).toContain('does not take threshold');
  for (const text of ['-1', 'many', '', 'Infinity', '1e39']) {
    expect(await problem([...quantize, 'bnb-int8', `--threshold=${text}`], 2)).toContain('threshold');
  }
  const wide = await putNpy(at('wide.npy'), 'float32', [2, 20_000], normal(40_000));
  const words = ['quantize', wide, '--preset', 'bnb-int8', '--out', at('wide.safetensors'), '--memory', '64KiB'];
  expect(await problem(words, 1)).toContain('--memory');
  const twice = await putSafetensors(at('twice.safetensors'), {
    x: ['float32', [1, 2], new Float32Array(2)],
    'x.outliers': ['float32', [1, 2], new Float32Array(2)],
  });
  expect(await problem(['quantize', twice, '--preset', 'bnb-int8', '--out', at('t.safetensors')], 1)).toContain(
    'differ',
  );
});

it('refuses a file whose columns are none', async () => {
  const note = { preset: 'bnb-int8', dtype: 'int8', nonFinite: 'error', shape: [1, 4], inputDtype: 'float32' };
  const put = (columns: Int32Array) =>
    putSafetensors(
      at('hostile.safetensors'),
      {
        x: ['int8', [1, 4], new Int8Array(4)],
        'x.scale': ['float32', [1, 1], new Float32Array(1)],
        'x.outliers': ['int32', [columns.length], columns],
        'x.outlier_values': ['float32', [1, 2], new Float32Array(2)],
      },
      { 'quantlane.tensor.x': JSON.stringify(note) },
    );
  const back = ['dequantize', at('hostile.safetensors'), '--out', at('hostile.npy')];
  await put(Int32Array.of(3, 1));
  expect(await problem(back, 1)).toContain('ascending columns below 4');
  await put(Int32Array.of(0, 1_000_000));
  expect(await problem(back, 1)).toContain('ascending columns below 4');
  await put(Int32Array.of(0));
  expect(await problem(back, 1)).toContain('float32 [1, 1] as "x.outlier_values"');
});
