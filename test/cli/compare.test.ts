/** How close files are: every kind of file, and what cannot be compared. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pairsOf } from '#src/cli/side.js';
import { createGguf, createNpz } from '#src/formats/index.js';
import { Comparison, PRESETS, preset } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { bytesOf, normal, problem, putNpy, putSafetensors, run, runJson, spawned, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const at = (name: string): string => join(folder, name);
const shape = [6, 256];
const data = normal(6 * 256);
const npy = await putNpy(at('acts.npy'), 'float32', shape, data);

interface Compared {
  tensors: ({ name: string; sqnr: number | null; problem?: string; code?: string } & Record<string, unknown>)[];
  total: Record<string, number | null>;
}

const compare = (...words: string[]): Promise<Compared> => runJson<Compared>(['compare', ...words]);

describe('compare', () => {
  it.each(PRESETS.filter(({ name }) => preset(name).parameters === 'dynamic').map(({ name }) => name))(
    'tells what a consumer reads of %s, whole and in parts',
    async (name) => {
      const out = at(`${name}.safetensors`);
      await runJson(['quantize', npy, '--preset', name, '--out', out]);
      const expected = new Comparison();
      await withRuntime({}, async (runtime) => {
        using quantized = await runtime.quantize({ dtype: 'float32', shape, data }, name);
        using restored = await runtime.dequantize(quantized);
        expected.add(data, restored.data);
      });
      const { sqnr, cosine, maxError } = expected.total();
      for (const memory of ['32KiB', '64MiB']) {
        const { tensors, total } = await compare(npy, out, '--memory', memory);
        expect(tensors).toHaveLength(1);
        expect(tensors[0]).toMatchObject({ name: 'acts', shape, a: 'float32', b: name, elements: 1536, maxError });
        expect(tensors[0]!.sqnr).toBeCloseTo(sqnr, 8);
        expect(tensors[0]!['cosine']).toBeCloseTo(cosine, 10);
        expect(total['maxError']).toBe(maxError);
      }
      const { tensors } = await compare(out, out);
      expect(tensors[0]).toMatchObject({ sqnr: null, cosine: 1, maxError: 0 });
    },
  );

  it('reads every format', async () => {
    const tensor = { name: 'acts', dtype: 'float32', shape } as const;
    const npz = await createNpz(at('acts.npz'), [tensor]);
    const gguf = await createGguf(at('acts.gguf'), [{ name: 'acts', type: 'F32', shape }]);
    for (const writer of [npz, gguf]) {
      await writer.write('acts', 0, bytesOf(data));
      await writer.close();
    }
    await putSafetensors(at('acts.safetensors'), { acts: ['float32', shape, data] });
    for (const name of ['acts.npz', 'acts.gguf', 'acts.safetensors']) {
      const { tensors } = await compare(npy, at(name));
      expect(tensors[0]).toMatchObject({ name: 'acts', elements: 1536, sqnr: null, maxError: 0 });
    }
  });

  it('compares types with each other', async () => {
    const numbers = [1, -2, 0.5, 4];
    const a = await putSafetensors(at('wide.safetensors'), { x: ['float64', [4], Float64Array.from(numbers)] });
    for (const [dtype, bits] of [
      ['float16', Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x4500)],
      ['bfloat16', Uint16Array.of(0x3f80, 0xc000, 0x3f00, 0x40a0)],
      ['float32', Float32Array.of(1, -2, 0.5, 5)],
    ] as const) {
      const b = await putSafetensors(at('narrow.safetensors'), { x: [dtype, [4], bits] });
      const { tensors } = await compare(a, b);
      expect(tensors[0]).toMatchObject({ a: 'float64', b: dtype, maxError: 1 });
      expect(tensors[0]!.sqnr).toBeCloseTo(10 * Math.log10(21.25), 10);
    }
  });

  it('matches tensors by name and adds them up, in 80 columns', async () => {
    const a = await putSafetensors(at('a.safetensors'), {
      one: ['float32', [2], Float32Array.of(1, 2)],
      [`two-${'long'.repeat(30)}`]: ['float32', [1], Float32Array.of(-4)],
    });
    const b = await putSafetensors(at('b.safetensors'), {
      [`two-${'long'.repeat(30)}`]: ['float32', [1], Float32Array.of(-3)],
      one: ['float32', [2], Float32Array.of(1, 2)],
    });
    const { tensors, total } = await compare(a, b);
    expect(tensors.map(({ sqnr }) => sqnr)).toEqual([null, 10 * Math.log10(16)]);
    expect(total).toMatchObject({ elements: 3, sqnr: 10 * Math.log10(21), maxError: 1 });
    const { out, code } = await run(['compare', a, b]);
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
    expect(out).toMatch(/^one$/m);
    expect(out).toMatch(/^total/m);
  });

  it('counts what is not finite', async () => {
    const odd = await putNpy(at('odd.npy'), 'float32', [3], Float32Array.of(Number.NaN, 1, 2));
    const whole = await putNpy(at('whole.npy'), 'float32', [3], Float32Array.of(0, 1, 2));
    expect((await compare(odd, whole)).tensors[0]).toMatchObject({ elements: 2, skipped: 1, maxError: 0 });
    const back = (await compare(whole, odd)).tensors[0];
    expect(back).toMatchObject({ elements: 3, skipped: 0, sqnr: null, maxError: null, cosine: null });
    expect((await run(['compare', whole, odd])).out).toContain('-Infinity');
  });
});

describe('what cannot be compared', () => {
  it('is reported, and fails the command after the rest', async () => {
    const numbers = Float32Array.of(1, 2);
    const a = await putSafetensors(at('left.safetensors'), {
      both: ['float32', [2], numbers],
      left: ['float32', [2], numbers],
      turned: ['float32', [2, 1], numbers],
    });
    const b = await putSafetensors(at('right.safetensors'), {
      both: ['float32', [2], numbers],
      right: ['float32', [2], numbers],
      turned: ['float32', [1, 2], numbers],
    });
    const ran = await run(['compare', a, b]);
    expect(ran.code).toBe(1);
    expect(ran.err).toBe(
      'quantlane compare: ERR_QUANTLANE_ARGUMENT: 3 of 4 tensors cannot be compared: tensor "left": Expected it in both files, got it in A only',
    );
    expect(ran.out).toContain('exact');
    expect(ran.out).toContain('\ntensor "right": Expected it in both files, got it in B only');
    expect(ran.out).toContain('\ntensor "turned": Expected shape [2, 1] as in A, got [1, 2]');
    const json = await spawned(['compare', a, b, '--json']);
    expect(json.code).toBe(1);
    const { tensors } = JSON.parse(json.out) as Compared;
    expect(tensors.map(({ name, code }) => [name, code])).toEqual([
      ['both', undefined],
      ['left', 'ERR_QUANTLANE_ARGUMENT'],
      ['turned', 'ERR_QUANTLANE_SHAPE'],
      ['right', 'ERR_QUANTLANE_ARGUMENT'],
    ]);
  });

  it('may be packed blocks', async () => {
    const gguf = await createGguf(at('packed.gguf'), [{ name: 'acts', type: 'Q8_0', shape: [6, 256] }]);
    await gguf.write('acts', 0, new Uint8Array((6 * 256 * 34) / 32));
    await gguf.close();
    const ran = await run(['compare', npy, at('packed.gguf')]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('ERR_QUANTLANE_DTYPE: 1 of 1 tensors cannot be compared');
    expect(ran.out).toContain('tensor "acts": Expected numbers, got Q8_0 blocks');
  });

  it('may be a file that is not whole', async () => {
    const out = at('half.safetensors');
    const note = { preset: 'torchao-int8', dtype: 'int8', nonFinite: 'error', shape, inputDtype: 'float32' };
    const metadata = { 'quantlane.tensor.acts': JSON.stringify(note) };
    await putSafetensors(out, { acts: ['int8', shape, new Int8Array(1536)] }, metadata);
    const line = await problem(['compare', npy, out], 1);
    expect(line).toContain(`ERR_QUANTLANE_FORMAT: ${out}: tensor "acts": Expected float32 [6, 1] as "acts.scale"`);
  });
});

it('values side by side are cut where either is, and both sides are let go', async () => {
  const ended: string[] = [];
  async function* side(name: string, lengths: readonly number[]) {
    let next = 0;
    try {
      for (const length of lengths) yield Float32Array.from({ length }, () => next++);
    } finally {
      ended.push(name);
    }
  }
  const found: number[] = [];
  const lengths: number[] = [];
  for await (const [a, b] of pairsOf(side('a', [3, 1, 4]), side('b', [2, 5, 1]))) {
    expect(a).toEqual(b);
    found.push(...Array.from(a));
    lengths.push(a.length);
  }
  expect(found).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(lengths).toEqual([2, 1, 1, 3, 1]);
  for await (const _ of pairsOf(side('c', [1, 1]), side('d', [2]))) break;
  expect(ended.sort()).toEqual(['a', 'b', 'c', 'd']);
});
