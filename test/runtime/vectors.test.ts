import { describe, expect, test } from 'vitest';
import { type CodeArray, preset, type Runtime, type TensorLease } from '#src/index.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { allVectors, difference, readNpy, VECTOR_COUNTS, type VectorCase } from '../support/vectors.js';
import { copied, FORCED } from './helpers.js';

const VECTORS = allVectors();

/** What differs from the file, by name; nothing where all is equal. */
type Differences = Record<string, string>;

function compare(differences: Differences, name: string, actual: ArrayBufferView | null, expected?: ArrayBufferView) {
  const text = expected === undefined ? (actual === null ? '' : 'not expected') : difference(copied(actual), expected);
  if (text !== '') differences[name] = text;
}

/** Values from codes as the definition says: `(q − zeroPoint) · scale` in float32. */
function dequantized(vector: VectorCase): Float32Array {
  const { codes, scale, zeroPoint, dequantized } = vector.expected;
  if (dequantized !== undefined) return dequantized;
  // `onnx-dynamic`
  return Float32Array.from(codes as ArrayLike<number>, (code) => (code - zeroPoint![0]!) * scale![0]!);
}

async function run(runtime: Runtime, vector: VectorCase): Promise<Differences> {
  const differences: Differences = {};
  const { dtype, shape, data, expected, parameters } = vector;
  const scheme = preset(vector.preset, vector.options);
  const lease: TensorLease = runtime.lease(dtype, shape);
  lease.data.set(data);
  const options = parameters === undefined ? {} : { parameters };
  const quantized = await runtime.quantize(lease, scheme, options);
  compare(differences, 'codes', quantized.data, expected.codes);
  compare(differences, 'scale', quantized.scale, expected.scale);
  compare(differences, 'zeroPoint', quantized.zeroPoint, expected.zeroPoint);
  expect(quantized.dataShape).toEqual(expected.codeShape);
  if (expected.parameterShape !== undefined) expect(quantized.parameterShape).toEqual(expected.parameterShape);
  const values = await runtime.dequantize(quantized);
  compare(differences, 'dequantized', values.data, dequantized(vector));
  values.release();
  quantized.release();
  return differences;
}

test('every vector is there', () => {
  expect(VECTORS).toHaveLength(VECTOR_COUNTS.all);
});

/**
 * The bytes of the files that nobody can give again: where every magnitude of an IQ4_NL block is below 1e-15, ggml stores
 * the scale 0 and leaves the codes as the memory was. Every code times 0 is zero; the library writes that of zero.
 */
test('what differs from the files, and why', () => {
  const differing = VECTORS.filter(({ preset }) => preset.startsWith('ggml-')).flatMap(({ name, expected }) => {
    const [, input, type] = name.split('/');
    const file = blocksOf(readNpy('ggml', `${input}.${type}`).data);
    const library = blocksOf(expected.codes);
    const pairs = file.map((bytes, at) => `${bytes} ${library[at]}`).filter((_, at) => file[at] !== library[at]);
    return pairs.length === 0 ? [] : [[name, pairs.length, ...new Set(pairs)]];
  });
  const zero = '000088888888888888888888888888888888';
  const stack = '0000200000000000000060ffffffffffffff';
  expect(differing).toEqual([
    ['ggml/zeros/iq4_nl', 16, `${stack} ${zero}`],
    ['ggml/zero-blocks/iq4_nl', 4, `${stack} ${zero}`, `00007fd0d44368979133b3c1c3f5cd782584 ${zero}`],
    ['ggml/tiny/iq4_nl', 24, `${stack} ${zero}`],
  ]);
});

/** The bytes of codes as hexadecimal, in pieces as long as a block of IQ4_NL. */
function blocksOf(codes: ArrayBufferView): readonly string[] {
  return Buffer.from(copied(codes))
    .toString('hex')
    .match(/.{1,36}/g)!;
}

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('gives the bytes of the files', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const differences: Record<string, Differences> = {};
      for (const vector of VECTORS) {
        const found = await run(runtime, vector);
        if (Object.keys(found).length > 0) differences[vector.name] = found;
      }
      expect(differences).toEqual({});
      const { jobs } = runtime.metrics();
      const calls = 2 * VECTORS.length;
      expect(jobs).toMatchObject(place.lanes === 0 ? { sliced: calls, lanes: 0 } : { sliced: 0, lanes: calls });
    });
  });

  test('and at once', async () => {
    await withRuntime(place, (runtime) => {
      for (const { name, dtype, shape, data, expected, parameters, ...vector } of VECTORS) {
        const scheme = preset(vector.preset, vector.options);
        const options = parameters === undefined ? {} : { parameters };
        const quantized = runtime.quantizeSync({ dtype, shape, data }, scheme, options);
        const codes: CodeArray = quantized.data;
        expect(difference(copied(codes), expected.codes), name).toBe('');
        quantized.release();
      }
    });
  });
});
