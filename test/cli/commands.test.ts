/** What the commands write and say. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PRESETS, preset } from '#src/index.js';
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
  spawned,
  temporaryFolder,
} from './helpers.js';

const folder = await temporaryFolder();
const at = (name: string): string => join(folder, name);
const data = normal(6 * 64);
const npy = await putNpy(at('acts.npy'), 'float32', [6, 64], data);

/** float16 and bfloat16 bits of -2, -1, 1, 2, 0, 0.5, and so on. */
const HALVES = Uint16Array.of(0xc000, 0xbc00, 0x3c00, 0x4000, 0, 0x3800, 0x4200, 0xc200);
const BRAINS = Uint16Array.of(0xc000, 0xbf80, 0x3f80, 0x4000, 0, 0x3f00, 0x4040, 0xc040);
const many = await putSafetensors(at('many.safetensors'), {
  'b.half': ['float16', [2, 4], HALVES],
  'a.brain': ['bfloat16', [2, 4], BRAINS],
  single: ['float32', [3, 2, 64], data],
});

interface Quantized {
  tensors: Record<string, unknown>[];
  total: Record<string, number>;
}

describe('quantize', () => {
  it('writes codes, scales, zero points and notes', async () => {
    const out = at('one.safetensors');
    const result = await runJson<Quantized>(['quantize', npy, '--preset', 'xnnpack-qd8', '--out', out]);
    const { tensors, metadata } = await readSafetensors(out);
    expect(Object.keys(tensors)).toEqual(['acts', 'acts.scale', 'acts.zero_point']);
    const seen = Object.values(tensors).map(({ dtype, shape }) => [dtype, shape]);
    expect(seen).toEqual([
      ['I8', [6, 64]],
      ['F32', [6, 1]],
      ['I8', [6, 1]],
    ]);
    expect(Object.keys(metadata)).toEqual(['quantlane.version', 'quantlane.preset', 'quantlane.tensor.acts']);
    expect(metadata['quantlane.preset']).toBe('xnnpack-qd8');
    expect(JSON.parse(metadata['quantlane.tensor.acts']!)).toEqual({
      preset: 'xnnpack-qd8',
      dtype: 'int8',
      nonFinite: 'error',
      shape: [6, 64],
      inputDtype: 'float32',
    });
    await withRuntime({}, async (runtime) => {
      const whole = { dtype: 'float32', shape: [6, 64], data } as const;
      using expected = await runtime.quantize(whole, 'xnnpack-qd8', { stats: true });
      expect(difference(tensors['acts']!.bytes, expected.data)).toBe('');
      expect(difference(tensors['acts.scale']!.bytes, expected.scale!)).toBe('');
      expect(difference(tensors['acts.zero_point']!.bytes, expected.zeroPoint!)).toBe('');
      const { maxError, saturated, sqnr } = expected.stats!;
      const facts = { name: 'acts', file: npy, preset: 'xnnpack-qd8', elements: 384, bytesIn: 1536, bytesOut: 414 };
      expect(result.tensors[0]).toMatchObject({ ...facts, shape: [6, 64], maxError, saturated });
      expect(result.tensors[0]!['sqnr']).toBeCloseTo(sqnr, 8);
      expect(result.total).toMatchObject({ elements: 384, bytesIn: 1536, bytesOut: 414, saturated });
    });
  });

  it('takes several files and types, and keeps their names', async () => {
    const out = at('several.safetensors');
    const words = ['quantize', npy, many, '--preset', 'torchao-int8', '--out', out];
    const { code, out: text } = await run(words);
    expect(code).toBe(0);
    const lines = text.trimEnd().split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.slice(3).map((line) => line.split(' ')[0])).toEqual(['acts', 'b.half', 'a.brain', 'single', 'total']);
    const { tensors } = await readSafetensors(out);
    expect(tensors['b.half']).toMatchObject({ dtype: 'I8', shape: [2, 4] });
    // The same values, and so the same bytes.
    expect(difference(tensors['b.half']!.bytes, tensors['a.brain']!.bytes)).toBe('');
    expect(difference(tensors['single']!.bytes, tensors['acts']!.bytes)).toBe('');
    expect(tensors['single.scale']).toMatchObject({ dtype: 'F32', shape: [3, 2, 1] });
  });

  it('gives the same bytes on any lanes, kernels and memory', async () => {
    const files: Buffer[] = [];
    for (const words of [
      ['--lanes', '0'],
      ['--lanes', '3'],
      ['--kernels', 'scalar'],
      ['--memory', '16KiB'],
    ]) {
      const out = at(`same-${files.length}.safetensors`);
      await runJson(['quantize', many, '--preset', 'onnx-dynamic', '--out', out, ...words]);
      files.push(await readFile(out));
    }
    for (const file of files) expect(file.equals(files[0]!)).toBe(true);
  });

  it('reads standard input', async () => {
    for (const [input, name] of [
      [npy, 'stdin'],
      [many, 'single'],
    ] as const) {
      const out = at('stdin.safetensors');
      const words = ['quantize', '-', '--preset', 'ggml-q8_0', '--out', out, '--json'];
      const only = input === npy ? words : words.map((word) => (word === 'ggml-q8_0' ? 'torchao-int8' : word));
      const ran = await spawned(only, { input: await readFile(input) });
      expect(ran).toMatchObject({ code: 0, err: '' });
      expect(JSON.parse(ran.out).tensors.at(-1)).toMatchObject({ name, file: 'stdin' });
      expect(Object.keys((await readSafetensors(out)).tensors)).toContain(name);
    }
  });

  it('may replace its input', async () => {
    const path = await putSafetensors(at('own.safetensors'), { x: ['float32', [2, 32], data.slice(0, 64)] });
    await runJson(['quantize', path, '--preset', 'torchao-int8', '--out', path]);
    expect((await readSafetensors(path)).tensors['x']).toMatchObject({ dtype: 'I8' });
  });

  it('does not read what it wrote as values', async () => {
    const out = at('one.safetensors');
    const line = await problem(['quantize', out, '--preset', 'torchao-int8', '--out', at('no.safetensors')], 1);
    expect(line).toContain(
      `ERR_QUANTLANE_DTYPE: ${out}: tensor "acts": Expected float32, float16 or bfloat16, got int8`,
    );
  });
});

describe('a failure', () => {
  const out = at('none.safetensors');
  const quantize = (input: string, ...words: string[]): string[] => ['quantize', input, '--out', out, ...words];

  it('names the file, the tensor and the place of a NaN, and leaves no file', async () => {
    const bad = normal(64 * 1024);
    bad[40_000] = Number.NaN;
    bad[50_000] = Number.POSITIVE_INFINITY;
    const path = await putNpy(at('bad.npy'), 'float32', [64, 1024], bad);
    const text = 'tensor "bad": Expected finite values, got 2 NaN or infinite, the first at 40000, [39, 64]';
    for (const name of ['torchao-int8', 'onnx-dynamic', 'ggml-q8_0']) {
      for (const memory of ['64KiB', '16MiB']) {
        const line = await problem(quantize(path, '--preset', name, '--memory', memory), 1);
        expect(line).toBe(`quantlane quantize: ERR_QUANTLANE_NON_FINITE: ${path}: ${text}`);
      }
      for (const policy of ['saturate', 'propagate']) {
        await runJson([
          'quantize',
          path,
          '--preset',
          name,
          '--non-finite',
          policy,
          '--out',
          at(`${policy}.safetensors`),
        ]);
      }
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('none'))).toEqual([]);
  });

  it('names types, shapes and counts that do not fit', async () => {
    const ints = await putSafetensors(at('ints.safetensors'), { ids: ['int64', [2], new BigInt64Array(2)] });
    expect(await problem(quantize(ints, '--preset', 'torchao-int8'), 1)).toContain('tensor "ids": Expected float32');
    const odd = await putNpy(at('odd.npy'), 'float32', [2, 33], normal(66));
    expect(await problem(quantize(odd, '--preset', 'ggml-q8_0'), 1)).toContain('ERR_QUANTLANE_SHAPE');
    const empty = await putNpy(at('empty.npy'), 'float32', [0, 4], new Float32Array());
    expect(await problem(quantize(empty, '--preset', 'torchao-int8'), 1)).toContain('ERR_QUANTLANE_SHAPE');
    const scale = await putNpy(at('scale.npy'), 'float32', [5], new Float32Array(5).fill(1));
    const zero = await putNpy(at('zero.npy'), 'uint8', [5], new Uint8Array(5));
    const given = ['--preset', 'onnx-static', '--scale', scale, '--zero-point', zero];
    expect(await problem(quantize(npy, ...given), 1)).toContain(
      `ERR_QUANTLANE_PARAMETERS: ${npy}: tensor "acts": Expected 64 scales, got 5 in ${scale}`,
    );
    expect(await problem(quantize(npy, ...given, '--axis', '7'), 1)).toContain('ERR_QUANTLANE_SHAPE');
    const swapped = ['--preset', 'onnx-static', '--scale', zero, '--zero-point', scale];
    expect(await problem(quantize(npy, ...swapped), 1)).toContain(`ERR_QUANTLANE_DTYPE: ${zero}: Expected float32`);
    const nothing = await putNpy(at('nothing.npy'), 'float32', [], Float32Array.of(0));
    expect(
      await problem(quantize(npy, '--preset', 'onnx-static', '--scale', nothing, '--zero-point', zero), 1),
    ).toContain('Expected positive finite scales, got 0 at 0');
  });

  it('names two tensors of one name', async () => {
    const other = await putSafetensors(at('other.safetensors'), {
      'acts.scale': ['float32', [1, 4], data.slice(0, 4)],
    });
    const line = await problem(quantize(npy, other, '--preset', 'torchao-int8'), 1);
    expect(line).toContain(`got "acts.scale" from ${npy}: tensor "acts" and ${other}: tensor "acts.scale"`);
    expect(await problem(quantize(npy, npy, '--preset', 'torchao-int8'), 1)).toContain('Expected names that differ');
  });

  it('says which memory would do', async () => {
    const line = await problem(quantize(npy, '--preset', 'ggml-q8_0', '--memory', '1KiB'), 1);
    expect(line).toContain('ERR_QUANTLANE_ARENA_TOO_SMALL');
    const [, size] = /--memory (\w+) would do$/.exec(line)!;
    await runJson(['quantize', npy, '--preset', 'ggml-q8_0', '--memory', size!, '--out', at('small.safetensors')]);
  });

  it('says that a folder is not there', async () => {
    const words = ['quantize', npy, '--preset', 'torchao-int8', '--out', at('none/none.safetensors')];
    expect(await problem(words, 1)).toContain('ENOENT');
  });
});

describe('dequantize', () => {
  it('gives what the library gives', async () => {
    const out = at('q.safetensors');
    for (const name of ['onnx-dynamic', 'torchao-int8', 'vllm-int8-per-token', 'xnnpack-qd8', 'ggml-q8_0']) {
      await runJson(['quantize', npy, '--preset', name, '--out', out]);
      const back = at('back.npy');
      const result = await runJson<Quantized>(['dequantize', out, '--out', back]);
      expect(result.tensors[0]).toMatchObject({ name: 'acts', preset: name, elements: 384, bytesOut: 1536 });
      await withRuntime({}, async (runtime) => {
        using quantized = await runtime.quantize({ dtype: 'float32', shape: [6, 64], data }, name);
        using expected = await runtime.dequantize(quantized);
        const bytes = await readFile(back);
        expect(difference(bytes.subarray(bytes.length - 1536), expected.data), name).toBe('');
      });
    }
  });

  it('takes one of several tensors, or all', async () => {
    const out = at('all.safetensors');
    await runJson(['quantize', many, '--preset', 'torchao-int8', '--out', out]);
    const line = await problem(['dequantize', out, '--out', at('x.npy')], 2);
    expect(line).toContain('Expected --tensor NAME, or a .safetensors file for --out, got 3 tensors: "b.half"');
    expect(await problem(['dequantize', out, '--out', at('x.npy'), '--tensor', 'nope'], 2)).toContain('got "nope"');
    await runJson(['dequantize', out, '--out', at('x.npy'), '--tensor', 'single']);
    const back = at('all-back.safetensors');
    await runJson(['dequantize', out, '--out', back, '--memory', '24KiB']);
    const { tensors } = await readSafetensors(back);
    expect(Object.entries(tensors).map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['b.half', 'F32', [2, 4]],
      ['a.brain', 'F32', [2, 4]],
      ['single', 'F32', [3, 2, 64]],
    ]);
    const bytes = await readFile(at('x.npy'));
    expect(difference(bytes.subarray(bytes.length - 1536), tensors['single']!.bytes)).toBe('');
  });

  it('wants a file that quantize wrote', async () => {
    expect(await problem(['dequantize', many, '--out', at('x.npy')], 1)).toContain("that 'quantlane quantize' wrote");
  });
});

describe('inspect', () => {
  it('tells the values of every type', async () => {
    const values = Float32Array.of(-3, Number.NaN, 1, Number.POSITIVE_INFINITY, 2, 4, Number.NEGATIVE_INFINITY, 1);
    const path = await putSafetensors(at('types.safetensors'), {
      f: ['float32', [2, 4], values],
      d: ['float64', [2], Float64Array.of(-1e300, 1e300)],
      h: ['float16', [2, 4], HALVES],
      l: ['int64', [2], BigInt64Array.of(-5n, 7n)],
      u: ['uint16', [3], Uint16Array.of(1, 2, 65535)],
      n: ['float32', [1], Float32Array.of(Number.NaN)],
      e: ['float32', [0], new Float32Array()],
    });
    const { tensors } = await runJson<Quantized>(['inspect', path]);
    const [f, d, h, l, u, n, e] = tensors;
    expect(f).toMatchObject({ name: 'f', min: -3, max: 4, amax: 4, mean: 1, nan: 1, infinite: 2 });
    expect(f!['std']).toBeCloseTo(Math.sqrt(26 / 5), 12);
    expect(f!['histogram']).toMatchObject({ min: -3, max: 4 });
    expect(d).toMatchObject({ min: -1e300, max: 1e300, mean: 0 });
    expect((d!['histogram'] as { counts: number[] }).counts).toEqual([1, ...new Array(14).fill(0), 1]);
    expect(h).toMatchObject({ min: -3, max: 3, amax: 3, nan: 0 });
    expect(l).toMatchObject({ min: -5, max: 7, mean: 1, elements: 2 });
    expect(l).not.toHaveProperty('histogram');
    expect(u).toMatchObject({ min: 1, max: 65535 });
    expect(n).toMatchObject({ min: null, max: null, mean: null, nan: 1 });
    expect(e).toMatchObject({ elements: 0, min: null });
    const { out } = await run(['inspect', path]);
    expect(out.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
    expect(out).toContain('f: float32 [2, 4], 8 elements\n  -3 to 4, amax 4, mean 1, std 2.28, NaN 1, infinite 2\n');
    expect(out).toContain('no finite value');
  });

  it('draws a histogram', async () => {
    const path = await putNpy(
      at('ramp.npy'),
      'float32',
      [16],
      Float32Array.from({ length: 16 }, (_, i) => i),
    );
    const lines = (await run(['inspect', path])).out.trimEnd().split('\n').slice(4);
    expect(lines.length).toBe(16);
    expect(lines.every((line) => / \| #+ 1$/.test(line) && line.length <= 80)).toBe(true);
    const constant = await putNpy(at('constant.npy'), 'float32', [5], new Float32Array(5).fill(2));
    expect((await run(['inspect', constant])).out).toContain('2 | ####');
  });

  it('tells scales and codes of what quantize wrote', async () => {
    for (const name of ['onnx-dynamic', 'ggml-q8_0']) {
      const out = at(`inspect-${name}.safetensors`);
      await runJson(['quantize', npy, '--preset', name, '--out', out]);
      const { tensors } = await runJson<Quantized>(['inspect', out]);
      expect(tensors.length).toBe(1);
      await withRuntime({}, async (runtime) => {
        using q = await runtime.quantize({ dtype: 'float32', shape: [6, 64], data }, name);
        const bytes = bytesOf(q.data);
        const isCode = (_: number, index: number) => q.scale !== null || index % 34 >= 2;
        const codes = [...(q.scale === null ? new Int8Array(bytes) : q.data)].filter(isCode);
        const [lo, hi] = q.scheme.codes;
        const share = codes.filter((code) => code === lo || code === hi).length / codes.length;
        expect(tensors[0]).toMatchObject({
          name: 'acts',
          preset: name,
          shape: [6, 64],
          codes: { min: Math.min(...codes), max: Math.max(...codes) },
          saturatedShare: share,
          scale: { count: q.scale?.length ?? 12, nonFinite: 0 },
          zeroPoint: q.zeroPoint === null ? null : { min: q.zeroPoint[0], max: q.zeroPoint[0] },
        });
        if (q.scale !== null) expect(tensors[0]!['scale']).toMatchObject({ min: q.scale[0], max: q.scale[0] });
      });
      const text = (await run(['inspect', out])).out;
      expect(text).toContain(`acts: ${name}`);
      expect(text).toContain('% of the codes are at an end');
    }
  });
});

it('lists every preset with every axis', async () => {
  const { presets } = await runJson<{ presets: Record<string, unknown>[] }>(['presets']);
  expect(presets.map(({ name, source, consumer }) => ({ name, source, consumer }))).toEqual(
    PRESETS.map(({ name, source, consumer }) => ({ name, source, consumer })),
  );
  for (const row of presets) expect(row['scheme']).toEqual({ ...preset(row['name'] as string) });
  const { out } = await run(['presets']);
  for (const { name } of PRESETS) expect(out).toMatch(new RegExp(`^${name}$`, 'm'));
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
});
