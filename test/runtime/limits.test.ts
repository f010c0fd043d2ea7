/** Deadlines, the limit of calls, and the end with a grace. */
import { describe, expect, test } from 'vitest';
import { rejection } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { FORCED, leaseOf, valuesOf } from './helpers.js';

const FAULTY = { lanes: 1, memory: '16MiB', workerUrl: lanes('faulty'), ...FORCED } as const;
const values = valuesOf(256, 5);

describe('a deadline', () => {
  test('gives up work that no lane has begun, and the lease is back', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      const gate = faultyBatch(runtime, Fault.Gate, [4, 64]);
      const running = runtime.quantize(gate.lease, 'torchao-int8', { deadline: 60_000 });
      await gate.held();
      const late = runtime.quantize(leaseOf(runtime, [4, 64], values), 'torchao-int8', { deadline: 20 });
      await expect(late).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_DEADLINE',
        message: expect.stringMatching(/^Expected to begin before the deadline, got \d+ ms more of waiting$/),
      });
      expect(runtime.metrics().jobs.late).toBe(1);
      gate.open();
      (await running).release();
    });
  });

  test('does not give up work that has begun', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      const gate = faultyBatch(runtime, Fault.Gate, [4, 64]);
      const running = runtime.quantize(gate.lease, 'torchao-int8', { deadline: 500 });
      await gate.held();
      await new Promise((resolve) => setTimeout(resolve, 600));
      gate.open();
      (await running).release();
      expect(runtime.metrics().jobs.late).toBe(0);
    });
  });

  test('counts while a call waits for room', async () => {
    await withRuntime({ lanes: 0, memory: '64KiB' }, async (runtime) => {
      const all = runtime.lease('float32', [15 * 1024]);
      const plain = { dtype: 'float32', shape: [1024], data: valuesOf(1024) } as const;
      expect(await rejection(runtime.quantize(plain, 'torchao-int8', { deadline: 20 }).then((q) => q.release()))).toBe(
        'ERR_QUANTLANE_DEADLINE',
      );
      all.release();
      (await runtime.quantize(plain, 'torchao-int8', { deadline: 60_000 })).release();
    });
  });

  test.each([0, -1, Number.NaN, '5'])('is a number above zero: %s', async (deadline) => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const call = runtime.quantize(leaseOf(runtime, [256], values), 'torchao-int8', { deadline: deadline as number });
      expect(await rejection(call.then((q) => q.release()))).toBe('ERR_QUANTLANE_ARGUMENT');
    });
  });
});

describe('maxPending', () => {
  test('refuses a call too many, whose lease is back, and takes the next one', async () => {
    await withRuntime({ ...FAULTY, maxPending: 2 }, async (runtime) => {
      const gate = faultyBatch(runtime, Fault.Gate, [4, 64]);
      const running = [
        runtime.quantize(gate.lease, 'torchao-int8'),
        runtime.quantize(leaseOf(runtime, [4, 64], values), 'torchao-int8'),
      ];
      await expect(runtime.quantize(leaseOf(runtime, [4, 64], values), 'torchao-int8')).rejects.toMatchObject({
        code: 'ERR_QUANTLANE_OVERLOADED',
        details: { maxPending: 2 },
      });
      await gate.held();
      gate.open();
      for (const call of running) (await call).release();
      (await runtime.quantize(leaseOf(runtime, [4, 64], values), 'torchao-int8')).release();
    });
  });

  test('has streams wait rather than fail', async () => {
    await withRuntime({ lanes: 1, maxPending: 2, ...FORCED }, async (runtime) => {
      const batches = function* () {
        for (let k = 0; k < 40; k++) yield leaseOf(runtime, [4, 64], values);
      };
      const counts = await Promise.all(
        [1, 2, 3].map(async () => {
          let count = 0;
          for await (const quantized of runtime.stream(batches(), 'torchao-int8')) {
            count++;
            quantized.release();
          }
          return count;
        }),
      );
      expect(counts).toEqual([40, 40, 40]);
    });
  });
});

test('a close with a grace gives up what is left then', async () => {
  await withRuntime(FAULTY, async (runtime) => {
    const gate = faultyBatch(runtime, Fault.Gate, [4, 64]);
    const running = runtime.quantize(gate.lease, 'torchao-int8');
    await gate.held();
    const waiting = rejection(
      runtime.quantize(leaseOf(runtime, [4, 64], values), 'torchao-int8').then((q) => q.release()),
    );
    const closed = runtime.close({ grace: 20 });
    expect(await waiting).toBe('ERR_QUANTLANE_CLOSED');
    gate.open();
    expect(await rejection(running.then((q) => q.release()))).toBe('ERR_QUANTLANE_CLOSED');
    await closed;
  });
});
