import type { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import type { QuantizedTensor } from '#src/index.js';
import { rejection } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { expectSame, FORCED, leaseOf, resultAtOnce, take, until, valuesOf } from './helpers.js';

const FAULTY = { lanes: 2, memory: '64MiB', workerUrl: lanes('faulty'), ...FORCED } as const;
const MAYFLY = { ...FAULTY, workerUrl: lanes('mayfly') } as const;

describe('a lane that dies', () => {
  test.each([
    ['a row each', Fault.ExitOnce, [3, 100], 'xnnpack-qd8'],
    ['many parts', Fault.ExitOnce, [600, 1000], 'xnnpack-qd8'],
    ['a part in the middle', Fault.LateExitOnce, [600, 1000], 'torchao-int8'],
    ['the first pass of two', Fault.RangeExitOnce, [1000, 1000], 'onnx-dynamic'],
    ['a later part of the first pass', Fault.LateExitOnce, [1000, 1000], 'onnx-dynamic'],
    ['a mistake outside of the kernel', Fault.ThrowOnce, [3, 100], 'vllm-int8-per-token'],
  ] as const)('gives its work back: %s', async (_, fault, shape, scheme) => {
    await withRuntime(FAULTY, async (runtime) => {
      const { lease, values } = faultyBatch(runtime, fault, shape);
      const result = take(await runtime.quantize(lease, scheme));
      expectSame(result, resultAtOnce(runtime, shape, values, scheme));
      await until(() => runtime.metrics().lanes.restarts === 1, 'the lane is noticed to be gone');
      await until(() => runtime.metrics().lanes.alive === 2, 'the lane is started again');
      expect(runtime.metrics()).toMatchObject({ failed: 0, lanes: { configured: 2, restarts: 1 } });
      expect(await Promise.all(runtime.lanes.map((lane) => lane.ping()))).toEqual([0, 1]);
    });
  });

  test('with only one lane', async () => {
    await withRuntime({ ...FAULTY, lanes: 1 }, async (runtime) => {
      const { lease, values } = faultyBatch(runtime, Fault.ExitOnce, [4, 64]);
      const result = take(await runtime.quantize(lease, 'torchao-int8'));
      expectSame(result, resultAtOnce(runtime, [4, 64], values, 'torchao-int8'));
      await until(() => runtime.metrics().lanes.restarts === 1, 'the lane is started again');
    });
  });

  test('among many calls: none is lost and each gets its own result', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      const shape = [40, 500];
      const calls: Promise<QuantizedTensor>[] = [];
      const inputs: Float32Array[] = [];
      for (let call = 0; call < 60; call++) {
        const batch = faultyBatch(runtime, call % 20 === 7 ? Fault.ExitOnce : 0, shape, call);
        inputs.push(batch.values);
        calls.push(runtime.quantize(batch.lease, 'xnnpack-qd8'));
      }
      const results = (await Promise.all(calls)).map(take);
      results.forEach((result, call) => {
        expectSame(result, resultAtOnce(runtime, shape, inputs[call]!, 'xnnpack-qd8'), `call ${call}`);
      });
      await until(() => runtime.metrics().lanes.restarts === 3, 'every lane that died is started again');
      expect(runtime.metrics().failed).toBe(0);
    });
  });
});

describe('a batch that kills lanes', () => {
  test.each(['xnnpack-qd8', 'onnx-dynamic'])('twice is rejected alone: %s', async (scheme) => {
    await withRuntime(FAULTY, async (runtime) => {
      const shape = [200, 500];
      const values = valuesOf(100_000, 3);
      const calls = Array.from({ length: 12 }, (_, call) =>
        call === 5
          ? rejection(runtime.quantize(faultyBatch(runtime, Fault.AlwaysExit, shape).lease, scheme))
          : runtime.quantize(leaseOf(runtime, shape, values), scheme).then(take),
      );
      const results = await Promise.all(calls);
      expect(results[5]).toBe('ERR_QUANTLANE_POISON_BATCH');
      const right = resultAtOnce(runtime, shape, values, scheme);
      for (const result of results) if (typeof result !== 'string') expectSame(result, right);
      expect(runtime.metrics().failed).toBe(1);
      await until(() => runtime.metrics().lanes.restarts >= 2, 'the lanes that died are started again');
      await until(() => runtime.metrics().lanes.alive === 2, 'the lanes are alive');
    });
  });

  test('a kernel that traps is named and ends nothing', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      const shape = [300, 1000];
      const trap = runtime.quantize(faultyBatch(runtime, Fault.Trap, shape).lease, 'torchao-int8');
      const good = runtime.quantize(leaseOf(runtime, shape, valuesOf(300_000)), 'torchao-int8');
      expect(await rejection(trap)).toBe('ERR_QUANTLANE_KERNEL');
      (await good).release();
      expect(runtime.metrics().lanes).toEqual({ configured: 2, alive: 2, restarts: 0, stalls: 0, gone: 0 });
    });
  });
});

describe('a lane that loops for ever', () => {
  test('is ended, and its batch is computed by another', async () => {
    await withRuntime({ ...FAULTY, stallDeadline: 400 }, async (runtime) => {
      const { lease, values } = faultyBatch(runtime, Fault.Loop, [300, 1000]);
      const result = take(await runtime.quantize(lease, 'onnx-dynamic'));
      expectSame(result, resultAtOnce(runtime, [300, 1000], values, 'onnx-dynamic'));
      await until(() => runtime.metrics().lanes.restarts === 1, 'the lane is started again');
      expect(runtime.metrics()).toMatchObject({ failed: 0, lanes: { stalls: 1 }, jobs: { replayed: 1, poisoned: 0 } });
    });
  });

  test('is not one that works slowly', async () => {
    await withRuntime({ ...FAULTY, stallDeadline: 200 }, async (runtime) => {
      // Twenty parts of 20 ms each, on two lanes: longer than the deadline, but not for one part.
      const calls = Array.from({ length: 20 }, (_, seed) => {
        const { lease } = faultyBatch(runtime, Fault.Slow, [4, 64], seed);
        return runtime.quantize(lease, 'torchao-int8').then((quantized) => quantized.release());
      });
      await Promise.all(calls);
      expect(runtime.metrics().lanes).toMatchObject({ stalls: 0, restarts: 0 });
    });
  });
});

test('a thread that ends before it is ready is replaced at once', async () => {
  // Long enough for the test to fail where a lane waits for a thread until then.
  await withRuntime({ ...FAULTY, startDeadline: 100_000 }, async (runtime) => {
    let ended = 0;
    const end = (thread: Worker) => {
      if (++ended <= 4) void thread.terminate();
    };
    process.on('worker', end);
    try {
      const { lease, values } = faultyBatch(runtime, Fault.ExitOnce, [4, 64]);
      const result = take(await runtime.quantize(lease, 'torchao-int8'));
      expectSame(result, resultAtOnce(runtime, [4, 64], values, 'torchao-int8'));
      await until(() => ended > 4 && runtime.metrics().lanes.alive === 2, 'the lane is started again');
      expect(runtime.metrics().lanes).toMatchObject({ gone: 0 });
    } finally {
      process.off('worker', end);
    }
  });
});

describe('lanes that cannot be started again', () => {
  test('one is left: it does the work', async () => {
    await withRuntime(MAYFLY, async (runtime) => {
      const { lease, values } = faultyBatch(runtime, Fault.ExitOnce, [4, 64]);
      const right = resultAtOnce(runtime, [4, 64], values, 'torchao-int8');
      expectSame(take(await runtime.quantize(lease, 'torchao-int8')), right);
      await until(() => runtime.metrics().lanes.alive === 1, 'the lane is gone');
      const again = runtime.quantize(leaseOf(runtime, [4, 64], values), 'torchao-int8');
      expectSame(take(await again), right);
      expect(runtime.metrics().jobs).toMatchObject({ lanes: 2, sliced: 0 });
    });
  });

  test('none is left: what was on the lanes and all later work runs in place', async () => {
    await withRuntime(MAYFLY, async (runtime) => {
      const shape = [400, 1000];
      const first = faultyBatch(runtime, Fault.ExitOnce, shape, 1);
      const second = faultyBatch(runtime, Fault.ExitOnce, shape, 2);
      const values = valuesOf(400_000, 9);
      const calls = [
        ...[first, second].map(({ lease }) => runtime.quantize(lease, 'onnx-dynamic')),
        ...Array.from({ length: 6 }, () => runtime.quantize(leaseOf(runtime, shape, values), 'onnx-dynamic')),
      ];
      const results = (await Promise.all(calls)).map(take);
      expectSame(results[0]!, resultAtOnce(runtime, shape, first.values, 'onnx-dynamic'));
      expectSame(results[1]!, resultAtOnce(runtime, shape, second.values, 'onnx-dynamic'));
      const right = resultAtOnce(runtime, shape, values, 'onnx-dynamic');
      for (const result of results.slice(2)) expectSame(result, right);
      await until(() => runtime.metrics().lanes.gone === 2, 'both lanes are gone');
      const { sliced, lanes } = runtime.metrics().jobs;
      expectSame(take(await runtime.quantize(leaseOf(runtime, shape, values), 'onnx-dynamic')), right);
      expect(runtime.metrics().jobs).toMatchObject({ sliced: sliced + 1, lanes });
    });
  });

  test('lanes that die too often are given up', async () => {
    await withRuntime({ ...FAULTY, lanes: 1 }, async (runtime) => {
      const codes: string[] = [];
      while (codes.at(-1) !== 'none') {
        const { lease } = faultyBatch(runtime, Fault.AlwaysExit, [1, 64]);
        const call = runtime.quantize(lease, 'torchao-int8').then((quantized) => quantized.release());
        codes.push(await rejection(call));
      }
      // The last one ended a ninth lane, and then ran where there is no fault.
      expect(codes).toEqual([...new Array(4).fill('ERR_QUANTLANE_POISON_BATCH'), 'none']);
      expect(runtime.metrics().lanes).toEqual({ configured: 1, alive: 0, restarts: 8, stalls: 0, gone: 1 });
    });
  });
});
