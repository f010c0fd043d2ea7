/** Transforms as calls of the runtime: their results in every place, who owns what, and what is refused. */
import { describe, expect, test } from 'vitest';
import { amaxOf, perChannel, preset, type Runtime, smoothScales, type TensorLease } from '#src/index.js';
import { rejection } from '../memory/helpers.js';
import { expectIdle, PLACES, withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { copied, FORCED, leaseOf, take, until, valuesOf } from './helpers.js';

type Values = TensorLease<'float32'>;

const SHAPE = [90, 96];
const VALUES = valuesOf(90 * 96);
const SCALES = Float32Array.from({ length: 96 }, (_, column) => 0.25 + (column % 7));

const TRANSFORMS: Record<string, (runtime: Runtime, lease: Values, options?: { keep?: boolean }) => Promise<Values>> = {
  rotate: (runtime, lease, options) => runtime.rotate(lease, options),
  'rotate in blocks': (runtime, lease, options) => runtime.rotate(lease, { ...options, block: 32 }),
  smooth: (runtime, lease, options) => runtime.smooth(lease, SCALES, options),
  fold: (runtime, lease, options) => runtime.fold(lease, SCALES, options),
  transpose: (runtime, lease, options) => runtime.transpose(lease, options),
};
const NAMES = Object.keys(TRANSFORMS);

/** A copy of values, which are given back. */
function taken(values: Values): Float32Array {
  const copy = copied(values.data);
  values.release();
  return new Float32Array(copy.buffer);
}

/** What the scalar kernels give at once. */
async function expectedOf(name: string, shape: readonly number[], values: Float32Array): Promise<Float32Array> {
  return withRuntime({ kernels: 'scalar', inPlaceLimit: 500 }, async (runtime) =>
    taken(await TRANSFORMS[name]!(runtime, leaseOf(runtime, shape, values))),
  );
}

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test.each(NAMES)('%s: the same bytes, a lease for a lease', async (name) => {
    const expected = await expectedOf(name, SHAPE, VALUES);
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const lease = leaseOf(runtime, SHAPE, VALUES);
      const kept = await TRANSFORMS[name]!(runtime, lease, { keep: true });
      expect(lease.state).toBe('owned');
      expect([...lease.data]).toEqual([...VALUES]);
      expect(kept.shape).toEqual(name === 'transpose' ? [96, 90] : SHAPE);
      expect(difference(copied(kept.data), copied(expected))).toBe('');
      kept.release();
      const again = await TRANSFORMS[name]!(runtime, lease);
      expect(lease.released).toBe(true);
      expect(difference(copied(again.data), copied(expected))).toBe('');
      again.release();
      expect(runtime.metrics()).toMatchObject({ calls: 2, failed: 0, copiedBytes: 0, elements: 0 });
    });
  });

  test('plain tensors, of any type', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const halves = {
        dtype: 'bfloat16',
        shape: [2, 2],
        data: Uint16Array.of(0x3f80, 0x4000, 0x4040, 0x4080),
      } as const;
      expect([...taken(await runtime.rotate(halves))]).toEqual(
        [3, -1, 7, -1].map((value) => Math.fround(value / Math.fround(Math.SQRT2))),
      );
      expect([...taken(await runtime.smooth(halves, [2, 4]))]).toEqual([0.5, 0.5, 1.5, 1]);
      expect([...taken(await runtime.fold(halves, [2, 4]))]).toEqual([2, 8, 6, 16]);
      expect([...taken(await runtime.transpose(halves))]).toEqual([1, 3, 2, 4]);
      expect(runtime.metrics().copiedBytes).toBe(4 * 8);
    });
  });

  test('aborted right after the call', async () => {
    await withRuntime({ ...place, ...FORCED, memory: '64MiB' }, async (runtime) => {
      for (const call of ['rotate', 'transpose'] as const) {
        const stop = new AbortController();
        const lease = leaseOf(runtime, [1000, 2048], valuesOf(2_048_000));
        const result = runtime[call](lease, { signal: stop.signal }).catch((reason: unknown) => reason);
        stop.abort();
        expect(await result).toBe(stop.signal.reason);
        await expectIdle(runtime);
      }
      const signal = AbortSignal.abort(new Error('before'));
      const plain = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) } as const;
      expect(await runtime.fold(plain, [1, 1], { signal }).catch((reason: unknown) => reason)).toBe(signal.reason);
    });
  });
});

describe('a lane that dies', () => {
  test.each(NAMES)('gives its work back: %s', async (name) => {
    await withRuntime({ lanes: 2, memory: '64MiB', workerUrl: lanes('faulty'), ...FORCED }, async (runtime) => {
      const shape = [2000, 96];
      const { lease, values } = faultyBatch(runtime, Fault.LateExitOnce, shape);
      values[1] = 0; // the gate is closed
      const result = taken(await TRANSFORMS[name]!(runtime, lease));
      expect(difference(copied(result), copied(await expectedOf(name, shape, values)))).toBe('');
      await until(() => runtime.metrics().lanes.restarts === 1, 'the lane is noticed to be gone');
    });
  });

  test('a kernel that traps is named', async () => {
    await withRuntime({ lanes: 1, memory: '64MiB', workerUrl: lanes('faulty'), ...FORCED }, async (runtime) => {
      const { lease } = faultyBatch(runtime, Fault.Trap, [300, 96]);
      expect(await rejection(runtime.rotate(lease))).toBe('ERR_QUANTLANE_KERNEL');
      expect(runtime.metrics().failed).toBe(1);
    });
  });
});

describe('rotation', () => {
  test('blocks: the whole row where it can be, else the largest power of two', async () => {
    await withRuntime({}, async (runtime) => {
      const cases: [length: number, block: number][] = [
        [1, 1],
        [64, 64],
        [768, 768],
        [5120, 5120],
        [11008, 256],
        [14, 2],
      ];
      for (const [length, block] of cases) {
        const unit = Float32Array.from({ length }, (_, at) => (at === 0 ? 1 : 0));
        const row = taken(await runtime.rotate(leaseOf(runtime, [1, length], unit)));
        expect(row.findLastIndex((value) => value !== 0)).toBe(block - 1);
        expect(row[0]).toBe(Math.fround(1 / Math.fround(Math.sqrt(block))));
      }
    });
  });

  test('spreads an outlier, and twice gives the values again', async () => {
    await withRuntime({}, async (runtime) => {
      const values = valuesOf(4 * 1536, 5);
      values[700] = 400;
      const once = await runtime.rotate(leaseOf(runtime, [4, 1536], values));
      expect(Math.max(...once.data.subarray(0, 1536).map(Math.abs))).toBeLessThan(40);
      const twice = taken(await runtime.rotate(once));
      expect(twice.every((value, at) => Math.abs(value - values[at]!) < 2e-4)).toBe(true);
    });
  });

  test('a row has the same bytes alone as in a batch', async () => {
    await withRuntime({ lanes: 1, ...FORCED }, async (runtime) => {
      const batch = taken(await runtime.rotate(leaseOf(runtime, SHAPE, VALUES)));
      const alone = taken(await runtime.rotate(leaseOf(runtime, [96], VALUES.slice(30 * 96, 31 * 96))));
      expect([...alone]).toEqual([...batch.subarray(30 * 96, 31 * 96)]);
    });
  });

  test.each([
    ['odd rows', [2, 15], {}, 'ERR_QUANTLANE_SHAPE'],
    ['no axis', [], {}, 'ERR_QUANTLANE_SHAPE'],
    ['no values', [0, 4], {}, 'ERR_QUANTLANE_SHAPE'],
    ['a block that does not divide', [2, 16], { block: 6 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['a block of no matrix', [2, 44], { block: 22 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['a block of nothing', [2, 16], { block: 0 }, 'ERR_QUANTLANE_ARGUMENT'],
    ['a block that is no number', [2, 16], { block: '4' as unknown as number }, 'ERR_QUANTLANE_ARGUMENT'],
  ] as const)('refuses %s', async (_, shape, options, code) => {
    await withRuntime({}, async (runtime) => {
      expect(await rejection(runtime.rotate(runtime.lease('float32', shape), options))).toBe(code);
    });
  });
});

describe('migration', () => {
  test('keeps the product of activations and weights, and lowers the error', async () => {
    await withRuntime({}, async (runtime) => {
      const [tokens, inputs, outputs] = [16, 64, 8];
      const x = valuesOf(tokens * inputs, 1).map((value, at) => (at % inputs === 3 ? value * 100 : value));
      const w = valuesOf(outputs * inputs, 2);
      const channels = { ...preset('torch-int8-per-channel'), name: 'channels', granularity: perChannel(-1) };
      const [ofX, ofW] = [
        await runtime.range({ dtype: 'float32', shape: [tokens, inputs], data: x }, channels),
        await runtime.range({ dtype: 'float32', shape: [outputs, inputs], data: w }, channels),
      ].map(amaxOf);
      expect(ofX![3]).toBe(
        x.reduce((most, value, at) => (at % inputs === 3 ? Math.max(most, Math.abs(value)) : most), 0),
      );
      const scales = smoothScales(ofX!, ofW!);
      const smooth = taken(await runtime.smooth(leaseOf(runtime, [tokens, inputs], x), scales));
      const folded = taken(await runtime.fold(leaseOf(runtime, [outputs, inputs], w), scales));
      const product = (a: Float32Array, b: Float32Array, token: number, output: number) =>
        Array.from({ length: inputs }, (_, k) => a[token * inputs + k]! * b[output * inputs + k]!).reduce(
          (p, q) => p + q,
        );
      expect(product(smooth, folded, 5, 3)).toBeCloseTo(product(x, w, 5, 3), 3);
      const error = async (values: Float32Array) => {
        using q = await runtime.quantize(leaseOf(runtime, [tokens, inputs], values), 'torchao-int8', { stats: true });
        return q.stats!.sqnr;
      };
      // The signal is no longer that of one channel, so compare what is left of the others.
      expect(Math.max(...smooth.map(Math.abs))).toBeLessThan(Math.max(...x.map(Math.abs)) / 4);
      expect(await error(smooth)).toBeGreaterThan(30);
    });
  });

  test.each([
    ['too few scales', [1, 1], 'ERR_QUANTLANE_PARAMETERS'],
    ['a scale of 0', [1, 0, 1], 'ERR_QUANTLANE_PARAMETERS'],
    ['NaN', [1, Number.NaN, 1], 'ERR_QUANTLANE_PARAMETERS'],
    ['a scale that float32 does not hold', [1, 1e300, 1], 'ERR_QUANTLANE_PARAMETERS'],
  ] as const)('refuses %s, and gives the lease back', async (_, scales, code) => {
    await withRuntime({}, async (runtime) => {
      const lease = leaseOf(runtime, [1, 3], Float32Array.of(1, 2, 3));
      expect(await rejection(runtime.smooth(lease, scales, { keep: true }))).toBe(code);
      expect(lease.state).toBe('owned');
      expect(await rejection(runtime.fold(lease, scales))).toBe(code);
      expect(lease.released).toBe(true);
    });
  });
});

describe('transposition', () => {
  test('any scheme on the other axis: blocks along the columns of a matrix', async () => {
    await withRuntime({}, async (runtime) => {
      const values = valuesOf(64 * 10);
      const other = Float32Array.from(values, (_, at) => values[(at % 64) * 10 + Math.floor(at / 64)]!);
      const turned = await runtime.transpose(leaseOf(runtime, [64, 10], values));
      const codes = take(await runtime.quantize(turned, 'ggml-q4_0')).codes;
      expect(codes).toEqual(take(await runtime.quantize(leaseOf(runtime, [10, 64], other), 'ggml-q4_0')).codes);
    });
  });

  test('more axes: each matrix by itself', async () => {
    await withRuntime({}, async (runtime) => {
      const values = Float32Array.from({ length: 12 }, (_, at) => at);
      const turned = await runtime.transpose(leaseOf(runtime, [2, 2, 3], values));
      expect(turned.shape).toEqual([2, 3, 2]);
      expect([...taken(turned)]).toEqual([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
    });
  });

  test('refuses a single axis', async () => {
    await withRuntime({}, async (runtime) => {
      expect(await rejection(runtime.transpose(runtime.lease('float32', [4])))).toBe('ERR_QUANTLANE_SHAPE');
    });
  });
});

test('a closed runtime takes no transform, and a result that never fits is refused', async () => {
  await withRuntime({ memory: '1MiB' }, async (runtime) => {
    const large = runtime.lease('float32', [512, 300]);
    expect(await rejection(runtime.transpose(large))).toBe('ERR_QUANTLANE_ARENA_STUCK');
    const lease = leaseOf(runtime, [1, 2], Float32Array.of(1, 2));
    await runtime.close();
    expect(await rejection(runtime.rotate(lease))).toBe('ERR_QUANTLANE_CLOSED');
    expect(lease.released).toBe(true);
  });
});
