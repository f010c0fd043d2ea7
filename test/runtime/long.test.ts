import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  defineScheme,
  type Granularity,
  perBlock,
  perChannel,
  perToken,
  preset,
  type QuantizeOptions,
  type Runtime,
  type Scheme,
  type TensorInput,
} from '#src/index.js';
import { RING_BYTES, type Ring, Ring as RingOf } from '#src/memory/index.js';
import { InPlace } from '#src/runtime/inplace.js';
import { jobKind, NOWHERE } from '#src/runtime/job.js';
import { layoutOf, schemeWords } from '#src/scheme/index.js';
import { Mode, Op, Source } from '../../src/scheme/codes.js';
import { Size, Word } from '../../src/scheme/descriptor.js';
import { withRuntime } from '../support/runtime.js';
import { copied, expectSame, FORCED, type Result, randomOf, take, valuesOf } from './helpers.js';

/** Elements of a unit beyond which it is cut by SIMD kernels. */
const LONG = 131_072;
/** Most elements of a slice. */
const MOST = { simd: LONG, scalar: 16_384 } as const;
const KINDS = ['simd', 'scalar'] as const;

/** Shapes whose units are long for SIMD on the axis that is asked for; those of scalar kernels are cut much finer. */
const CASES: readonly { readonly shape: number[]; readonly granularity: Granularity }[] = [
  { shape: [2, 140_001], granularity: perToken },
  { shape: [280_000], granularity: perBlock(140_000) },
  { shape: [2, 132_000], granularity: perChannel(0) },
  { shape: [4, 2, 40_001], granularity: perChannel(1) },
  { shape: [5, 2, 4_100, 8], granularity: perChannel(1) },
  { shape: [7_003, 2, 20], granularity: perChannel(1) },
  { shape: [9_001, 19], granularity: perChannel(-1) },
  { shape: [19_401, 7], granularity: perChannel(-1) },
  { shape: [1, 18_002, 17], granularity: perBlock(9_001, 1) },
];

/** What a call says about a tensor, or the code and the details of its error. */
interface Answer {
  readonly result: Result | undefined;
  readonly rest: object | null;
}

async function answers(
  runtime: Runtime,
  tensor: TensorInput,
  scheme: Scheme,
  options: QuantizeOptions,
  isAtOnce: boolean,
): Promise<Answer> {
  try {
    const quantized = isAtOnce
      ? runtime.quantizeSync(tensor, scheme, options)
      : await runtime.quantize(tensor, scheme, options);
    const rest = quantized.stats;
    return { result: take(quantized), rest };
  } catch (error) {
    const { code, details } = error as { code: string; details: object };
    return { result: undefined, rest: { code, details } };
  }
}

/** Asserts that a tensor gives in slices what it gives at once. */
async function expectAlike(runtime: Runtime, tensor: TensorInput, scheme: Scheme, options: QuantizeOptions) {
  const expected = await answers(runtime, tensor, scheme, options, true);
  const before = runtime.metrics().jobs.sliced;
  const { result, rest } = await answers(runtime, tensor, scheme, options, false);
  expect(rest).toEqual(expected.rest);
  expect(result === undefined).toBe(expected.result === undefined);
  if (result !== undefined) expectSame(result, expected.result!);
  expect(runtime.metrics().jobs.sliced).toBe(before + 1);
}

describe.each(KINDS)('%s kernels', (kernels) => {
  test.each(CASES)('long units give the same in pieces: $shape, $granularity', async ({ shape, granularity }) => {
    const data = valuesOf(shape.reduce((a, b) => a * b));
    const tensor = { dtype: 'float32', shape, data } as const;
    await withRuntime({ ...FORCED, kernels, memory: '64MiB' }, async (runtime) => {
      for (const base of ['torchao-int8', 'onnx-dynamic', 'xnnpack-qd8', 'faiss-sq8', 'onnx-static'] as const) {
        const scheme = defineScheme({ ...preset(base), granularity });
        const { parameters } = layoutOf(scheme, shape);
        const scale = Float32Array.from({ length: parameters }, (_, index) => 0.05 + (index % 7) * 0.01);
        const zeroPoint = Int32Array.from({ length: parameters }, (_, index) => index % 200);
        const given = scheme.parameters === 'given' ? { parameters: { scale, zeroPoint } } : {};
        for (const stats of [false, true]) await expectAlike(runtime, tensor, scheme, { ...given, stats });
        if (scheme.parameters !== 'dynamic') continue;
        const found = await runtime.range(tensor, scheme);
        await expectAlike(runtime, tensor, scheme, { range: { min: found.min, max: found.max } });
      }
      const scheme = defineScheme({ ...preset('onnx-dynamic'), granularity, rounding: 'stochastic', seed: 7 });
      await expectAlike(runtime, tensor, scheme, {});
      for (const nonFinite of ['error', 'saturate', 'propagate'] as const) {
        data[data.length - 3] = Number.NaN;
        data[5] = Number.NEGATIVE_INFINITY;
        await expectAlike(runtime, tensor, { ...scheme, nonFinite }, { stats: nonFinite === 'saturate' });
      }
    });
  });

  test('values read back and ranges are the same in pieces', async () => {
    await withRuntime({ kernels, memory: '64MiB', lanes: 0 }, async (whole) => {
      await withRuntime({ ...FORCED, kernels, memory: '64MiB' }, async (sliced) => {
        for (const { shape, granularity } of CASES) {
          const tensor = { dtype: 'float32', shape, data: valuesOf(shape.reduce((a, b) => a * b)) } as const;
          const scheme = defineScheme({ ...preset('onnx-dynamic'), granularity });
          const ranges = await sliced.range(tensor, scheme);
          const simple = whole.quantizeSync(tensor, scheme, { range: { min: ranges.min, max: ranges.max } });
          const exact = whole.quantizeSync(tensor, scheme);
          expect(copied(simple.scale)).toEqual(copied(exact.scale));
          const quantized = sliced.quantizeSync(tensor, scheme);
          const back = await sliced.dequantize(quantized);
          const { parameters } = layoutOf(scheme, shape);
          const given = { scale: quantized.scale as Float32Array, zeroPoint: quantized.zeroPoint! };
          expect(given.scale).toHaveLength(parameters);
          const { at } = indexer(scheme, shape);
          const wrong = back.data.findIndex((value, index) => {
            const k = at(index);
            const code = quantized.data[index]! - given.zeroPoint[k]!;
            return value !== Math.fround(code * given.scale[k]!);
          });
          expect(wrong, `${shape}`).toBe(-1);
          for (const each of [simple, exact, quantized, back]) each.release();
        }
      });
    });
  });

  test('no slice has more than twice as many elements as it should, whatever the shape', async () => {
    for (const { shape, granularity } of [...CASES, { shape: [1, 16_000_000], granularity: perToken }]) {
      const slices = await slicesOf(kernels, defineScheme({ ...preset('onnx-dynamic'), granularity }), shape);
      const elements = shape.reduce((a, b) => a * b);
      expect(Math.max(...slices), `${shape}`).toBeLessThanOrEqual(MOST[kernels]);
      // Every value is looked at once for the range, and once for the codes.
      expect(slices.reduce((a, b) => a + b)).toBe(2 * elements);
    }
  });
});

test('any long shape, granularity, type and policy', async () => {
  await withRuntime({ ...FORCED, kernels: 'simd', memory: '64MiB' }, async (runtime) => {
    const names = fc.constantFrom('perToken', 'perChannel 0', 'perChannel 1', 'perChannel 2', 'perBlock 1');
    const property = fc.asyncProperty(
      names,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: LONG + 1, max: 2 * LONG }),
      fc.constantFrom('float32', 'float16', 'bfloat16'),
      fc.constantFrom('error', 'saturate', 'propagate'),
      fc.constantFrom('torchao-int8', 'onnx-dynamic', 'vllm-int8-per-token', 'vllm-fp8-per-token', 'faiss-sq8'),
      fc.boolean(),
      fc.integer(),
      async (name, units, thin, long, dtype, nonFinite, base, stats, seed) => {
        const few = Math.ceil(long / thin);
        // The axes that make a unit long depend on the axis of the parameters.
        const shapes: Record<string, number[]> = {
          perToken: [units, long],
          'perChannel 0': [units, thin, few],
          'perChannel 1': [few, units, thin],
          'perChannel 2': [thin, few, units],
          'perBlock 1': [units, few, thin],
        };
        const shape = shapes[name]!;
        const granularities: Record<string, Granularity> = {
          perToken,
          'perChannel 0': perChannel(0),
          'perChannel 1': perChannel(1),
          'perChannel 2': perChannel(2),
          'perBlock 1': perBlock(few, 1),
        };
        const scheme = defineScheme({ ...preset(base), granularity: granularities[name]!, nonFinite });
        const random = randomOf(seed);
        const elements = shape.reduce((a, b) => a * b);
        const data =
          dtype === 'float32'
            ? Float32Array.from({ length: elements }, () => (random() - 0.3) * 2 ** Math.floor(random() * 12))
            : Uint16Array.from({ length: elements }, () => {
                // Finite bits: the highest bit of the exponent is left out.
                return Math.floor(random() * 2 ** 16) & 0xbfff;
              });
        if (seed % 2 === 0) data[Math.floor(random() * elements)] = dtype === 'float32' ? Number.NaN : 0x7fff;
        const before = runtime.metrics().jobs.sliced;
        const tensor = { dtype, shape, data } as TensorInput;
        await expectAlike(runtime, tensor, scheme, { stats });
        expect(runtime.metrics().jobs.sliced).toBeGreaterThan(before);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
}, 120_000);

/** Which parameter an element of a tensor has. */
function indexer(scheme: Scheme, shape: readonly number[]): { at(element: number): number } {
  const { granularity } = scheme;
  if (granularity.kind === 'perTensor') throw new Error('it has none');
  const axis = granularity.axis! < 0 ? granularity.axis! + shape.length : granularity.axis!;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const depth = shape[axis]!;
  if (granularity.kind === 'perChannel') return { at: (element) => Math.floor(element / inner) % depth };
  const size = granularity.kind === 'perToken' ? depth : granularity.size;
  const groups = Math.ceil(depth / size);
  return {
    at: (element) => {
      const place = Math.floor(element / inner);
      const outer = Math.floor(place / depth);
      return (outer * groups + Math.floor((place % depth) / size)) * inner + (element % inner);
    },
  };
}

/** Elements of every call of the kernel that a job in slices makes. */
async function slicesOf(name: 'simd' | 'scalar', scheme: Scheme, shape: readonly number[]): Promise<number[]> {
  const ring: Ring = new RingOf(new SharedArrayBuffer(RING_BYTES));
  const layout = layoutOf(scheme, shape);
  const sizes: number[] = [];
  const execute = (address: number): void => {
    const word = (at: Word) => ring.words[address / 4 + at]!;
    for (let unit = word(Word.First); unit < word(Word.Last); unit++)
      sizes.push(elementsOf(word, unit, layout.elements));
  };
  const inPlace = new InPlace(ring, { name, execute });
  const kind = jobKind(Mode.Quantize, Source.Data, layout, schemeWords(scheme, 'float32'), false);
  await inPlace.run({ kind, places: { ...NOWHERE, scale: 2 ** 28, zeroPoint: 2 ** 29 } });
  return sizes;
}

/** Elements of a unit of the descriptor. */
function elementsOf(word: (at: Word) => number, unit: number, elements: number): number {
  const [length, group] = [word(Word.Length), word(Word.Group)];
  if (word(Word.Op) === Op.Channels) return word(Word.Parts) * length;
  if (word(Word.Op) === Op.Segments) {
    const part = word(Word.Count) || length;
    return Math.min(part, length - (unit % Math.ceil(length / part)) * part);
  }
  const strips = Math.ceil(word(Word.Inner) / Size.StripColumns);
  const part = Math.floor(unit / strips) % Math.ceil(length / group);
  const width = Math.min(Size.StripColumns, word(Word.Inner) - (unit % strips) * Size.StripColumns);
  expect(unit).toBeLessThan(elements);
  return Math.min(group, length - part * group) * width;
}
