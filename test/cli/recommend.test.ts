/** The smallest preset within a budget of error. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { storedBytes } from '#src/formats/container.js';
import { PRESETS, preset } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { normal, problem, putNpy, putSafetensors, run, runJson, spawned, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const at = (name: string): string => join(folder, name);
const shape = [8, 256];
const data = normal(8 * 256);
const npy = await putNpy(at('acts.npy'), 'float32', shape, data);
const DYNAMIC = PRESETS.map(({ name }) => name).filter((name) => preset(name).parameters === 'dynamic');
const GIVEN = PRESETS.map(({ name }) => name).filter((name) => preset(name).parameters !== 'dynamic');

interface Row {
  preset: string;
  bitsPerValue: number;
  sqnr: number | null;
  worst: number | null;
  meets: boolean;
  misses: { name: string; sqnr: number }[];
  tensors: { name: string; sqnr: number | null }[];
}

interface Recommended {
  recommended: string | null;
  presets: Row[];
  skipped: { name: string; reason: string }[];
  leftOut: string[];
}

describe('recommend', () => {
  it('tries every dynamic preset, the smallest first', async () => {
    const { presets, skipped, recommended } = await runJson<Recommended>(['recommend', npy, '--budget', '40dB']);
    expect(presets.map((row) => row.preset).sort()).toEqual(DYNAMIC.toSorted());
    const reason = (name: string) => `its ${preset(name).parameters === 'range' ? 'range is' : 'parameters are'} given`;
    expect(skipped).toEqual(GIVEN.map((name) => ({ name, reason: reason(name) })));
    const bits = presets.map(({ bitsPerValue }) => bitsPerValue);
    expect(bits).toEqual(bits.toSorted((a, b) => a - b));
    for (const row of presets) {
      expect(row.meets).toBe(row.sqnr === null || row.sqnr >= 40);
      expect(row.misses).toEqual(row.meets ? [] : [{ name: 'acts', sqnr: row.sqnr }]);
    }
    expect(recommended).toBe(presets.find(({ meets }) => meets)!.preset);
    await withRuntime({}, async (runtime) => {
      for (const row of presets) {
        using quantized = await runtime.quantize({ dtype: 'float32', shape, data }, row.preset, { stats: true });
        expect(row.bitsPerValue, row.preset).toBe((quantized.byteLength * 8) / data.length);
        expect(row.sqnr, row.preset).toBeCloseTo(quantized.stats!.sqnr, 6);
        expect(storedBytes(quantized.scheme, shape)).toBe(quantized.byteLength);
      }
    });
  });

  it('gives the same in a small arena', async () => {
    const words = ['recommend', npy, '--budget', '30 dB'];
    const [large, small] = await Promise.all([
      runJson<Recommended>(words),
      runJson<Recommended>([...words, '--memory', '64KiB', '--lanes', '0']),
    ]);
    expect(small.presets.map((row) => row.preset)).toEqual(large.presets.map((row) => row.preset));
    expect(small.recommended).toBe(large.recommended);
  });

  it('wants every tensor within, and says which is not', async () => {
    const wild = data.map((value, index) => (index % 256 === 3 ? value * 300 : value / 100));
    const path = await putSafetensors(at('two.safetensors'), {
      calm: ['float32', shape, data],
      wild: ['float32', shape, wild],
      ids: ['int64', [2], new BigInt64Array(2)],
    });
    const { presets, leftOut } = await runJson<Recommended>(['recommend', path, '--budget', '30']);
    expect(leftOut).toEqual(['ids']);
    const tensor = presets.find((row) => row.preset === 'onnx-dynamic')!;
    expect(tensor.tensors.map(({ name }) => name)).toEqual(['calm', 'wild']);
    for (const row of presets) {
      const low = row.tensors.filter(({ sqnr }) => sqnr !== null && sqnr < 30).sort((a, b) => a.sqnr! - b.sqnr!);
      expect(row.misses).toEqual(low);
    }
    const { out } = await run(['recommend', path, '--budget', '30']);
    expect(out.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
    expect(out).toContain('below the budget\n');
    expect(out).toContain('not float\n  ids: left out');
    expect(out).toMatch(/^smallest: [\w-]+, [\d.]+ bits a value, [\d.]+ dB$/m);
  });

  it('lists those that do not fit a shape', async () => {
    const path = await putNpy(at('odd.npy'), 'float32', [4, 33], normal(132));
    const { presets, skipped } = await runJson<Recommended>(['recommend', path, '--budget', '20']);
    const reasons = new Map(skipped.map(({ name, reason }) => [name, reason]));
    expect(reasons.get('ggml-q8_0')).toBe(
      `tensor "odd": Expected rows of a multiple of 32 values for 'ggml-q8_0', got rows of 33`,
    );
    expect(presets.length + skipped.length).toBe(PRESETS.length);
    expect(presets.map((row) => row.preset)).toContain('torchao-int8');
  });

  it('names only a few with --top', async () => {
    const all = await runJson<Recommended>(['recommend', npy, '--budget', '40dB']);
    const { presets, recommended } = await runJson<Recommended>(['recommend', npy, '--budget', '40dB', '--top', '2']);
    expect(presets).toEqual(all.presets.filter(({ meets }) => meets).slice(0, 2));
    expect(recommended).toBe(presets[0]!.preset);
  });

  it('fails where nothing is within, and says how near it came', async () => {
    const ran = await spawned(['recommend', npy, '--budget', '200dB', '--json', '--top', '1']);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(
      /^quantlane recommend: ERR_QUANTLANE_PRESET: .*Expected a preset of at least 200 dB, got at most [\d.]+ with ggml-f16\n$/,
    );
    const found = JSON.parse(ran.out) as Recommended;
    expect([found.recommended, found.presets.length]).toEqual([null, DYNAMIC.length]);
  });

  it('finds everything exact where there is nothing to lose', async () => {
    const path = await putNpy(at('zeros.npy'), 'float32', shape, new Float32Array(2048));
    const { presets, recommended } = await runJson<Recommended>(['recommend', path, '--budget', '300dB']);
    // Bits read back as ±1, and some systems of float8 have no rule for a row of zeros.
    const others = presets.filter(({ meets, sqnr }) => !meets || sqnr !== null).map(({ preset: name }) => name);
    expect(others.filter((name) => !/binary$|-b1$|^torchao-float8$|^deepseek-/.test(name))).toEqual([]);
    expect(presets.length - others.length).toBeGreaterThan(40);
    expect(recommended).toBe(presets.find(({ meets }) => meets)!.preset);
    expect((await run(['recommend', path, '--budget', '300dB'])).out).toContain('exact');
  });

  it('refuses what is not finite, unless it is told what to do', async () => {
    const odd = data.slice();
    odd[5] = Number.NaN;
    const path = await putNpy(at('nan.npy'), 'float32', shape, odd);
    const words = ['recommend', path, '--budget', '20'];
    expect(await problem(words, 1)).toContain(`ERR_QUANTLANE_NON_FINITE: ${path}: tensor "nan": Expected finite`);
    expect((await runJson<Recommended>([...words, '--non-finite', 'saturate'])).recommended).not.toBeNull();
  });

  it('wants a tensor of floats', async () => {
    const path = await putSafetensors(at('ints.safetensors'), { ids: ['int32', [2], new Int32Array(2)] });
    expect(await problem(['recommend', path, '--budget', '20'], 1)).toContain('Expected a tensor of float32');
  });
});
