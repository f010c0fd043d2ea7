/** `npm start`: what it prints and writes, on its own file and on the user's, and how it fails. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createNpy, createSafetensors, openTensors, type TensorDeclaration } from '#src/formats/index.js';
import { PRESETS, preset } from '#src/index.js';
import { readJson, start, temporaryFolder } from './run.js';

const folder = await temporaryFolder();
const names = PRESETS.map(({ name }) => name);
const DATA = fileURLToPath(new URL('../../examples/activations.safetensors', import.meta.url));

/** A safetensors file of float32 tensors with these values. */
async function floats(name: string, tensors: Record<string, { shape: number[]; values: (index: number) => number }>) {
  const path = join(folder, name);
  const declared: TensorDeclaration[] = Object.entries(tensors).map(([tensor, { shape }]) => ({
    name: tensor,
    dtype: 'float32',
    shape,
  }));
  const writer = await createSafetensors(path, declared);
  for (const [tensor, { shape, values }] of Object.entries(tensors)) {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length: count }, (_, index) => values(index));
    await writer.write(tensor, 0, new Uint8Array(data.buffer));
  }
  await writer.close();
  return path;
}

/** Formats whose rows end anywhere, and those that keep only the direction of a row. */
const BITS = /^bits-/;
const UNSCALED = /^(st-u?binary|usearch-(b1|i8)|pgvector-binary|qdrant-binary)$/;

/** Whether a preset takes tokens of these lengths: no channels, and whole blocks where they have a layout of their own. */
function takes(name: string, columns: readonly number[]): boolean {
  const { layout, granularity, format } = preset(name);
  if (granularity.kind === 'perChannel') return false;
  if (layout === 'planar' || granularity.kind !== 'perBlock') return true;
  return BITS.test(format ?? '') || columns.every((each) => each % granularity.size === 0);
}

const namesIn = (list: readonly { preset: string }[]): string[] => list.map((each) => each.preset);

const wave = (index: number): number => Math.sin(index) * (1 + (index % 7));

describe('on its own file', async () => {
  const json = join(folder, 'new', 'own.json');
  const outcome = await start('--json', json);
  const found = await readJson(json);
  await using file = await openTensors(DATA);
  const tokens = file.tensors.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const elements = file.tensors.reduce((sum, { byteLength }) => sum + byteLength / 4, 0);

  it('ends well, and quietly where no terminal is', () => {
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).not.toContain('\x1b');
  });

  it('prints a line for every preset, in 80 columns', () => {
    const lines = outcome.stdout.replace(json, '').split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const first = lines.map((line) => line.split(' ')[0]!);
    expect(names.filter((name) => !first.includes(name))).toEqual([]);
    expect(outcome.stdout).toContain(json);
  });

  it('writes every preset with all tokens and elements of the file', () => {
    const columns = found.tensors.map((each: { columns: number }) => each.columns);
    expect(namesIn(found.presets)).toEqual(names.filter((name) => takes(name, columns)));
    expect(namesIn(found.skipped)).toEqual(names.filter((name) => !takes(name, columns)));
    expect(found.tensors).toHaveLength(file.tensors.length);
    for (const totals of found.presets) {
      expect(totals).toMatchObject({ tokens, elements, bytesIn: elements * 4, copiedBytes: 0 });
      expect(totals.bytesOut).toBeGreaterThanOrEqual(elements / 8);
      expect(totals.bytesOut).toBeLessThanOrEqual(elements * 2);
      expect(totals.elementsPerSecond).toBeCloseTo(elements / totals.seconds);
    }
  });

  it('finds codes that are close to the values', () => {
    for (const { preset: name, bytesOut, sqnr, maxError, saturated } of found.presets) {
      // Four bits a value, eight (of which floats keep three or two behind the point), or sixteen; or one, which keeps no
      // length.
      const bits = (8 * bytesOut) / elements;
      if (!UNSCALED.test(name)) {
        expect(sqnr, name).toBeGreaterThan(bits < 8 ? 15 : 24);
        expect(sqnr, name).toBeLessThan(bits < 16 ? 60 : 90);
      }
      expect(maxError).toBeGreaterThan(0);
      expect(saturated / elements).toBeLessThan(0.01);
    }
  });

  it('finds the same with any lanes', async () => {
    const other = join(folder, 'lanes.json');
    expect(await start('--json', other, '--lanes', '0', '--memory', '1MiB')).toMatchObject({ code: 0, stderr: '' });
    const { lanes, presets } = await readJson(other);
    expect(lanes).toBe(0);
    const exact = (totals: object) => ({ ...totals, seconds: 0, elementsPerSecond: 0 });
    expect(presets.map(exact)).toEqual(found.presets.map(exact));
  });
});

describe('on a file of the user', () => {
  it('takes .npy and one preset', async () => {
    const path = join(folder, 'mine.npy');
    const data = Float32Array.from({ length: 6 * 5 * 32 }, (_, index) => wave(index));
    const writer = await createNpy(path, { dtype: 'float32', shape: [6, 5, 32] });
    await writer.write('mine', 0, new Uint8Array(data.buffer));
    await writer.close();
    const json = join(folder, 'mine.json');
    const { code, stdout } = await start(path, '--preset', 'ggml-q8_0', '--json', json);
    expect(code).toBe(0);
    expect(stdout).toContain('ggml-q8_0');
    expect(stdout).not.toContain('torchao-int8');
    const { file, presets } = await readJson(json);
    expect(file).toBe('mine.npy');
    expect(presets).toMatchObject([{ preset: 'ggml-q8_0', tokens: 30, elements: 960, bytesOut: 30 * 34 }]);
  });

  it('leaves presets out whose blocks the rows do not fill, and says why', async () => {
    const path = await floats('ragged.safetensors', {
      whole: { shape: [4, 64], values: wave },
      ragged: { shape: [3, 100], values: wave },
      scalar: { shape: [], values: () => 1.5 },
      empty: { shape: [0, 8], values: wave },
    });
    const json = join(folder, 'ragged.json');
    const { code, stdout } = await start(path, '--json', json);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ggml-q8_0 is left out: its rows are multiples of 32, those of\s+'ragged' have 100/);
    const { presets, skipped, tensors } = await readJson(json);
    expect(namesIn(skipped)).toContain('ggml-q8_0');
    expect(namesIn(skipped)).toEqual(names.filter((name) => !takes(name, [64, 100, 1])));
    expect(namesIn(presets)).toEqual(names.filter((name) => takes(name, [64, 100, 1])));
    expect(presets[0]).toMatchObject({ tokens: 8, elements: 557 });
    expect(tensors).toHaveLength(3);
    const alone = await start(path, '--preset', 'ggml-q8_0', '--json', json);
    expect(alone).toMatchObject({ code: 1, stdout: '' });
    expect(alone.stderr).toMatch(/^activations: .*ggml-q8_0.*\(ERR_QUANTLANE_SHAPE\)\n$/);
  });

  it('takes the other float types, zeros, and values without error', async () => {
    const path = join(folder, 'half.safetensors');
    const writer = await createSafetensors(path, [
      { name: 'half', dtype: 'float16', shape: [2, 32] },
      { name: 'brain', dtype: 'bfloat16', shape: [3, 32] },
      { name: 'ids', dtype: 'int32', shape: [4] },
    ]);
    await writer.write('half', 0, new Uint8Array(128));
    await writer.write('brain', 0, new Uint8Array(192));
    await writer.write('ids', 0, new Uint8Array(16));
    await writer.close();
    const json = join(folder, 'half.json');
    const { code, stdout } = await start(path, '--json', json);
    expect(code).toBe(0);
    expect(stdout).toContain('exact');
    const { presets } = await readJson(json);
    expect(namesIn(presets)).toEqual(names.filter((name) => takes(name, [32])));
    for (const totals of presets) expect(totals).toMatchObject({ tokens: 5, elements: 160, bytesIn: 320, sqnr: null });
  });

  it('takes a file that is larger than its memory', async () => {
    const path = await floats('large.safetensors', { x: { shape: [4096, 256], values: wave } });
    const json = join(folder, 'large.json');
    const { code } = await start(path, '--memory', '256KiB', '--preset', 'onnx-static', '--json', json);
    expect(code).toBe(0);
    expect((await readJson(json)).presets).toMatchObject([{ tokens: 4096, elements: 2 ** 20, copiedBytes: 0 }]);
  });

  it('calibrates onnx-static on the smallest and the largest value of a tensor', async () => {
    // 0 … 255 have the scale 1 and are exact; −1 would saturate with the range of the other tensor.
    const path = await floats('exact.safetensors', {
      up: { shape: [4, 64], values: (index) => index },
      down: { shape: [4, 64], values: (index) => -index },
    });
    const json = join(folder, 'exact.json');
    expect(await start(path, '--preset', 'onnx-static', '--json', json)).toMatchObject({ code: 0 });
    expect((await readJson(json)).presets).toMatchObject([{ sqnr: null, maxError: 0, saturated: 0 }]);
  });
});

describe('failing', async () => {
  const junk = join(folder, 'junk.npy');
  await writeFile(junk, 'junk');
  const nan = await floats('nan.safetensors', {
    good: { shape: [4, 32], values: wave },
    bad: { shape: [4, 32], values: (index) => (index === 70 ? Number.NaN : 1) },
  });
  const integers = join(folder, 'integers.npy');
  const writer = await createNpy(integers, { dtype: 'int8', shape: [4] });
  await writer.write('integers', 0, new Uint8Array(4));
  await writer.close();

  it.each([
    ['an unknown preset', ['--preset', 'no-such'], "got 'no-such'"],
    ['no preset', ['--preset'], 'argument missing'],
    ['lanes that are no number', ['--lanes', 'two'], "got 'two'"],
    ['too many lanes', ['--lanes', '1000'], 'got 1000'],
    ['memory that is no size', ['--memory', 'much'], "got 'much'"],
    ['an unknown option', ['--speed', '3'], "Unknown option '--speed'"],
    ['two files', ['a.npy', 'b.npy'], 'Expected one file, got 2'],
  ])('takes %s for wrong usage: exit 2 and one line', async (_what, args, text) => {
    const { code, stdout, stderr } = await start(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^activations: [^\n]+\n$/);
    expect(stderr).toContain(text);
  });

  it.each([
    ['a file that is not there', [join(folder, 'none.npy')], 'ERR_QUANTLANE_FORMAT'],
    ['a file of another format', [junk], 'ERR_QUANTLANE_FORMAT'],
    ['a folder', [folder], 'ERR_QUANTLANE_FORMAT'],
    ['a file without floats', [integers], 'ERR_QUANTLANE_DTYPE'],
    ['values that are not finite', [nan], 'ERR_QUANTLANE_NON_FINITE'],
    ['values that are not finite, calibrated', [nan, '--preset', 'onnx-static'], 'ERR_QUANTLANE_NON_FINITE'],
    ['too little memory', ['--memory', '1KiB'], 'ERR_QUANTLANE_ARENA_TOO_SMALL'],
  ])('says in one line with a code what is wrong with %s: exit 1', async (_what, args, code) => {
    const outcome = await start(...args, '--json', join(folder, 'failed.json'));
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/^activations: [^\n]+\n$/);
    expect(outcome.stderr).toContain(`(${code})\n`);
  });

  it('names the tensor and the token', async () => {
    const { stderr } = await start(nan, '--preset', 'torchao-int8');
    expect(stderr).toContain("tensor 'bad', token 2: ");
    expect(stderr).toContain('the first at 6');
  });

  it('fails where the results cannot be written', async () => {
    const { code, stderr } = await start('--preset', 'torchao-int8', '--json', join(junk, 'results.json'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^activations: results: [^\n]+ \(ENOTDIR\)\n$/);
  });

  it('explains itself', async () => {
    const { code, stdout, stderr } = await start('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const option of ['--preset', '--lanes', '--memory', '--json']) expect(stdout).toContain(option);
  });
});
