import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRuntime, defineScheme, perBlock, preset, type Scheme, type StreamingRuntime } from '#src/index.js';
import { expectIdle, PLACES } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import { FORCED, type Result, randomOf, take } from './helpers.js';

/** Schemes whose parameters belong to one row, and the number that their row lengths are multiples of. */
const SCHEMES: Record<string, { scheme: Scheme; step: number }> = {
  'torchao-int8': { scheme: preset('torchao-int8'), step: 1 },
  'vllm-int8-per-token': { scheme: preset('vllm-int8-per-token'), step: 1 },
  'xnnpack-qd8': { scheme: preset('xnnpack-qd8'), step: 1 },
  'ggml-q8_0': { scheme: preset('ggml-q8_0'), step: 32 },
  'st-binary': { scheme: preset('st-binary'), step: 1 },
  'usearch-i8': { scheme: preset('usearch-i8'), step: 1 },
  'onnx blocks': { scheme: { ...preset('onnx-dynamic'), granularity: perBlock(24) }, step: 1 },
  'vllm blocks, propagate': {
    scheme: { ...preset('vllm-int8-per-token', { nonFinite: 'propagate' }), granularity: perBlock(32) },
    step: 1,
  },
};

/** Runtimes of all places, and the one that gives every row alone. */
let places: { name: string; runtime: StreamingRuntime }[] = [];
let alone: StreamingRuntime;

beforeAll(async () => {
  alone = await createRuntime({ lanes: 0, kernels: 'scalar', memory: '16MiB' });
  places = await Promise.all(
    PLACES.map(async ({ name, ...place }) => ({
      name,
      runtime: await createRuntime({ memory: '32MiB', ...place, ...FORCED }),
    })),
  );
});

afterAll(async () => {
  await Promise.all([alone, ...places.map(({ runtime }) => runtime)].map((runtime) => runtime.destroy()));
});

type Values = Float32Array | Uint16Array;
type Dtype = 'float32' | 'float16' | 'bfloat16';

/** Finite values of many sizes; for 16-bit types any finite bits. */
function fill(dtype: Dtype, count: number, seed: number): Values {
  const random = randomOf(seed);
  if (dtype === 'float32') {
    return Float32Array.from({ length: count }, () => (random() - 0.5) * 2 ** Math.floor(random() * 24 - 12));
  }
  const exponent = dtype === 'float16' ? 0x7c00 : 0x7f80;
  return Uint16Array.from({ length: count }, () => {
    const bits = Math.floor(random() * 65_536);
    return (bits & exponent) === exponent ? bits & ~0x4000 : bits;
  });
}

/** Rows one after the other. */
function join(results: readonly Result[]): Result {
  const concat = (part: keyof Result) => Uint8Array.from(Buffer.concat(results.map((result) => result[part])));
  return { codes: concat('codes'), scale: concat('scale'), zeroPoint: concat('zeroPoint') };
}

interface Batch {
  readonly dtype: Dtype;
  readonly rows: number;
  readonly columns: number;
  readonly seed: number;
  /** Rows of each call; the last one repeats. */
  readonly cuts: readonly number[];
}

function batches(rows: number, columns: number): fc.Arbitrary<Batch> {
  return fc.record({
    dtype: fc.constantFrom<Dtype>('float32', 'float16', 'bfloat16'),
    rows: fc.integer({ min: 1, max: rows }),
    columns: fc.integer({ min: 1, max: columns }),
    seed: fc.nat(),
    cuts: fc.array(fc.integer({ min: 1, max: rows }), { minLength: 1, maxLength: 4 }),
  });
}

/** Asserts that every way to bring the batch gives each row the bytes that it has alone. */
async function check(name: string, batch: Batch): Promise<void> {
  const { dtype, rows, cuts } = batch;
  const { scheme: given, step } = SCHEMES[name]!;
  const scheme = defineScheme(given);
  const columns = batch.columns * step;
  const values = fill(dtype, rows * columns, batch.seed);
  const row = (first: number, count: number) => values.subarray(first * columns, (first + count) * columns);
  const rowsAlone = Array.from({ length: rows }, (_, at) =>
    take(alone.quantizeSync({ dtype, shape: [1, columns], data: row(at, 1) }, scheme)),
  );
  const expected = join(rowsAlone);
  for (const { name: place, runtime } of places) {
    const bring = (first: number, count: number) => {
      const lease = runtime.lease(dtype, [count, columns]);
      lease.data.set(row(first, count));
      return runtime.quantize(lease, scheme).then(take);
    };
    const whole = await bring(0, rows);
    const parts: Promise<Result>[] = [];
    for (let first = 0, cut = 0; first < rows; cut = Math.min(cut + 1, cuts.length - 1)) {
      const count = Math.min(cuts[cut]!, rows - first);
      parts.push(bring(first, count));
      first += count;
    }
    const joined = join(await Promise.all(parts));
    for (const part of ['codes', 'scale', 'zeroPoint'] as const) {
      expect(difference(whole[part], expected[part]), `${part}, ${place}`).toBe('');
      expect(difference(joined[part], expected[part]), `${part} of parts, ${place}`).toBe('');
    }
  }
}

describe.each(Object.keys(SCHEMES))('a row of %s has the bytes that it has alone', (name) => {
  test('in any batch and in any parts', async () => {
    await fc.assert(
      fc.asyncProperty(batches(24, 150), (batch) => check(name, batch)),
      { numRuns: 25 },
    );
    for (const { runtime } of places) await expectIdle(runtime);
  });

  test('in batches that are cut for the lanes', async () => {
    const dtype = fc.constantFrom<Dtype>('float32', 'float16');
    const large = fc.record({ dtype, rows: fc.integer({ min: 600, max: 900 }), odd: fc.nat(40), seed: fc.nat() });
    const { step } = SCHEMES[name]!;
    await fc.assert(
      fc.asyncProperty(large, ({ odd, ...batch }) =>
        check(name, { ...batch, columns: Math.ceil((400 + odd) / step), cuts: [333, 64] }),
      ),
      { numRuns: 2 },
    );
    for (const { runtime } of places) await expectIdle(runtime);
  });
});
