/** Lanes take descriptors from one ring, so a lane that is slow, or held up, keeps only what it has begun. */
import { describe, expect, test } from 'vitest';
import { track } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { expectSame, FORCED, leaseOf, resultAtOnce, take, until, valuesOf } from './helpers.js';

const FAULTY = { lanes: 2, memory: '16MiB', workerUrl: lanes('faulty'), ...FORCED } as const;

describe('a lane that is held up', () => {
  test('holds one batch: the other lane does the rest', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      const { lease, held: reached, open } = faultyBatch(runtime, Fault.Gate, [1, 64]);
      const held = track(runtime.quantize(lease, 'torchao-int8'));
      await reached();
      const values = valuesOf(64, 2);
      const right = resultAtOnce(runtime, [1, 64], values, 'torchao-int8');
      const calls = Array.from({ length: 40 }, () =>
        runtime.quantize(leaseOf(runtime, [1, 64], values), 'torchao-int8'),
      );
      for (const quantized of await Promise.all(calls)) expectSame(take(quantized), right);
      expect(held.state).toBe('waiting');
      open();
      await until(() => held.state === 'served', 'the batch that was held');
      held.value!.release();
      const batches = (await Promise.all(runtime.lanes.map((lane) => lane.stats()))).map((stats) => stats.batches);
      expect(batches.sort((a, b) => a - b)).toEqual([1, 40]);
    });
  });

  test('holds one part of a batch: the other lane does its other parts', async () => {
    await withRuntime(FAULTY, async (runtime) => {
      // Four parts of 100,000 values; only the first reads the gate.
      const shape = [400, 1000];
      const { lease, values, held: reached, open } = faultyBatch(runtime, Fault.GateFirst, shape);
      const call = track(runtime.quantize(lease, 'torchao-int8'));
      await reached();
      await until(() => runtime.metrics().pending === 1, 'the call is under way');
      const other = leaseOf(runtime, [1, 64], valuesOf(64));
      // It comes behind all parts, so these are done when it is.
      (await runtime.quantize(other, 'torchao-int8')).release();
      expect(call.state).toBe('waiting');
      open();
      await until(() => call.state === 'served', 'the call');
      expectSame(take(call.value!), resultAtOnce(runtime, shape, values, 'torchao-int8'));
    });
  });
});
