/** What those who watch a runtime are told. */
import { hasSubscribers } from 'node:diagnostics_channel';
import { describe, expect, test } from 'vitest';
import type { ArenaEvent, BatchEvent, LaneEvent, TraceContext } from '#src/index.js';
import { Arena } from '#src/memory/index.js';
import { collectUntil } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { watching } from '../support/watch.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { expectSame, FORCED, leaseOf, take, until, valuesOf } from './helpers.js';

const SHAPE = [4, 64];
const values = valuesOf(256, 1);
const plain = { dtype: 'float32', shape: SHAPE, data: values } as const;
const SCHEME = 'torchao-int8';
const FAULTY = { lanes: 2, workerUrl: lanes('faulty', 'cjs'), ...FORCED } as const;

const trace: TraceContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentId: undefined,
  flags: 1,
  tracestate: undefined,
};

/** An event without what differs from time to time. */
function told({ milliseconds, ...event }: BatchEvent): Omit<BatchEvent, 'milliseconds'> {
  expect(milliseconds).toBeGreaterThanOrEqual(0);
  expect(milliseconds).toBeLessThan(60_000);
  return event;
}

const batch = {
  operation: 'quantize',
  scheme: SCHEME,
  dtype: 'float32',
  shape: SHAPE,
  place: 'in-place',
  error: undefined,
  trace: undefined,
};

describe('quantlane:batch', () => {
  test('tells of every call once, in place', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const events = await watching<BatchEvent>('quantlane:batch', async () => {
        // The long way, the short way and the one with a promise.
        for (let time = 0; time < 2; time++) runtime.quantizeSync(leaseOf(runtime, SHAPE, values), SCHEME).release();
        const quantized = await runtime.quantize(plain, SCHEME, { trace });
        (await runtime.dequantize(quantized, { trace })).release();
        runtime.dequantizeSync(quantized).release();
        quantized.release();
        await runtime.range(plain, 'onnx-dynamic');
        await runtime.outliers(plain, 'bnb-int8');
        const scales = new Float32Array(64).fill(2);
        for (const call of [
          runtime.rotate(plain),
          runtime.smooth(plain, scales),
          runtime.fold(plain, scales),
          runtime.transpose(plain),
        ])
          (await call).release();
      });
      const transform = { ...batch, scheme: undefined };
      expect(events.map(told)).toEqual([
        batch,
        batch,
        { ...batch, trace },
        { ...batch, operation: 'dequantize', trace },
        { ...batch, operation: 'dequantize' },
        { ...batch, operation: 'range', scheme: 'onnx-dynamic' },
        { ...batch, operation: 'outliers', scheme: 'bnb-int8' },
        { ...transform, operation: 'rotate' },
        { ...transform, operation: 'smooth' },
        { ...transform, operation: 'fold' },
        { ...transform, operation: 'transpose' },
      ]);
    });
  });

  test('tells where long work ran', async () => {
    const shape = [512, 1024];
    const data = valuesOf(512 * 1024, 2);
    for (const [count, place] of [
      [0, 'sliced'],
      [1, 'lanes'],
    ] as const) {
      await withRuntime({ lanes: count }, async (runtime) => {
        const events = await watching<BatchEvent>('quantlane:batch', async () => {
          const quantized = await runtime.quantize(leaseOf(runtime, shape, data), SCHEME);
          (await runtime.dequantize(quantized)).release();
          quantized.release();
        });
        expect(events.map(told)).toEqual([
          { ...batch, shape, place },
          { ...batch, operation: 'dequantize', shape, place },
        ]);
      });
    }
  });

  test('tells where work ran that lanes could not do', async () => {
    await withRuntime({ ...FAULTY, lanes: 1, workerUrl: lanes('mayfly', 'cjs') }, async (runtime) => {
      const events = await watching<BatchEvent>('quantlane:batch', async () => {
        (await runtime.quantize(faultyBatch(runtime, Fault.ExitOnce, SHAPE).lease, SCHEME)).release();
      });
      expect(events.map(told)).toEqual([{ ...batch, place: 'sliced' }]);
    });
  });

  test('tells why a call failed, by the error that the caller gets', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const bad = { dtype: 'float32', shape: [1, 1], data: Float32Array.of(Number.NaN) } as const;
      const errors: unknown[] = [];
      const events = await watching<BatchEvent>('quantlane:batch', async () => {
        await runtime.quantize(bad, SCHEME).catch((error) => errors.push(error));
        await runtime
          .quantize(bad, SCHEME, { signal: AbortSignal.abort('enough') })
          .catch((error) => errors.push(error));
        await runtime.quantize(plain, 'nope').catch((error) => errors.push(error));
        await runtime.quantize(null as never, null as never).catch((error) => errors.push(error));
        try {
          runtime.quantizeSync(bad, SCHEME);
        } catch (error) {
          errors.push(error);
        }
      });
      expect(errors).toHaveLength(5);
      expect(events.map(({ error }) => error)).toEqual(errors);
      expect(events.map(({ error }) => (error as { code?: string }).code)).toEqual([
        'ERR_QUANTLANE_NON_FINITE',
        undefined,
        'ERR_QUANTLANE_PRESET',
        expect.any(String),
        'ERR_QUANTLANE_NON_FINITE',
      ]);
    });
  });

  test('tells of the batches of a stream, which gives the same', async () => {
    await withRuntime({ lanes: 1, memory: '64MiB' }, async (runtime) => {
      const shapes = [SHAPE, [256, 1024], SHAPE, [300, 1000], SHAPE];
      const source = () => shapes.map((shape, at) => leaseOf(runtime, shape, valuesOf(shape[0]! * shape[1]!, at)));
      const results = async () => {
        const found = [];
        for await (const quantized of runtime.stream(source(), SCHEME, { trace })) found.push(take(quantized));
        return found;
      };
      const unwatched = await results();
      let seen: Awaited<ReturnType<typeof results>> = [];
      const events = await watching<BatchEvent>('quantlane:batch', async () => {
        seen = await results();
      });
      expect(seen).toHaveLength(shapes.length);
      for (const [at, result] of seen.entries()) expectSame(result, unwatched[at]!, `batch ${at}`);
      const shown = (shape: readonly number[]) => JSON.stringify(shape);
      expect(events.map(({ shape }) => shown(shape)).sort()).toEqual(shapes.map(shown).sort());
      expect(events.every((event) => event.trace === trace)).toBe(true);
    });
  });

  test('has nobody by itself', async () => {
    await withRuntime({ lanes: 1 }, () => {
      for (const name of ['batch', 'lane', 'arena', 'server:request']) {
        expect(hasSubscribers(`quantlane:${name}`)).toBe(false);
      }
    });
  });
});

describe('quantlane:lane', () => {
  test('tells of the life of lanes', async () => {
    const events = await watching<LaneEvent>('quantlane:lane', async (events) => {
      await withRuntime({ ...FAULTY, stallDeadline: 400 }, async (runtime) => {
        expect([...events].sort((a, b) => a.lane - b.lane)).toEqual([
          { lane: 0, event: 'started' },
          { lane: 1, event: 'started' },
        ]);
        (await runtime.quantize(faultyBatch(runtime, Fault.Loop, SHAPE).lease, SCHEME)).release();
        await until(() => runtime.metrics().lanes.alive === 2, 'the lane is started again');
      });
    });
    const [{ lane } = { lane: -1 }] = events.slice(2);
    expect(events.slice(2)).toEqual(['stalled', 'lost', 'restarted'].map((event) => ({ lane, event })));
  });

  test('tells of one that is gone', async () => {
    const events = await watching<LaneEvent>('quantlane:lane', async () => {
      await withRuntime({ ...FAULTY, lanes: 1, workerUrl: lanes('mayfly', 'cjs') }, async (runtime) => {
        (await runtime.quantize(faultyBatch(runtime, Fault.ExitOnce, SHAPE).lease, SCHEME)).release();
        await until(() => runtime.metrics().lanes.gone === 1, 'the lane is gone');
      });
    });
    expect(events).toEqual(['started', 'lost', 'gone'].map((event) => ({ lane: 0, event })));
  });
});

describe('quantlane:arena', () => {
  test('tells of requests that have to wait, and of no other', async () => {
    await withRuntime({ lanes: 0, memory: '1KiB' }, async (runtime) => {
      const events = await watching<ArenaEvent>('quantlane:arena', async () => {
        const held = await runtime.acquire('float32', [256]);
        const waiting = runtime.acquire('float32', [16]);
        held.release();
        (await waiting).release();
      });
      expect(events).toEqual([{ event: 'waits', bytes: 64 }]);
    });
  });

  test('tells of leases that were forgotten', async () => {
    const events = await watching<ArenaEvent>('quantlane:arena', async () => {
      const arena = new Arena({ bytes: 1024 });
      (() => arena.lease(100))();
      await collectUntil(() => arena.statistics().leaked === 1);
    });
    expect(events).toEqual([{ event: 'leaked', bytes: 128 }]);
  });
});
