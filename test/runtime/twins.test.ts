/** Every preset: SIMD and scalar give the same bytes for every length and for any bits, there and back. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createRuntime,
  type InputDtype,
  type PlainTensor,
  QuantizedTensor,
  type Scheme,
  type StreamingRuntime,
} from '#src/index.js';
import { layoutOf } from '#src/scheme/index.js';
import { Dtype } from '../../src/scheme/codes.js';
import { type Fill, fill } from '../kernels/arbitrary.js';
import { codeOf } from '../memory/helpers.js';
import { valuesOfFamily } from '../support/families.js';
import { callOf, schemeOf, VARIANTS } from '../support/variants.js';
import { difference } from '../support/vectors.js';
import { copied } from './helpers.js';

const DTYPES = ['float32', 'float16', 'bfloat16'] as const;
const CODES = { float32: Dtype.Float32, float16: Dtype.Float16, bfloat16: Dtype.Bfloat16 };

let twins: readonly [StreamingRuntime, StreamingRuntime];
beforeAll(async () => {
  const options = { lanes: 0, memory: '16MiB' } as const;
  twins = [
    await createRuntime({ ...options, kernels: 'simd' }),
    await createRuntime({ ...options, kernels: 'scalar' }),
  ];
});
afterAll(async () => {
  for (const twin of twins) await twin.close();
});

/** A tensor as a call takes it. */
interface Tensor {
  readonly dtype: InputDtype;
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint16Array;
}

function filled(kind: Fill, dtype: InputDtype, shape: readonly [number, number], seed: number): Tensor {
  const { buffer } = fill(kind, CODES[dtype], shape[0] * shape[1], seed);
  return { dtype, shape, data: dtype === 'float32' ? new Float32Array(buffer) : new Uint16Array(buffer) };
}

/** The bytes of every array of a result, by name, and of the values that come back. */
async function bytesOf(runtime: StreamingRuntime, tensor: Tensor, scheme: Scheme): Promise<Record<string, Uint8Array>> {
  const quantized = runtime.quantizeSync(tensor as PlainTensor, scheme, callOf(scheme));
  const names = Object.getOwnPropertyNames(QuantizedTensor.prototype) as (keyof QuantizedTensor)[];
  const arrays = names.map((name) => [name, quantized[name]] as const).filter(([, value]) => ArrayBuffer.isView(value));
  const bytes = Object.fromEntries(arrays.map(([name, value]) => [name, copied(value as ArrayBufferView)]));
  const values = await runtime.dequantize(quantized);
  const result = { ...bytes, values: copied(values.data) };
  values.release();
  quantized.release();
  return result;
}

/** Asserts that both twins give the same bytes. */
async function expectTwins(tensor: Tensor, scheme: Scheme): Promise<void> {
  const [simd, scalar] = [await bytesOf(twins[0], tensor, scheme), await bytesOf(twins[1], tensor, scheme)];
  const found = Object.keys({ ...simd, ...scalar }).map((name) => [name, difference(simd[name]!, scalar[name]!)]);
  const wrong = found.filter(([, text]) => text !== '');
  if (wrong.length > 0) expect.fail(`[${tensor.shape}] of ${tensor.dtype}: ${wrong.join(', ')}`);
}

/** Whether a scheme refuses rows of a length: only blocks that do not divide them may. */
function isRefused(scheme: Scheme, length: number): boolean {
  const { granularity } = scheme;
  const isWhole = granularity.kind !== 'perBlock' || length % granularity.size === 0;
  return !isWhole && codeOf(() => layoutOf(scheme, [2, length])) === 'ERR_QUANTLANE_SHAPE';
}

describe.each(VARIANTS)('$title', (variant) => {
  test('lengths from 1 to 300', async () => {
    const scheme = schemeOf(variant);
    // What may be chosen in a preset changes a rule or two of those that every length has seen.
    const step = Object.keys(variant.options).length === 0 ? 1 : 7;
    for (let length = 1; length <= 300; length += step) {
      const dtype = DTYPES[length % 3]!;
      const tensor = filled(length % 4 === 3 ? 'ties' : 'normal', dtype, [2, length], length);
      if (!isRefused(scheme, length)) await expectTwins(tensor, scheme);
    }
  });

  test('10,000 finite bit patterns', async () => {
    const scheme = schemeOf(variant);
    const data = valuesOfFamily('bits', 10_240, 1);
    for (const shape of [
      [40, 256],
      [1, 10_240],
    ])
      await expectTwins({ dtype: 'float32', shape, data }, scheme);
  });

  test('any bits, where they are allowed', async () => {
    for (const nonFinite of ['saturate', 'propagate'] as const) {
      const scheme = schemeOf(variant, { nonFinite });
      for (const kind of ['bits', 'wide', 'rare', 'subnormal', 'edges'] as const) {
        for (const dtype of DTYPES) await expectTwins(filled(kind, dtype, [4, 256], 7), scheme);
      }
    }
  });
});
