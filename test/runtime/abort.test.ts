import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { track } from '../memory/helpers.js';
import { expectIdle, PLACES, withRuntime } from '../support/runtime.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { FORCED, leaseOf, take, turn, until, valuesOf } from './helpers.js';

const FAULTY = { lanes: 1, memory: '64MiB', workerUrl: lanes('faulty'), ...FORCED } as const;
const PLAIN = { dtype: 'float32', shape: [4], data: new Float32Array(4) } as const;

/** What a call is rejected with; fails where it is served. */
function reasonOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.fail('served'),
    (reason: unknown) => reason,
  );
}

describe.each(PLACES)('abort, $name', ({ name: _, ...place }) => {
  test('before the call: the signal’s reason, and the lease is used up', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const reason = new Error('not wanted');
      const signal = AbortSignal.abort(reason);
      const lease = runtime.lease('float32', [4]);
      expect(await reasonOf(runtime.quantize(lease, 'onnx-dynamic', { signal }))).toBe(reason);
      expect(lease.released).toBe(true);
      expect(await reasonOf(runtime.quantize(PLAIN, 'onnx-dynamic', { signal }))).toBe(reason);
      expect(await reasonOf(runtime.range(PLAIN, 'onnx-dynamic', { signal }))).toBe(reason);
      expect(await reasonOf(runtime.acquire('float32', [4], { signal }))).toBe(reason);
      const quantized = await runtime.quantize(PLAIN, 'onnx-dynamic');
      expect(await reasonOf(runtime.dequantize(quantized, { signal }))).toBe(reason);
      quantized.release();
    });
  });

  test('right after the call', async () => {
    await withRuntime({ ...place, ...FORCED, memory: '64MiB' }, async (runtime) => {
      const values = valuesOf(4_000_000);
      const shape = [4000, 1000];
      for (const scheme of ['onnx-dynamic', 'torchao-int8']) {
        const stop = new AbortController();
        const call = runtime.quantize(leaseOf(runtime, shape, values), scheme, { signal: stop.signal });
        stop.abort();
        expect(await reasonOf(call)).toBe(stop.signal.reason);
        await expectIdle(runtime);
      }
    });
  });

  test('while plain values are copied', async () => {
    await withRuntime({ ...place, memory: '64MiB' }, async (runtime) => {
      const stop = new AbortController();
      const tensor = { dtype: 'float32', shape: [4_000_000], data: new Float32Array(4_000_000) } as const;
      const call = track(runtime.quantize(tensor, 'onnx-dynamic', { signal: stop.signal }));
      await turn();
      stop.abort();
      await until(() => call.state !== 'waiting', 'the call ends');
      expect(call.reason).toBe(stop.signal.reason);
      expect(runtime.metrics().copiedBytes).toBe(0);
    });
  });

  test('a small plain tensor, right after the call', async () => {
    await withRuntime(place, async (runtime) => {
      const stop = new AbortController();
      const call = runtime.quantize(PLAIN, 'onnx-dynamic', { signal: stop.signal });
      stop.abort();
      expect(await reasonOf(call)).toBe(stop.signal.reason);
    });
  });

  test('a signal that lives on keeps no listener', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const { signal } = new AbortController();
      for (let round = 0; round < 20; round++) {
        const quantized = await runtime.quantize(PLAIN, 'onnx-dynamic', { signal });
        (await runtime.dequantize(quantized, { signal })).release();
        await runtime.range(PLAIN, 'onnx-dynamic', { signal });
        (await runtime.acquire('float32', [4], { signal })).release();
        quantized.release();
        const refused = { ...PLAIN, data: Float32Array.of(1, 2, 3, Number.NaN) };
        await reasonOf(runtime.quantize(refused, 'onnx-dynamic', { signal }));
      }
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });
  });
});

describe('abort where calls wait', () => {
  test('in slices, behind another call', async () => {
    await withRuntime({ ...FORCED, memory: '64MiB' }, async (runtime) => {
      const stop = new AbortController();
      const first = runtime.quantize(leaseOf(runtime, [4_000_000], valuesOf(4_000_000)), 'onnx-dynamic');
      const second = runtime.quantize(PLAIN, 'onnx-dynamic', { signal: stop.signal });
      await turn();
      stop.abort();
      expect(await reasonOf(second)).toBe(stop.signal.reason);
      take(await first);
    });
  });

  test('on a lane: what has begun is waited for', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      const stop = new AbortController();
      const { lease, held, open } = faultyBatch(runtime, Fault.Gate, [1000, 400], 1);
      const call = track(runtime.quantize(lease, 'torchao-int8', { signal: stop.signal }));
      await held();
      const { inUse } = runtime.metrics().arena;
      stop.abort(new Error('enough'));
      await turn();
      expect(runtime.metrics().arena.inUse).toBe(inUse);
      open();
      await until(() => call.state === 'rejected', 'the call ends');
      expect(call.reason).toBe(stop.signal.reason);
      await expectIdle(runtime);
    });
  });

  test('in the ring and in the backlog', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      const stop = new AbortController();
      const { signal } = stop;
      const { lease, held: reached, open } = faultyBatch(runtime, Fault.Gate, [1, 64], 1);
      const held = runtime.quantize(lease, 'torchao-int8');
      await reached();
      // More than the 512 slots of the ring.
      const calls = Array.from({ length: 700 }, () =>
        track(runtime.quantize(leaseOf(runtime, [1, 64], valuesOf(64)), 'torchao-int8', { signal })),
      );
      await turn();
      stop.abort(new Error('enough'));
      await until(() => calls.every((call) => call.state === 'rejected'), 'all calls end');
      expect(calls.every((call) => call.reason === signal.reason)).toBe(true);
      open();
      take(await held);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      take(await runtime.quantize(leaseOf(runtime, [1, 64], valuesOf(64)), 'torchao-int8'));
    });
  });

  test('one of the backlog, the others go on', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      const stop = new AbortController();
      const { lease, held: reached, open } = faultyBatch(runtime, Fault.Gate, [1, 64], 1);
      const held = runtime.quantize(lease, 'torchao-int8');
      await reached();
      const calls = Array.from({ length: 700 }, (_, index) => {
        const options = index % 3 === 0 ? { signal: stop.signal } : {};
        return track(runtime.quantize(leaseOf(runtime, [1, 64], valuesOf(64)), 'torchao-int8', options));
      });
      await turn();
      stop.abort();
      await until(() => calls.every((call, index) => index % 3 > 0 || call.state === 'rejected'), 'a third ends');
      open();
      take(await held);
      await until(() => calls.every((call) => call.state !== 'waiting'), 'the rest is served');
      for (const [index, call] of calls.entries()) {
        expect(call.state).toBe(index % 3 === 0 ? 'rejected' : 'served');
        call.value?.release();
      }
    });
  });

  test('waiting for room', async () => {
    await withRuntime({ memory: '64KiB' }, async (runtime) => {
      const stop = new AbortController();
      const { signal } = stop;
      const all = runtime.lease('float32', [16_000]);
      const waiting = [
        runtime.acquire('float32', [4000], { signal }),
        runtime.quantize({ ...PLAIN, shape: [4000], data: new Float32Array(4000) }, 'onnx-dynamic', { signal }),
      ].map(reasonOf);
      await turn();
      expect(runtime.metrics().arena.waiting).toBe(2);
      stop.abort();
      expect(await Promise.all(waiting)).toEqual([signal.reason, signal.reason]);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      all.release();
    });
  });
});
