/** Files that lie: an error in one line that names the file, no output, no crash. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { normal, problem, putNpy, putSafetensors, run, runJson, spawned, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const at = (name: string): string => join(folder, name);
const npy = await putNpy(at('good.npy'), 'float32', [2, 64], normal(128));
const out = at('never.safetensors');

/** The problem of every command that reads a file. */
async function expectRefused(path: string, text: string | RegExp): Promise<void> {
  for (const words of [
    ['quantize', path, '--preset', 'torchao-int8', '--out', out],
    ['dequantize', path, '--out', at('never.npy')],
    ['inspect', path],
    ['calibrate', path, '--preset', 'onnx-dynamic', '--method', 'minmax', '--out', at('never.json')],
    ['compare', npy, path],
    ['recommend', path, '--budget', '40dB'],
  ]) {
    const line = await problem(words, 1);
    expect(line).toContain(`ERR_QUANTLANE_FORMAT: ${path}: `);
    expect(line).toMatch(text);
  }
  expect((await readdir(folder)).filter((name) => name.startsWith('never'))).toEqual([]);
}

describe('files', () => {
  it('that are cut short', async () => {
    const bytes = await readFile(npy);
    for (const length of [0, 5, 11, 100, bytes.length - 1]) {
      const path = at('short.npy');
      await writeFile(path, bytes.subarray(0, length));
      await expectRefused(path, length < 6 ? 'Expected an npy file' : 'truncated');
    }
  });

  it('that are none, or not there', async () => {
    await expectRefused(at('missing.npy'), 'ENOENT');
    await expectRefused(folder, 'directory');
    await writeFile(at('text'), 'hello');
    await expectRefused(at('text'), 'neither');
    await writeFile(at('model.gguf'), 'GGUF');
    await expectRefused(at('model.gguf'), 'truncated');
    await writeFile(at('huge.safetensors'), Buffer.alloc(16, 0xff));
    await expectRefused(at('huge.safetensors'), 'header of at most');
  });

  it('on standard input', async () => {
    const ran = await spawned(['inspect', '-'], { input: Buffer.from('hello') });
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(/^quantlane inspect: ERR_QUANTLANE_FORMAT: stdin: [^\n]+\n$/);
    const empty = await spawned(['quantize', '-', '--preset', 'torchao-int8', '--out', out]);
    expect(empty).toMatchObject({ code: 1, out: '' });
  });
});

describe('names', () => {
  const name = 'a\u001b[31m\nb\u202e"';
  const HIDDEN = ['\u001b', '\u202e', '\nb'];

  it('do not reach the terminal as they are', async () => {
    const path = await putSafetensors(at('names.safetensors'), { [name]: ['float32', [1, 32], normal(32)] });
    const q = at('names.q.safetensors');
    const shown: string[] = [];
    const texts = [
      await run(['inspect', path], { show: (line) => shown.push(line) }),
      await run(['quantize', path, '--preset', 'torchao-int8', '--out', q]),
      await run(['inspect', q]),
      await run(['dequantize', q, '--out', at('names.npy')]),
    ];
    expect(shown.length).toBeGreaterThan(0);
    for (const character of HIDDEN) expect(shown.join()).not.toContain(character);
    for (const { code, out: text } of texts) {
      expect(code).toBe(0);
      for (const character of HIDDEN) expect(text).not.toContain(character);
    }
    const bad = await putSafetensors(at('names.safetensors'), { [name]: ['int8', [1], new Int8Array(1)] });
    const line = await problem(['quantize', bad, '--preset', 'torchao-int8', '--out', out], 1);
    for (const character of HIDDEN) expect(line).not.toContain(character);
    expect(line).toContain('got int8');
  });

  it('may be those of objects and of the notes', async () => {
    const names = ['__proto__', 'constructor', 'version', 'preset', 'x.scale.scale'];
    const tensors = Object.fromEntries(names.map((one) => [one, ['float32', [1, 32], normal(32)] as const]));
    Object.defineProperty(tensors, '__proto__', {
      value: ['float32', [1, 32], normal(32)],
      enumerable: true,
    });
    const path = await putSafetensors(at('odd.safetensors'), tensors);
    const q = at('odd.q.safetensors');
    await runJson(['quantize', path, '--preset', 'torchao-int8', '--out', q]);
    const { tensors: found } = await runJson<{ tensors: { name: string }[] }>(['dequantize', q, '--out', path]);
    expect(found.map((one) => one.name).sort()).toEqual(Object.keys(tensors).sort());
  });
});

describe('notes', () => {
  const note = { preset: 'torchao-int8', dtype: 'int8', nonFinite: 'error', shape: [2, 4], inputDtype: 'float32' };

  async function withNote(text: string, shape = [2, 4]): Promise<string> {
    return putSafetensors(
      at('notes.safetensors'),
      {
        x: ['int8', shape, new Int8Array(shape.reduce((a, b) => a * b, 1))],
        'x.scale': ['float32', [2, 1], Float32Array.of(Number.NaN, -1)],
      },
      { 'quantlane.tensor.x': text },
    );
  }

  it.each([
    'nope',
    'null',
    '[]',
    '"x"',
    JSON.stringify({}),
    JSON.stringify({ ...note, preset: 'nope' }),
    JSON.stringify({ ...note, preset: 'constructor' }),
    JSON.stringify({ ...note, preset: 'ggml-q8_0' }),
    JSON.stringify({ ...note, preset: 'onnx-dynamic', dtype: 'uint8' }),
    JSON.stringify({ ...note, dtype: 'int16' }),
    JSON.stringify({ ...note, nonFinite: 'nope' }),
    JSON.stringify({ ...note, inputDtype: 'int8' }),
    JSON.stringify({ ...note, axis: 0 }),
    JSON.stringify({ ...note, axis: 1e300 }),
    JSON.stringify({ ...note, blockSize: 2 }),
    JSON.stringify({ ...note, shape: 8 }),
    JSON.stringify({ ...note, shape: [8] }),
    JSON.stringify({ ...note, shape: [2, -4] }),
    JSON.stringify({ ...note, shape: [0, 4] }),
    JSON.stringify({ ...note, shape: ['2', '4'] }),
    JSON.stringify({ ...note, shape: [2 ** 40, 2 ** 40] }),
    JSON.stringify({ ...note, shape: [] }),
  ])('%s', async (text) => {
    const path = await withNote(text);
    for (const words of [
      ['dequantize', path, '--out', at('never.npy')],
      ['inspect', path],
    ]) {
      const line = await problem(words, 1);
      expect(line).toContain(`ERR_QUANTLANE_FORMAT: ${path}: tensor "x": `);
    }
  });

  it('that are right with scales that are not', async () => {
    const path = await withNote(JSON.stringify(note));
    await runJson(['dequantize', path, '--out', at('odd.npy')]);
    const { tensors } = await runJson<{ tensors: { scale: object }[] }>(['inspect', path]);
    expect(tensors[0]!.scale).toEqual({ count: 2, nonFinite: 1, min: -1, max: -1 });
  });

  it('of a tensor that is not there', async () => {
    const path = await putSafetensors(at('gone.safetensors'), {}, { 'quantlane.tensor.x': JSON.stringify(note) });
    expect(await problem(['inspect', path], 1)).toContain('got none');
  });
});
