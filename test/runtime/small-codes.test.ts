/** Codes that share bytes, scales that are no float32, ranges that must be given, rounding by chance, and other axes. */
import { describe, expect, test } from 'vitest';
import { defineScheme, type PresetOptions, perTensor, preset, type Runtime, type Scheme } from '#src/index.js';
import { codeOf } from '../memory/helpers.js';
import { PLACES, withRuntime } from '../support/runtime.js';

const wave = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 7)));

/** The numbers of a view, out of shared memory. */
function copied<A extends { slice(): A }>(view: A): A {
  return view.slice();
}

async function codesOf(runtime: Runtime, scheme: Scheme, shape: readonly number[], data: Float32Array, options = {}) {
  using quantized = await runtime.quantize({ dtype: 'float32', shape, data }, scheme, options);
  return {
    codes: copied(quantized.data as Uint8Array),
    scale: copied(quantized.scale as Float32Array),
    shape: quantized.dataShape,
  };
}

describe('codes that share bytes', () => {
  const static4 = (dtype: 'int4' | 'uint4' | 'int2' | 'uint2') => preset('onnx-static', { dtype });

  test('the first one lies in the low bits, and what is left of the last byte is zero', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const options = { parameters: { scale: 1, zeroPoint: 0 } };
      const data = Float32Array.of(1, -2, 7, -8, 3);
      expect([...(await codesOf(runtime, static4('int4'), [5], data, options)).codes]).toEqual([0xe1, 0x87, 0x03]);
      const small = Float32Array.of(1, -2, 0, -1, 1);
      expect([...(await codesOf(runtime, static4('int2'), [5], small, options)).codes]).toEqual([0b11_00_10_01, 0b01]);
    });
  });

  test('keep the shape where rows end with a byte, and are flat where not', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const options = { parameters: { scale: 0.1, zeroPoint: 3 } };
      expect((await codesOf(runtime, static4('uint4'), [3, 6], wave(18), options)).shape).toEqual([3, 3]);
      expect((await codesOf(runtime, static4('uint4'), [3, 5], wave(15), options)).shape).toEqual([8]);
      expect((await codesOf(runtime, static4('uint2'), [3, 6], wave(18), options)).shape).toEqual([5]);
    });
  });

  test.each(['onnx-static', 'bnb-nf4', 'bnb-fp4', 'mx-fp4', 'nvfp4-torchao', 'quarot-int4'])(
    '%s comes back through load and dequantize, and is the same everywhere',
    async (name) => {
      const scheme = name === 'onnx-static' ? static4('int4') : preset(name);
      const options = name === 'onnx-static' ? { parameters: { scale: 0.7, zeroPoint: 1 } } : {};
      const shape = [331, 123];
      const data = wave(331 * 123);
      const results = new Set<string>();
      for (const { name: _, ...place } of PLACES) {
        await withRuntime({ ...place, inPlaceLimit: 0 }, async (runtime) => {
          using quantized = await runtime.quantize({ dtype: 'float32', shape, data }, scheme, options);
          using again = await runtime.load({
            scheme,
            shape,
            data: quantized.data.slice(),
            scale: quantized.scale!.slice(),
            zeroPoint: quantized.zeroPoint?.slice(),
          });
          using values = await runtime.dequantize(again);
          results.add([quantized.data, quantized.scale!, values.data].map((part) => hexOf(part)).join(' '));
        });
      }
      expect(results.size).toBe(1);
    },
  );
});

function hexOf(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex');
}

describe('a scale of the whole tensor', () => {
  test('divides those of the blocks, and the values come back with both', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const data = wave(64);
      const g = Math.fround(7 / 2688);
      using quantized = await runtime.quantize({ dtype: 'float32', shape: [1, 64], data }, 'nvfp4-torchao', {
        tensorScale: g,
      });
      expect([...quantized.tensorScale!]).toEqual([g]);
      using values = await runtime.dequantize(quantized);
      using one = await runtime.quantize({ dtype: 'float32', shape: [1, 64], data }, 'nvfp4-torchao');
      expect(quantized.scale).not.toEqual(one.scale);
      for (let i = 0; i < 64; i++) expect(Math.abs(values.data[i]! - data[i]!)).toBeLessThan(1.3);
    });
  });

  test('is refused where there is none, or where it is none', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const tensor = { dtype: 'float32', shape: [1, 64], data: wave(64) } as const;
      const refused = (name: string, tensorScale: number) =>
        runtime.quantize(tensor, name, { tensorScale }).catch((error) => error.code);
      expect(await refused('torchao-int8', 1)).toBe('ERR_QUANTLANE_PARAMETERS');
      expect(await refused('nvfp4-torchao', 0)).toBe('ERR_QUANTLANE_PARAMETERS');
      expect(await refused('nvfp4-torchao', Number.NaN)).toBe('ERR_QUANTLANE_PARAMETERS');
    });
  });
});

describe('delayed scaling', () => {
  test('needs a range, and takes the multiplier from it', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const tensor = { dtype: 'float32', shape: [4], data: Float32Array.of(1, -2, 4, 100) } as const;
      const code = await runtime.quantize(tensor, 'te-delayed').catch((error) => error.code);
      expect(code).toBe('ERR_QUANTLANE_PARAMETERS');
      using quantized = await runtime.quantize(tensor, 'te-delayed', { range: { min: -4, max: 4 } });
      expect(quantized.scale![0]).toBe(Math.fround(1 / Math.fround(448 / 4)));
      // 112, -224, 448, and 448 for what is beyond the history.
      expect([...quantized.data]).toEqual([0x6e, 0xf6, 0x7e, 0x7e]);
    });
  });
});

describe('stochastic rounding', () => {
  const scheme = defineScheme({ ...preset('torchao-int8'), name: 'chance', rounding: 'stochastic', seed: 7 });

  test('is the same on any lanes, another for another seed, and right on average', async () => {
    const shape = [64, 1024];
    const data = new Float32Array(64 * 1024).fill(0.25);
    // A scale of 1, so that a quarter of the codes is 1 and the rest 0.
    for (let row = 0; row < 64; row++) data[row * 1024] = 127.5;
    const results = new Set<string>();
    for (const { name: _, ...place } of PLACES) {
      await withRuntime({ ...place, inPlaceLimit: 0 }, async (runtime) => {
        const { codes } = await codesOf(runtime, scheme, shape, data);
        results.add(hexOf(codes));
        const ones = codes.filter((code) => code === 1).length;
        expect(Math.abs(ones / codes.length - 0.25)).toBeLessThan(0.01);
        expect(codes.filter((code) => code > 1)).toHaveLength(64);
        const other = await codesOf(runtime, scheme, shape, data, { seed: 8 });
        expect(hexOf(other.codes)).not.toBe(hexOf(codes));
        const again = await codesOf(runtime, scheme, shape, data, { seed: 7 });
        expect(hexOf(again.codes)).toBe(hexOf(codes));
      });
    }
    expect(results.size).toBe(1);
  });

  test('leaves integers alone', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const data = Float32Array.from({ length: 64 }, (_, i) => (i === 0 ? 127.5 : i - 32));
      const { codes } = await codesOf(runtime, scheme, [1, 64], data);
      expect([...codes.slice(1)]).toEqual([...data.slice(1)]);
    });
  });

  test('a seed is an int32', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const tensor = { dtype: 'float32', shape: [4], data: wave(4) } as const;
      const code = await runtime.quantize(tensor, scheme, { seed: 0.5 }).catch((error) => error.code);
      expect(code).toBe('ERR_QUANTLANE_ARGUMENT');
    });
  });
});

describe('a matrix of weights on either axis', () => {
  const rows = 37;
  const columns = 128;
  const data = wave(rows * columns);
  const turned = Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!);
  const PER_AXIS: readonly (readonly [string, PresetOptions])[] = [
    ['torchao-int8', {}],
    ['xnnpack-qd8', {}],
    ['torchao-float8', {}],
    ['vllm-int8-group', { blockSize: 16 }],
    ['mx-fp8-e4m3', { scaleRule: 'rceil' }],
    ['quarot-int4', {}],
  ];

  test.each(PER_AXIS)('%s', async (name, options) => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const along = await codesOf(runtime, preset(name, { ...options, axis: 0 }), [columns, rows], turned);
      const across = await codesOf(runtime, preset(name, options), [rows, columns], data);
      expect(along.scale.length).toBe(across.scale.length);
      const isFlat = name === 'quarot-int4';
      const groups = across.scale.length / rows;
      const codeAt = (codes: ArrayLike<number>, i: number): number =>
        isFlat ? (codes[i >> 1]! >> ((i & 1) * 4)) & 15 : codes[i]!;
      for (let row = 0; row < rows; row++) {
        for (let group = 0; group < groups; group++) {
          expect(along.scale[group * rows + row]).toBe(across.scale[row * groups + group]);
        }
        for (let column = 0; column < columns; column++) {
          expect(codeAt(along.codes, column * rows + row)).toBe(codeAt(across.codes, row * columns + column));
        }
      }
    });
  });
});

test('a range of the values alone for the whole tensor is the same in parts', async () => {
  const scheme = defineScheme({ ...preset('vllm-int8-azp'), name: 'whole', granularity: perTensor });
  const data = wave(100_000).map((value) => value + 20);
  const results = new Set<string>();
  for (const { name: _, ...place } of PLACES) {
    await withRuntime({ ...place, inPlaceLimit: 0 }, async (runtime) => {
      const { codes, scale } = await codesOf(runtime, scheme, [100_000], data);
      results.add(hexOf(codes) + hexOf(scale));
      const { min, max } = await runtime.range({ dtype: 'float32', shape: [100_000], data }, scheme);
      expect([min[0], max[0]]).toEqual([data.reduce((a, b) => Math.min(a, b)), data.reduce((a, b) => Math.max(a, b))]);
      expect(scale[0]).toBe(Math.fround(Math.fround(max[0]! - min[0]!) / 255));
    });
  }
  expect(results.size).toBe(1);
});

test('blocks of the whole tensor go on from row to row', async () => {
  await withRuntime({ lanes: 0 }, async (runtime) => {
    const data = wave(3 * 50);
    const rows = await codesOf(runtime, preset('bnb-nf4'), [3, 50], data);
    const flat = await codesOf(runtime, preset('bnb-nf4'), [150], data);
    expect(rows.codes).toEqual(flat.codes);
    expect(rows.scale).toEqual(flat.scale);
    expect(rows.scale).toHaveLength(3);
  });
});

test('an option that a preset does not know is refused', () => {
  expect(codeOf(() => preset('te-delayed', { axis: 0 }))).toBe('ERR_QUANTLANE_ARGUMENT');
});
