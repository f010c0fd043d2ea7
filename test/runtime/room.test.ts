import { describe, expect, test } from 'vitest';
import { type ArenaError, preset, type TensorLease } from '#src/index.js';
import { rejection, track } from '../memory/helpers.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { expectSame, FORCED, leaseOf, resultAtOnce, take, turn, until, valuesOf } from './helpers.js';

const SMALL = { memory: '64KiB' } as const;
/** Values that take a quarter of it, their results about a sixteenth. */
const SHAPE = [16, 256];
const VALUES = valuesOf(16 * 256);
const PLAIN = { dtype: 'float32', shape: SHAPE, data: VALUES } as const;

describe('an arena that is too small', () => {
  test('for the values', async () => {
    await withRuntime(SMALL, async (runtime) => {
      const tensor = { dtype: 'float32', shape: [20_000], data: new Float32Array(20_000) } as const;
      expect(await rejection(runtime.quantize(tensor, 'onnx-dynamic'))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
      expect(await rejection(runtime.range(tensor, 'onnx-dynamic'))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
    });
  });

  test('for the result alone', async () => {
    await withRuntime(SMALL, async (runtime) => {
      // 5 bytes of result a value, and 80 of statistics.
      const lease = runtime.lease('float16', [20_000, 1]);
      const error = await runtime.quantize(lease, 'torchao-int8').catch((reason: ArenaError) => reason);
      expect(error).toMatchObject({ code: 'ERR_QUANTLANE_ARENA_TOO_SMALL', details: { capacity: 65_536 } });
    });
  });

  test('for values and result together: nobody else will give memory back', async () => {
    await withRuntime(SMALL, async (runtime) => {
      const lease = runtime.lease('float16', [20_000]);
      lease.data.fill(0);
      const scheme = { ...preset('onnx-dynamic'), dtype: 'uint16' as const };
      const code = await rejection(runtime.quantize(lease, scheme));
      expect(code).toBe('ERR_QUANTLANE_ARENA_STUCK');
    });
  });

  test('for values that the caller keeps', async () => {
    await withRuntime(SMALL, async (runtime) => {
      const lease = runtime.lease('float32', [15_000]);
      lease.data.fill(0);
      expect(await rejection(runtime.quantize(lease, 'onnx-dynamic', { keep: true }))).toBe(
        'ERR_QUANTLANE_ARENA_STUCK',
      );
      expect(lease.state).toBe('owned');
      lease.release();
    });
  });

  test('for the values of a result', async () => {
    await withRuntime(SMALL, async (runtime) => {
      const quantized = await runtime.quantize(
        { dtype: 'float16', shape: [20_000], data: new Uint16Array(20_000) },
        'onnx-dynamic',
      );
      expect(await rejection(runtime.dequantize(quantized))).toBe('ERR_QUANTLANE_ARENA_TOO_SMALL');
      expect(quantized.released).toBe(false);
      quantized.release();
    });
  });
});

describe('an arena that is full', () => {
  test('a call waits until memory is given back', async () => {
    await withRuntime(SMALL, async (runtime) => {
      const right = resultAtOnce(runtime, SHAPE, VALUES, 'xnnpack-qd8');
      const all = runtime.lease('float32', [15_000]);
      const calls = [runtime.quantize(PLAIN, 'xnnpack-qd8'), runtime.quantize(PLAIN, 'xnnpack-qd8')].map(track);
      await turn();
      expect(calls.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
      expect(runtime.metrics()).toMatchObject({ pending: 2, arena: { waiting: 2 } });
      expect(() => runtime.quantizeSync(PLAIN, 'xnnpack-qd8')).toThrow(
        expect.objectContaining({ code: 'ERR_QUANTLANE_ARENA_FULL' }),
      );
      all.release();
      await until(() => calls.every(({ state }) => state === 'served'), 'both calls');
      for (const { value } of calls) expectSame(take(value!), right);
    });
  });

  test('dequantize and range wait as well', async () => {
    await withRuntime(SMALL, async (runtime) => {
      const quantized = await runtime.quantize(PLAIN, 'xnnpack-qd8');
      const all: TensorLease[] = [];
      while (runtime.hasRoom('float32', [1000])) all.push(runtime.lease('float32', [1000]));
      const values = track(runtime.dequantize(quantized));
      const range = track(runtime.range(PLAIN, 'xnnpack-qd8'));
      await turn();
      expect([values.state, range.state]).toEqual(['waiting', 'waiting']);
      for (const lease of all) lease.release();
      await until(() => values.state === 'served' && range.state === 'served', 'both calls');
      values.value!.release();
      quantized.release();
    });
  });

  test('by waiting calls alone: one is rejected and the others go on', async () => {
    await withRuntime({ ...SMALL, ...FORCED }, async (runtime) => {
      // Four inputs fill the arena, and every one of them needs room for its result.
      const leases = Array.from({ length: 4 }, () => leaseOf(runtime, SHAPE, VALUES));
      const right = new Set(['none', 'ERR_QUANTLANE_ARENA_STUCK']);
      const codes = await Promise.all(
        leases.map((lease) => rejection(runtime.quantize(lease, 'xnnpack-qd8').then(take))),
      );
      expect(codes.filter((code) => code === 'ERR_QUANTLANE_ARENA_STUCK')).toHaveLength(1);
      expect(new Set(codes)).toEqual(right);
      // The newest gives way.
      expect(codes[3]).toBe('ERR_QUANTLANE_ARENA_STUCK');
    });
  });
});

describe.each(PLACES)('many calls that are larger than the arena together, $name', ({ name: _, ...place }) => {
  test('plain values: all are served', async () => {
    await withRuntime({ ...place, ...FORCED, memory: '160KiB' }, async (runtime) => {
      const right = resultAtOnce(runtime, SHAPE, VALUES, 'xnnpack-qd8');
      const codes: string[] = [];
      const calls = Array.from({ length: 60 }, async () => {
        const quantized = await runtime.quantize(PLAIN, 'xnnpack-qd8').catch((error: ArenaError) => error.code);
        if (typeof quantized === 'string') codes.push(quantized);
        else expectSame(take(quantized), right);
      });
      await Promise.all(calls);
      expect(new Set(codes)).toEqual(new Set(codes.length === 0 ? [] : ['ERR_QUANTLANE_ARENA_STUCK']));
      expect(codes.length).toBeLessThan(60);
    });
  });

  test('leases taken as there is room: all are served', async () => {
    await withRuntime({ ...place, ...FORCED, memory: '160KiB' }, async (runtime) => {
      const right = resultAtOnce(runtime, SHAPE, VALUES, 'torchao-int8');
      const worker = async () => {
        for (let round = 0; round < 8; round++) {
          const lease = await runtime.acquire('float32', SHAPE);
          lease.data.set(VALUES);
          expectSame(take(await runtime.quantize(lease, 'torchao-int8')), right);
        }
      };
      // Five in flight fit with their results.
      await Promise.all(Array.from({ length: 5 }, worker));
      expect(runtime.metrics().arena.peak).toBeLessThanOrEqual(160 * 1024);
    });
  });
});
