/** A tensor that is cut gives the bytes of the whole, wherever it is cut. */
import { describe, expect, it } from 'vitest';
import type { Context } from '#src/cli/context.js';
import { boxesOf } from '#src/cli/cut.js';
import { boxElements, gridOf } from '#src/cli/grid.js';
import { outlierColumns } from '#src/cli/outliers.js';
import type { Parameters } from '#src/cli/parameters.js';
import { quantizeTensor } from '#src/cli/tensor.js';
import { writingTo } from '#src/cli/writing.js';
import type { TensorFile, TensorWriter } from '#src/formats/index.js';
import {
  defineScheme,
  type Granularity,
  type InputDtype,
  type NonFinitePolicy,
  perBlock,
  perChannel,
  perTensor,
  perToken,
  preset,
  QuantlaneError,
  type Runtime,
  type Scheme,
} from '#src/index.js';
import { layoutOf } from '#src/scheme/index.js';
import { withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import { bytesOf, normal } from './helpers.js';

const context: Context = {
  input: { [Symbol.asyncIterator]: async function* () {} },
  show: undefined,
  say: () => undefined,
  write: () => undefined,
  signal: new AbortController().signal,
};

interface Case {
  readonly scheme: Scheme;
  readonly dtype: InputDtype;
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint16Array;
  readonly parameters?: Parameters;
}

/** A file of one tensor and a writer, both in memory. */
function inMemory({ dtype, shape, data }: Case) {
  const bytes = bytesOf(data);
  const entry = { name: 'x', dtype, shape, offset: 0, byteLength: bytes.length };
  const read = async (_: unknown, position: number, target: Uint8Array) => {
    expect(position + target.length).toBeLessThanOrEqual(bytes.length);
    target.set(bytes.subarray(position, position + target.length));
  };
  const written = new Map<string, number[]>();
  const write = async (name: string, position: number, part: Uint8Array) => {
    const all = written.get(name) ?? [];
    written.set(name, all);
    for (let index = 0; index < part.length; index++) all[position + index] = part[index]!;
  };
  const partOf = (name: string): Uint8Array | undefined => {
    const all = written.get(name);
    return all && Uint8Array.from(all, (byte) => byte ?? expect.fail(`a hole in ${name}`));
  };
  return { file: { read } as unknown as TensorFile, entry, writer: { write } as unknown as TensorWriter, partOf };
}

/** Codes and parameters of a case that goes through an arena of that size. */
async function cut(one: Case, runtime: Runtime) {
  const { file, entry, writer, partOf } = inMemory(one);
  const grid = gridOf(one.scheme, one.shape);
  const given = one.parameters && { parameters: one.parameters };
  const sink = writingTo(writer, 'x', grid);
  const outliers = await outlierColumns({ runtime, file, entry, grid, context });
  const stats = await quantizeTensor({ runtime, file, entry, grid, given, outliers, sink, context });
  const apart = [partOf('x.outliers'), partOf('x.outlier_values')];
  return { stats, codes: partOf('x')!, scale: partOf('x.scale'), zero: partOf('x.zero_point'), apart };
}

/** The same by the library, in one piece. */
async function whole({ scheme, dtype, shape, data, parameters }: Case, runtime: Runtime) {
  const given = parameters && { parameters: { scale: parameters.scale, zeroPoint: parameters.zeroPoint! } };
  using q = await runtime.quantize({ dtype, shape, data }, scheme, { ...given, stats: true });
  return {
    stats: q.stats!,
    codes: bytesOf(q.data).slice(),
    scale: q.scale === null ? undefined : bytesOf(q.scale).slice(),
    zero: q.zeroPoint === null ? undefined : bytesOf(q.zeroPoint).slice(),
    apart: [q.outliers, q.outlierValues].map((part) => (part === null ? undefined : bytesOf(part).slice())),
  };
}

/** An error as its code and details. */
async function orError<T>(promise: Promise<T>): Promise<T | { code: string; details: object }> {
  return promise.catch((error: unknown) => {
    if (!(error instanceof QuantlaneError)) throw error;
    return { code: error.code, details: error.details };
  });
}

async function expectSame(one: Case, memory: readonly string[], lanes = 0): Promise<void> {
  const oracle = { lanes: 0, memory: '64MiB', kernels: 'scalar' } as const;
  const expected = await withRuntime(oracle, (runtime) => orError(whole(one, runtime)));
  for (const size of memory) {
    const actual = await withRuntime({ lanes, memory: size }, (runtime) => orError(cut(one, runtime)));
    const where = `${size}, [${one.shape.join(', ')}], ${JSON.stringify(one.scheme.granularity)}`;
    if ('code' in expected || 'code' in actual) {
      expect(actual, where).toEqual(expected);
      continue;
    }
    expect(difference(actual.codes, expected.codes), `codes: ${where}`).toBe('');
    for (const part of ['scale', 'zero'] as const) {
      expect(actual[part] === undefined, `${part}: ${where}`).toBe(expected[part] === undefined);
      if (expected[part] !== undefined) expect(sameNumbers(actual[part]!, expected[part], part), where).toBe('');
    }
    expect(actual.apart, where).toEqual(expected.apart);
    expect(actual.stats.saturated, where).toBe(expected.stats.saturated);
    expect(actual.stats.maxError, where).toBe(expected.stats.maxError);
    if (Number.isFinite(expected.stats.sqnr)) expect(actual.stats.sqnr, where).toBeCloseTo(expected.stats.sqnr, 8);
  }
}

/** As `difference`, but one NaN is as good as another as a scale. */
function sameNumbers(actual: Uint8Array, expected: Uint8Array, part: 'scale' | 'zero'): string {
  if (part === 'zero') return difference(actual, expected);
  const canonical = (bytes: Uint8Array) =>
    new Float32Array(bytes.slice().buffer).map((value) => (Number.isNaN(value) ? Number.NaN : value));
  return difference(canonical(actual), canonical(expected));
}

/** A scheme of a preset with another granularity. */
function scheme(name: string, granularity: Granularity, nonFinite: NonFinitePolicy = 'error'): Scheme {
  return defineScheme({ ...preset(name), granularity, nonFinite });
}

/** Values of a type, from float32; the 16-bit types lose bits. */
function typed(data: Float32Array, dtype: InputDtype): Float32Array | Uint16Array {
  if (dtype === 'float32') return data;
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  if (dtype === 'bfloat16') return Uint16Array.from(bits, (word) => word >>> 16);
  // Of a float16 any bits will do that are not NaN or infinite.
  return Uint16Array.from(bits, (word) => (word >>> 16) & 0xbfff);
}

const GRANULARITIES: readonly Granularity[] = [
  perTensor,
  perToken,
  perChannel(0),
  perChannel(1),
  perChannel(-1),
  perBlock(32),
  perBlock(5),
  perBlock(4, 0),
  perBlock(7, 1),
  perBlock(1000, 1),
];

const SHAPES: readonly (readonly number[])[] = [
  [200, 33],
  [3, 2001],
  [2, 2, 1700],
  [7, 100, 9],
  [20, 3, 4, 31],
  [7000, 1],
  [1, 7000],
];

const MEMORY = ['16KiB', '100KiB', '2MiB'];

describe('dynamic', () => {
  for (const granularity of GRANULARITIES) {
    it.each(SHAPES)(`${JSON.stringify(granularity)} on %j %j %j %j`, async (...sizes) => {
      const shape = sizes.filter((size) => typeof size === 'number');
      const data = normal(shape.reduce((a, b) => a * b, 1));
      const name = granularity.kind === 'perTensor' ? 'onnx-dynamic' : 'xnnpack-qd8';
      await expectSame({ scheme: scheme(name, granularity), dtype: 'float32', shape, data }, MEMORY);
    });
  }

  it.each(['float16', 'bfloat16'] as const)('%s', async (dtype) => {
    const shape = [50, 9, 30];
    const data = typed(normal(50 * 9 * 30), dtype);
    for (const granularity of GRANULARITIES) {
      await expectSame({ scheme: scheme('torchao-int8', granularity), dtype, shape, data }, ['16KiB']);
    }
  });

  it('blocks of a foreign layout, within a row too', async () => {
    for (const shape of [[4, 32 * 200], [300, 32], [3, 5, 64], [32 * 400]]) {
      const data = normal(shape.reduce((a, b) => a * b, 1));
      await expectSame({ scheme: preset('ggml-q8_0'), dtype: 'float32', shape, data }, MEMORY);
    }
  });

  it('bits in rows that end within a byte, and rows as unit vectors', async () => {
    for (const shape of [[4, 6403], [300, 13], [3, 5, 61], [12_801], [500, 1]]) {
      const data = normal(shape.reduce((a, b) => a * b, 1));
      await expectSame({ scheme: preset('st-binary'), dtype: 'float32', shape, data }, MEMORY);
      await expectSame({ scheme: preset('usearch-i8'), dtype: 'float32', shape, data }, ['200KiB', '2MiB']);
    }
  });

  it('on two lanes', async () => {
    const shape = [700, 300];
    const data = normal(210_000);
    for (const granularity of [perTensor, perToken, perChannel(1)]) {
      await expectSame(
        { scheme: scheme('onnx-dynamic', granularity), dtype: 'float32', shape, data },
        ['1MiB', '16MiB'],
        2,
      );
    }
  });
});

describe('NaN and infinite values', () => {
  const shape = [100, 5, 11];
  const data = normal(100 * 5 * 11);
  data[2_001] = Number.NaN;
  data[3_000] = Number.POSITIVE_INFINITY;
  data[5_001] = Number.NEGATIVE_INFINITY;
  const kinds = [perTensor, perToken, perChannel(0), perChannel(1), perBlock(7, 1), perBlock(50, 0), perBlock(4)];

  describe.each(['error', 'saturate', 'propagate'] as const)('%s', (policy) => {
    it.each(['onnx-dynamic', 'torchao-int8', 'vllm-int8-per-token', 'xnnpack-qd8'])('%s', async (name) => {
      for (const granularity of kinds) {
        const one = { scheme: scheme(name, granularity, policy), dtype: 'float32', shape, data } as const;
        await expectSame(one, ['16KiB', '200KiB']);
      }
    });

    it.each(['float16', 'bfloat16'] as const)('%s', async (dtype) => {
      const bits = typed(data, dtype);
      const infinity = dtype === 'float16' ? 0x7c00 : 0x7f80;
      bits[3_000] = infinity;
      bits[5_001] = infinity | 0x8000;
      bits[2_001] = 1;
      for (const granularity of kinds) {
        await expectSame({ scheme: scheme('onnx-dynamic', granularity, policy), dtype, shape, data: bits }, ['16KiB']);
      }
    });

    it('a row that is larger than the arena', async () => {
      const wide = normal(2 * 3_000);
      wide[100] = Number.POSITIVE_INFINITY;
      wide[5_000] = Number.NaN;
      for (const granularity of [perToken, perBlock(2_000), perBlock(3, 0), perChannel(0)]) {
        const one = { scheme: scheme('xnnpack-qd8', granularity, policy), dtype: 'float32' } as const;
        await expectSame({ ...one, shape: [2, 3_000], data: wide }, ['16KiB']);
        await expectSame({ ...one, shape: [2, 6, 500], data: wide }, ['16KiB']);
      }
    });
  });
});

describe('given', () => {
  it.each(GRANULARITIES.map((granularity) => [JSON.stringify(granularity), granularity] as const))(
    '%s',
    async (_, granularity) => {
      for (const shape of SHAPES) {
        const given = defineScheme({ ...preset('onnx-static', { dtype: 'int16' }), granularity });
        const count = layoutOf(given, shape).parameters;
        const parameters: Parameters = {
          scale: Float32Array.from({ length: count }, (_, index) => 0.01 + (index % 17) / 1000),
          zeroPoint: Int16Array.from({ length: count }, (_, index) => (index % 23) - 11),
          dtype: 'int16',
          scalePath: '',
        };
        const data = normal(shape.reduce((a, b) => a * b, 1));
        await expectSame({ scheme: given, dtype: 'float32', shape, data, parameters }, ['16KiB', '256KiB']);
      }
    },
  );
});

it('covers every value once, in order', () => {
  for (const granularity of GRANULARITIES) {
    const grid = gridOf(scheme('xnnpack-qd8', granularity), [6, 10, 14]);
    for (const step of [
      [6, grid.depth, grid.inner],
      [4, grid.depth, grid.inner],
      [1, Math.max(1, grid.group - 1), grid.inner],
      [1, 1, 3],
    ] as const) {
      let next = 0;
      for (const box of boxesOf(grid, step)) {
        const { first, count } = boxElements(grid, box);
        expect(first).toBe(next);
        next += count;
      }
      expect(next).toBe(grid.elements);
    }
  }
});

it('says which arena would do', async () => {
  const one = { scheme: preset('ggml-q8_0'), dtype: 'float32', shape: [2, 64], data: normal(128) } as const;
  const failure = await withRuntime({ memory: '1KiB' }, (runtime) => orError(cut(one, runtime)));
  expect(failure).toMatchObject({ code: 'ERR_QUANTLANE_ARENA_TOO_SMALL' });
  await expectSame(one, [`${Math.ceil((failure as { details: { bytes: number } }).details.bytes / 1024)}KiB`]);
});
