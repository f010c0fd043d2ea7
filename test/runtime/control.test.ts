import { describe, expect, test } from 'vitest';
import { rejection, track } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { FORCED, leaseOf, take, turn, until, valuesOf } from './helpers.js';

const FAULTY = { lanes: 2, memory: '16MiB', workerUrl: lanes('faulty'), ...FORCED } as const;

describe('the control channel of an idle lane', () => {
  test('ping, statistics and self-test', async () => {
    await withRuntime({ lanes: 2 }, async (runtime) => {
      const [first, second] = runtime.lanes;
      expect([await first!.ping(), await second!.ping()]).toEqual([0, 1]);
      const [a, b] = await Promise.all([first!.stats(), second!.stats()]);
      expect(a).toMatchObject({ lane: 0, kernels: 'simd', batches: 0, busyMs: 0 });
      expect(a.uptimeMs).toBeGreaterThan(0);
      expect(a.threadId).not.toBe(b.threadId);
      const report = await first!.selfTest();
      expect(report).toMatchObject({ ok: true, failed: [] });
      expect(report.presets).toContain('xnnpack-qd8');
    });
  });

  test('scalar kernels name themselves', async () => {
    await withRuntime({ lanes: 1, kernels: 'scalar' }, async (runtime) => {
      expect(await runtime.lanes[0]!.stats()).toMatchObject({ kernels: 'scalar' });
      expect(await runtime.lanes[0]!.selfTest()).toMatchObject({ ok: true });
    });
  });

  test('no lanes, no handles', async () => {
    await withRuntime({ lanes: 0 }, (runtime) => {
      expect(runtime.lanes).toEqual([]);
    });
  });
});

describe('drain and resume', () => {
  test('a drained lane leaves the work to the others', async () => {
    await withRuntime({ lanes: 2, ...FORCED }, async (runtime) => {
      const [first, second] = runtime.lanes;
      await first!.drain();
      const calls = Array.from({ length: 20 }, () =>
        runtime.quantize(leaseOf(runtime, [10, 100], valuesOf(1000)), 'torchao-int8').then(take),
      );
      await Promise.all(calls);
      expect((await first!.stats()).batches).toBe(0);
      expect((await second!.stats()).batches).toBe(20);
      await first!.resume();
    });
  });

  test('with every lane drained work waits for one that is resumed', async () => {
    await withRuntime({ lanes: 2, ...FORCED }, async (runtime) => {
      const [first, second] = runtime.lanes;
      await Promise.all([first!.drain(), second!.drain()]);
      const call = track(runtime.quantize(leaseOf(runtime, [10, 100], valuesOf(1000)), 'torchao-int8'));
      await Promise.all([first!.ping(), second!.ping()]);
      await turn();
      expect(call.state).toBe('waiting');
      await second!.resume();
      await until(() => call.state === 'served', 'the call is served');
      call.value!.release();
      expect((await second!.stats()).batches).toBe(1);
    });
  });

  test('a lane that works is drained after its batch', async () => {
    await withRuntime({ ...FAULTY, lanes: 1 }, async (runtime) => {
      const [lane] = runtime.lanes;
      const { lease, held: reached, open } = faultyBatch(runtime, Fault.Gate, [1, 64], 1);
      const held = track(runtime.quantize(lease, 'torchao-int8'));
      await reached();
      const next = track(runtime.quantize(leaseOf(runtime, [1, 64], valuesOf(64)), 'torchao-int8'));
      const drained = track(lane!.drain());
      await turn();
      expect([held.state, drained.state]).toEqual(['waiting', 'waiting']);
      open();
      await until(
        () => drained.state === 'served' && held.state === 'served',
        'the batch ends and the lane is drained',
      );
      held.value!.release();
      // The lane looks at its channel between two batches, or after a millisecond of them.
      await lane!.resume();
      await until(() => next.state === 'served', 'the next batch');
      next.value!.release();
    });
  });
});

describe('a lane at work', () => {
  test('answers between its batches', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      const calls = Array.from({ length: 8 }, (_, seed) =>
        runtime.quantize(faultyBatch(runtime, Fault.Slow, [2, 100], seed).lease, 'torchao-int8').then(take),
      );
      const answers = await Promise.all(runtime.lanes.map((lane) => lane.ping()));
      expect(answers).toEqual([0, 1]);
      expect(runtime.metrics().pending).toBeGreaterThan(0);
      await Promise.all(calls);
    });
  });

  test('that dies rejects the calls in flight', async () => {
    await withRuntime({ ...FAULTY, lanes: 1 }, async (runtime) => {
      const [lane] = runtime.lanes;
      const { lease, held, open } = faultyBatch(runtime, Fault.GateExit, [1, 64], 1);
      const poison = rejection(runtime.quantize(lease, 'torchao-int8'));
      await held();
      const calls = [lane!.ping(), lane!.stats(), lane!.selfTest(), lane!.drain(), lane!.resume()].map(rejection);
      open();
      const codes = await Promise.all(calls);
      expect(new Set(codes)).toEqual(new Set(['ERR_QUANTLANE_LANE_LOST']));
      expect(await poison).toBe('ERR_QUANTLANE_POISON_BATCH');
      expect(lane!.isAlive).toBe(false);
      expect(await rejection(lane!.ping())).toBe('ERR_QUANTLANE_LANE_LOST');
      await until(() => runtime.metrics().lanes.alive === 1, 'the lane is started again');
      expect(runtime.lanes[0]).not.toBe(lane);
      expect(await runtime.lanes[0]!.ping()).toBe(0);
    });
  });
});

test('the control of a closed runtime is ERR_QUANTLANE_LANE_LOST', async () => {
  await withRuntime({ lanes: 1 }, async (runtime) => {
    const [lane] = runtime.lanes;
    await runtime.close();
    const calls = [() => lane!.ping(), () => lane!.stats(), () => lane!.drain(), () => lane!.resume()];
    for (const call of calls) expect(await rejection(call())).toBe('ERR_QUANTLANE_LANE_LOST');
  });
});
