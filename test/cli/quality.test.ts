/** What `inspect --preset` tells of the quality of a preset. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unpacked } from '#src/cli/block-parts.js';
import { createGguf, createNpz } from '#src/formats/index.js';
import { Comparison, channelLayout, PRESETS, preset } from '#src/index.js';
import { toHalf } from '#src/memory/index.js';
import { isPacked } from '#src/scheme/index.js';
import { withRuntime } from '../support/runtime.js';
import { bytesOf, normal, problem, putNpy, putSafetensors, run, runJson, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const at = (name: string): string => join(folder, name);
const shape = [40, 256];
/** Channel 7 of the last axis stands out. */
const data = normal(40 * 256).map((value, index) => (index % 256 === 7 ? value * 40 : value));
const npy = await putNpy(at('acts.npy'), 'float32', shape, data);

interface Quality {
  preset: string;
  sqnr: number;
  cosine: number;
  maxError: number;
  saturated: number;
  entropy: number;
  codesUsed: number;
  endShare: number;
  channels: {
    axis: number;
    count: number;
    sqnr: number[];
    cosine: number[];
    maxError: number[];
    amax: number[];
    medianAmax: number;
    outliers: number[];
  } | null;
  skipped?: string;
}

async function qualityOf(...words: string[]): Promise<Quality> {
  const { tensors } = await runJson<{ tensors: { quality: Quality }[] }>(['inspect', ...words]);
  return tensors.at(-1)!.quality;
}

describe('inspect --preset', () => {
  it.each(PRESETS.map(({ name }) => name).filter((name) => preset(name).parameters === 'dynamic'))(
    '%s is what the library gives, whole and in parts',
    async (name) => {
      const [whole, parts] = [
        await qualityOf(npy, '--preset', name),
        await qualityOf(npy, '--preset', name, '--memory', '48KiB'),
      ];
      const { granularity } = preset(name);
      const axis = granularity.kind === 'perChannel' ? granularity.axis : -1;
      const expected = new Comparison(channelLayout(shape, axis));
      await withRuntime({}, async (runtime) => {
        using quantized = await runtime.quantize({ dtype: 'float32', shape, data }, name, { stats: true });
        using restored = await runtime.dequantize(quantized);
        expected.add(data, restored.data);
        expect(whole).toMatchObject({ preset: name, saturated: quantized.stats!.saturated });
        expect(whole.sqnr).toBeCloseTo(quantized.stats!.sqnr, 4);
        expect(whole.maxError / quantized.stats!.maxError).toBeCloseTo(1, 6);
        if (quantized.scheme.layout !== 'planar') return;
        const counts = new Map<number, number>();
        const raw = isPacked(quantized.scheme.dtype) ? unpacked(quantized.scheme, quantized.data) : quantized.data;
        for (const code of raw.slice(0, data.length)) counts.set(code, (counts.get(code) ?? 0) + 1);
        const shares = [...counts.values()].map((count) => count / data.length);
        expect(whole.entropy).toBeCloseTo(
          shares.reduce((bits, share) => bits - share * Math.log2(share), 0),
          10,
        );
        expect(whole.codesUsed).toBe(counts.size);
      });
      expect(whole.cosine).toBeCloseTo(expected.total().cosine, 10);
      const { count } = expected.layout;
      const channels = Array.from({ length: count }, (_, channel) => expected.of(channel));
      expect(whole.channels).toMatchObject({ axis, count, amax: channels.map(({ amax }) => amax) });
      expect(whole.channels!.maxError).toEqual(channels.map(({ maxError }) => maxError));
      expect(whole.channels!.outliers).toEqual(axis === -1 ? [7] : []);
      const { channels: _, ...facts } = whole;
      for (const [key, value] of Object.entries(facts)) {
        if (typeof value === 'number') expect(parts[key as 'sqnr'], key).toBeCloseTo(value, 8);
      }
      expect(parts.channels!.maxError).toEqual(whole.channels!.maxError);
    },
  );

  it('takes the 16-bit types, and NaN that is saturated', async () => {
    const halves = Uint16Array.of(0x3c00, 0x4000, 0x7e00, 0xc400, 0x3800, 0x3c00, 0x7c00, 0x0000);
    const path = await putSafetensors(at('half.safetensors'), { h: ['float16', [2, 4], halves] });
    for (const policy of ['saturate', 'propagate']) {
      const { channels } = await qualityOf(path, '--preset', 'onnx-dynamic', '--non-finite', policy);
      expect(channels).toMatchObject({ count: 4, amax: [1, 2, 0, 4] });
    }
  });

  it('takes given parameters and calibrations', async () => {
    const calibration = at('c.json');
    const words = ['--preset', 'onnx-static', '--dtype', 'int8'];
    await runJson(['calibrate', npy, ...words, '--method', 'minmax', '--out', calibration]);
    const { sqnr, channels } = await qualityOf(npy, '--preset', 'onnx-static', '--calibration', calibration);
    expect(sqnr).toBeGreaterThan(15);
    expect(channels).toMatchObject({ axis: -1, outliers: [7] });
    const scale = await putNpy(at('s.npy'), 'float32', [], Float32Array.of(0.5));
    const zero = await putNpy(at('z.npy'), 'int8', [], Int8Array.of(0));
    const given = await qualityOf(npy, '--preset', 'onnx-static', '--scale', scale, '--zero-point', zero);
    expect(given.maxError).toBeGreaterThanOrEqual(0.24);
  });

  it('fits 80 columns and names outliers', async () => {
    const long = at(`${'n'.repeat(90)}.npy`);
    await putNpy(long, 'float32', shape, data);
    for (const name of ['torchao-int8', 'torch-int8-per-channel', 'torch-per-token-affine', 'ggml-f16']) {
      const { out, code } = await run(['inspect', long, '--preset', name]);
      expect(code).toBe(0);
      expect(out.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
      expect(out).toMatch(new RegExp(`^  ${name}: SQNR [\\d.]+ dB, cosine [\\d.]+, max error \\S+$`, 'm'));
      expect(out).toMatch(/^ {2}codes: entropy [\d.]+ bits, \d+ of \d+ used, [\d.]+ % at an end/m);
      if (name === 'torch-int8-per-channel') expect(out).toContain('outliers: none above 6 × the median amax');
      else expect(out).toMatch(/^ {2}outliers: 1 above 6 × the median amax [\d.]+: 7 \([\d.]+\)$/m);
    }
  });

  it('says why a preset does not fit, and goes on', async () => {
    const path = await putSafetensors(at('misfits.safetensors'), {
      odd: ['float32', [2, 33], normal(66)],
      ids: ['int64', [2], new BigInt64Array(2)],
      nan: ['float32', [1, 32], normal(32).fill(Number.NaN, 3, 4)],
      flat: ['float32', [64], normal(64)],
    });
    const { tensors } = await runJson<{ tensors: { name: string; quality: Quality }[] }>([
      'inspect',
      path,
      '--preset',
      'ggml-q8_0',
    ]);
    const found = new Map(tensors.map(({ name, quality }) => [name, quality]));
    expect(found.get('odd')!.skipped).toContain('Expected rows of a multiple of 32 values');
    expect(found.get('ids')!.skipped).toBe('Expected float32, float16 or bfloat16, got int64');
    expect(found.get('nan')!.skipped).toContain('Expected finite values, got 1');
    expect(found.get('flat')).toMatchObject({ preset: 'ggml-q8_0', channels: null });
    expect((await run(['inspect', path, '--preset', 'ggml-q8_0'])).out).toContain('  ggml-q8_0: ERR_QUANTLANE_SHAPE: ');
  });

  it('leaves what is quantized already as it is', async () => {
    const out = at('q.safetensors');
    await runJson(['quantize', npy, '--preset', 'torchao-int8', '--out', out]);
    const { tensors } = await runJson<{ tensors: object[] }>(['inspect', out, '--preset', 'ggml-q8_0']);
    expect(tensors).toHaveLength(1);
    expect(tensors[0]).not.toHaveProperty('quality');
  });

  it('fails where a calibration does not', async () => {
    await writeFile(at('bad.json'), '[]');
    const words = ['inspect', npy, '--preset', 'onnx-dynamic', '--calibration', at('bad.json')];
    expect(await problem(words, 1)).toContain(`ERR_QUANTLANE_FORMAT: ${at('bad.json')}: Expected`);
  });
});

describe('npz and GGUF', () => {
  const numbers = normal(64);

  it('go through every command', async () => {
    const npz = await createNpz(at('in.npz'), [
      { name: 'a', dtype: 'float32', shape: [2, 32] },
      { name: 'b', dtype: 'float16', shape: [1, 32] },
    ]);
    const gguf = await createGguf(at('in.gguf'), [
      { name: 'a', type: 'F32', shape: [2, 32] },
      { name: 'b', type: 'F16', shape: [1, 32] },
    ]);
    const halves = Uint16Array.from(numbers.slice(0, 32), toHalf);
    for (const writer of [npz, gguf]) {
      await writer.write('a', 0, bytesOf(numbers));
      await writer.write('b', 0, bytesOf(halves));
      await writer.close();
    }
    for (const name of ['in.npz', 'in.gguf']) {
      const path = at(name);
      const { tensors } = await runJson<{ tensors: { name: string; shape: number[] }[] }>(['inspect', path]);
      expect(tensors.map((one) => [one.name, one.shape])).toEqual([
        ['a', [2, 32]],
        ['b', [1, 32]],
      ]);
      const words = ['--preset', 'onnx-dynamic', '--method', 'minmax', '--out', at('n.json')];
      const calibrated = await runJson<{ tensors: { name: string }[] }>(['calibrate', path, ...words]);
      expect(calibrated.tensors.map((one) => one.name)).toEqual(['a', 'b']);
      const out = at('n.safetensors');
      await runJson(['quantize', path, '--preset', 'onnx-dynamic', '--calibration', at('n.json'), '--out', out]);
      const compared = await runJson<{ tensors: { name: string; sqnr: number }[] }>(['compare', path, out]);
      expect(compared.tensors.map((one) => one.name)).toEqual(['a', 'b']);
      for (const { sqnr } of compared.tensors) expect(sqnr).toBeGreaterThan(30);
      await runJson(['recommend', path, '--budget', '30']);
    }
  });

  it('packed blocks are shown as what they are, and not quantized again', async () => {
    const gguf = await createGguf(at('packed.gguf'), [{ name: 'w', type: 'Q8_0', shape: [2, 64] }]);
    await gguf.write('w', 0, new Uint8Array(136));
    await gguf.close();
    expect((await run(['inspect', at('packed.gguf')])).out).toContain('w: uint8 [2, 68] of Q8_0 [2, 64], 136 elements');
    const words = ['quantize', at('packed.gguf'), '--preset', 'torchao-int8', '--out', at('no.safetensors')];
    expect(await problem(words, 1)).toContain('tensor "w": Expected float32, float16 or bfloat16, got Q8_0');
  });
});
