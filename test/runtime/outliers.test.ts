/** Schemes that keep outliers apart: the bytes of bitsandbytes in every place, and what a call does with its parts. */
import { describe, expect, test } from 'vitest';
import { preset, type QuantizedTensor, type Runtime } from '#src/index.js';
import { rejection } from '../memory/helpers.js';
import { expectIdle, PLACES, withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { copied, FORCED, leaseOf, until, valuesOf } from './helpers.js';

const { fround } = Math;

const ROWS = 300;
const COLUMNS = 96;
const SHAPE = [3, 100, COLUMNS];
/** Columns 7 and 90 have outliers in every third row, others rarely. */
const VALUES = valuesOf(ROWS * COLUMNS, 11).map((value, at) => {
  const column = at % COLUMNS;
  const isHigh = (column === 7 || column === 90) && Math.floor(at / COLUMNS) % 3 === 0;
  return isHigh ? value + 30 : Math.min(Math.max(value, -7), 5.9);
});

/** What a call gave, copied. */
interface Parts {
  readonly codes: Uint8Array;
  readonly scale: Uint8Array;
  readonly outliers: number[];
  readonly apart: Uint8Array;
}

function taken(quantized: QuantizedTensor): Parts {
  const { data, scale, outliers, outlierValues } = quantized;
  const parts = {
    codes: copied(data),
    scale: copied(scale),
    outliers: [...outliers!],
    apart: copied(outlierValues),
  };
  quantized.release();
  return parts;
}

/** `int8_vectorwise_quant` of bitsandbytes/backends/default/ops.py, line by line. */
function vectorwiseQuant(values: Float32Array, columns: number, threshold: number): Parts {
  const rows = values.length / columns;
  const isOutlier = (x: number) => threshold > 0 && Math.abs(x) >= threshold;
  const outliers = Array.from({ length: columns }, (_, column) => column).filter((column) =>
    Array.from({ length: rows }, (_, row) => values[row * columns + column]!).some(isOutlier),
  );
  const kept = values.map((x) => (isOutlier(x) ? 0 : x));
  const stats = Float32Array.from({ length: rows }, (_, row) =>
    kept.subarray(row * columns, (row + 1) * columns).reduce((most, x) => Math.max(most, Math.abs(x)), 0),
  );
  const codes = Int8Array.from(kept, (x, at) => {
    const v = fround(x * fround(127 / stats[Math.floor(at / columns)]!));
    const down = Math.floor(v);
    return v - down > 0.5 || (v - down === 0.5 && down % 2 !== 0) ? down + 1 : down;
  });
  for (let row = 0; row < rows; row++) for (const column of outliers) codes[row * columns + column] = 0;
  const apart = Float32Array.from({ length: rows * outliers.length }, (_, at) => {
    return values[Math.floor(at / outliers.length) * columns + outliers[at % outliers.length]!]!;
  });
  return { codes: copied(codes), scale: copied(stats), outliers, apart: copied(apart) };
}

function expectSame(actual: Parts, expected: Parts): void {
  expect(actual.outliers).toEqual(expected.outliers);
  for (const part of ['codes', 'scale', 'apart'] as const)
    expect(difference(actual[part], expected[part]), part).toBe('');
}

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('gives the bytes of bitsandbytes', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      for (const threshold of [6, 0, 3.5, 25]) {
        const expected = vectorwiseQuant(VALUES, COLUMNS, threshold);
        const scheme = preset('bnb-int8', { threshold });
        expectSame(taken(await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), scheme)), expected);
        expectSame(taken(runtime.quantizeSync(leaseOf(runtime, SHAPE, VALUES), scheme)), expected);
      }
      const one = VALUES.slice(0, COLUMNS);
      const alone = taken(await runtime.quantize({ dtype: 'float32', shape: [1, COLUMNS], data: one }, 'bnb-int8'));
      expectSame(alone, vectorwiseQuant(one, COLUMNS, 6));
    });
  });

  test('the values come back, those of outlier columns exactly, and statistics say how far', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const quantized = await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), 'bnb-int8', { stats: true });
      expect([...quantized.outliers!]).toContain(90);
      const { length } = quantized.outliers!;
      expect(quantized.outlierValues).toHaveLength(ROWS * length);
      expect(quantized.byteLength).toBe(ROWS * COLUMNS + ROWS * 4 + length * 4 + ROWS * length * 4);
      const apart = new Set(quantized.outliers!);
      const values = await runtime.dequantize(quantized);
      let largest = 0;
      values.data.forEach((value, at) => {
        const error = Math.abs(fround(VALUES[at]! - value));
        if (apart.has(at % COLUMNS)) expect(error).toBe(0);
        largest = Math.max(largest, error);
      });
      expect(quantized.stats).toMatchObject({ maxError: largest, saturated: 0 });
      expect(quantized.stats!.sqnr).toBeGreaterThan(45);
      values.release();
      quantized.release();
    });
  });

  test('parts of a tensor with the columns of the whole are the whole', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const whole = taken(await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), 'bnb-int8'));
      const part = (index: number) =>
        leaseOf(runtime, [100, COLUMNS], VALUES.subarray(index * 9600, (index + 1) * 9600));
      const found = new Set<number>();
      for (const index of [0, 1, 2]) {
        using lease = part(index);
        for (const column of await runtime.outliers(lease, 'bnb-int8')) found.add(column);
        expect(lease.state).toBe('owned');
      }
      const outliers = [...found].sort((a, b) => a - b);
      expect(outliers).toEqual(whole.outliers);
      const parts: Parts[] = [];
      for (const index of [0, 1, 2]) parts.push(taken(await runtime.quantize(part(index), 'bnb-int8', { outliers })));
      for (const name of ['codes', 'scale', 'apart'] as const) {
        expect(difference(Uint8Array.from(Buffer.concat(parts.map((one) => one[name]))), whole[name]), name).toBe('');
      }
    });
  });

  test('right after the call: aborted, and every lease is back', async () => {
    await withRuntime({ ...place, ...FORCED, memory: '64MiB' }, async (runtime) => {
      const stop = new AbortController();
      const lease = leaseOf(runtime, [2000, 1000], valuesOf(2_000_000));
      const call = runtime.quantize(lease, 'bnb-int8', { signal: stop.signal }).catch((reason: unknown) => reason);
      stop.abort();
      expect(await call).toBe(stop.signal.reason);
      await expectIdle(runtime);
    });
  });
});

describe('what a call does with its parts', () => {
  test('float16 and bfloat16', async () => {
    await withRuntime({}, async (runtime) => {
      const data = Uint16Array.of(0x3f80, 0xc100, 0x4000, 0x3f00);
      const quantized = await runtime.quantize({ dtype: 'bfloat16', shape: [2, 2], data }, 'bnb-int8');
      expect([...quantized.data]).toEqual([127, 0, 127, 0]);
      expect([...quantized.outlierValues!]).toEqual([-8, 0.5]);
      quantized.release();
    });
  });

  test('a lease is used up at once, though its outliers are looked for first', async () => {
    await withRuntime({ lanes: 1, ...FORCED }, async (runtime) => {
      const lease = leaseOf(runtime, SHAPE, VALUES);
      const call = runtime.quantize(lease, 'bnb-int8');
      expect(lease.state).toBe('consumed');
      (await call).release();
      expect(lease.released).toBe(true);
      expect(runtime.metrics()).toMatchObject({ calls: 1, elements: ROWS * COLUMNS, copiedBytes: 0 });
      const kept = leaseOf(runtime, SHAPE, VALUES);
      (await runtime.quantize(kept, 'bnb-int8', { keep: true })).release();
      expect([...kept.data]).toEqual([...VALUES]);
      kept.release();
    });
  });

  test('a plain tensor is copied once', async () => {
    await withRuntime({}, async (runtime) => {
      (await runtime.quantize({ dtype: 'float32', shape: SHAPE, data: VALUES }, 'bnb-int8')).release();
      expect(runtime.metrics().copiedBytes).toBe(VALUES.byteLength);
    });
  });

  test('other schemes keep none apart', async () => {
    await withRuntime({}, async (runtime) => {
      const quantized = await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), 'torchao-int8');
      expect([quantized.outliers, quantized.outlierValues]).toEqual([null, null]);
      quantized.release();
      const range = await runtime.range(
        { dtype: 'float32', shape: [1, 3], data: Float32Array.of(9, -1, 2) },
        'bnb-int8',
      );
      expect([...range.min, ...range.max]).toEqual([-1, 9]);
    });
  });

  test('parts from elsewhere are loaded and read', async () => {
    await withRuntime({}, async (runtime) => {
      const parts = {
        scheme: 'bnb-int8',
        shape: [2, 3],
        data: Int8Array.of(127, 0, -1, 0, 0, 64),
        scale: Float32Array.of(2, 1),
        outliers: Int32Array.of(1),
        outlierValues: Float32Array.of(9, -7),
      };
      using loaded = await runtime.load(parts);
      using values = await runtime.dequantize(loaded);
      const read = (code: number, absmax: number) => fround(fround(code * absmax) * fround(1 / 127));
      expect([...values.data]).toEqual([2, 9, read(-1, 2), 0, -7, read(64, 1)]);
      for (const [wrong, code] of [
        [{ outliers: Int32Array.of(3) }, 'ERR_QUANTLANE_PARAMETERS'],
        [{ outliers: Int32Array.of(-1) }, 'ERR_QUANTLANE_PARAMETERS'],
        [{ outliers: Int32Array.of(1, 1), outlierValues: new Float32Array(4) }, 'ERR_QUANTLANE_PARAMETERS'],
        [{ outlierValues: new Float32Array(3) }, 'ERR_QUANTLANE_PARAMETERS'],
        [{ outliers: Float32Array.of(1) as unknown as Int32Array }, 'ERR_QUANTLANE_DTYPE'],
        [{ outliers: undefined }, 'ERR_QUANTLANE_DTYPE'],
        [{ scheme: 'vllm-int8-per-token' }, 'ERR_QUANTLANE_PARAMETERS'],
      ] as const) {
        expect(await rejection(runtime.load({ ...parts, ...wrong })), JSON.stringify(wrong)).toBe(code);
      }
    });
  });

  test('a column that is written into a result later does no harm', async () => {
    await withRuntime({}, async (runtime) => {
      using quantized = await runtime.quantize(leaseOf(runtime, [1, 4], Float32Array.of(1, 9, 2, 3)), 'bnb-int8');
      quantized.outliers![0] = -5;
      using neighbour = leaseOf(runtime, [16], new Float32Array(16).fill(1));
      using values = await runtime.dequantize(quantized);
      expect(values.data[1]).toBe(0);
      expect([...neighbour.data]).toEqual(new Array(16).fill(1));
    });
  });
});

describe('refusals', () => {
  const tensor = { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 9) } as const;
  const cases: [string, (runtime: Runtime) => Promise<unknown>, string][] = [
    ['a range', (r) => r.quantize(tensor, 'bnb-int8', { range: { min: 0, max: 1 } }), 'ERR_QUANTLANE_PARAMETERS'],
    [
      'outliers of another scheme',
      (r) => r.quantize(tensor, 'torchao-int8', { outliers: [] }),
      'ERR_QUANTLANE_PARAMETERS',
    ],
    [
      'outliers that are no list',
      (r) => r.quantize(tensor, 'bnb-int8', { outliers: null! }),
      'ERR_QUANTLANE_PARAMETERS',
    ],
    ['a column too far', (r) => r.quantize(tensor, 'bnb-int8', { outliers: [2] }), 'ERR_QUANTLANE_PARAMETERS'],
    ['columns in disorder', (r) => r.quantize(tensor, 'bnb-int8', { outliers: [1, 0] }), 'ERR_QUANTLANE_PARAMETERS'],
    ['to look for what a scheme has not', (r) => r.outliers(tensor, 'torchao-int8'), 'ERR_QUANTLANE_ARGUMENT'],
    [
      'NaN',
      (r) => r.quantize({ ...tensor, data: tensor.data.with(2, Number.NaN) }, 'bnb-int8'),
      'ERR_QUANTLANE_NON_FINITE',
    ],
  ];
  test.each(cases)('%s', async (_, call, code) => {
    await withRuntime({}, async (runtime) => {
      expect(await rejection(call(runtime))).toBe(code);
      expect(runtime.metrics().failed).toBe(1);
    });
  });

  test('a result that does not fit', async () => {
    await withRuntime({ memory: '1MiB' }, async (runtime) => {
      const all = leaseOf(runtime, [400, 300], new Float32Array(120_000).fill(10));
      expect(await rejection(runtime.quantize(all, 'bnb-int8'))).toBe('ERR_QUANTLANE_ARENA_STUCK');
      const again = leaseOf(runtime, [400, 300], new Float32Array(120_000).fill(10));
      expect(() => runtime.quantizeSync(again, 'bnb-int8')).toThrow(
        expect.objectContaining({ code: 'ERR_QUANTLANE_ARENA_FULL' }),
      );
    });
  });
});

describe('a lane that dies', () => {
  test.each([
    ['while it looks for outliers', Fault.RangeExitOnce],
    ['a later part', Fault.LateExitOnce],
  ] as const)('gives its work back: %s', async (_, fault) => {
    await withRuntime({ lanes: 2, memory: '64MiB', workerUrl: lanes('faulty'), ...FORCED }, async (runtime) => {
      const { lease, values } = faultyBatch(runtime, fault, [2000, COLUMNS]);
      values[1] = 0; // the gate is closed
      expectSame(taken(await runtime.quantize(lease, 'bnb-int8')), vectorwiseQuant(values, COLUMNS, 6));
      await until(() => runtime.metrics().lanes.restarts === 1, 'the lane is noticed to be gone');
    });
  });
});
