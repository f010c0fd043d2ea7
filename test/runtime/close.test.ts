import { describe, expect, test } from 'vitest';
import { createRuntime, type Runtime } from '#src/index.js';
import { codeOf, rejection, track } from '../memory/helpers.js';
import { expectIdle, PLACES, withRuntime } from '../support/runtime.js';
import { Fault, faultyBatch, lanes } from './faults.js';
import { expectSame, FORCED, leaseOf, resultAtOnce, take, turn, until, valuesOf } from './helpers.js';

const FAULTY = { lanes: 2, memory: '16MiB', workerUrl: lanes('faulty'), ...FORCED } as const;
const SHAPE = [100, 1000];
const VALUES = valuesOf(100_000);

describe.each(PLACES)('close, $name', ({ name: _, ...place }) => {
  test('during work: work finishes, later calls are refused', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const right = resultAtOnce(runtime, SHAPE, VALUES, 'onnx-dynamic');
      const late = runtime.lease('float32', [4]);
      const calls = Array.from({ length: 4 }, () => runtime.quantize(leaseOf(runtime, SHAPE, VALUES), 'onnx-dynamic'));
      const closing = runtime.close();
      await expectRefusals(runtime);
      expect(await rejection(runtime.quantize(late, 'onnx-dynamic'))).toBe('ERR_QUANTLANE_CLOSED');
      for (const call of calls) expectSame(take(await call), right);
      await closing;
      expect(runtime.metrics().lanes.alive).toBe(0);
    });
  });

  test('destroy during work: calls are rejected or finish, and everything is back', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const calls = Array.from({ length: 4 }, () =>
        rejection(runtime.quantize(leaseOf(runtime, SHAPE, VALUES), 'onnx-dynamic').then(take)),
      );
      await runtime.destroy();
      for (const code of await Promise.all(calls)) expect(['none', 'ERR_QUANTLANE_CLOSED']).toContain(code);
      await expectIdle(runtime);
    });
  });
});

/** Every kind of call, on a closed runtime. */
async function expectRefusals(runtime: Runtime): Promise<void> {
  const plain = { dtype: 'float32', shape: [4], data: new Float32Array(4) } as const;
  expect(codeOf(() => runtime.lease('float32', [4]))).toBe('ERR_QUANTLANE_CLOSED');
  expect(codeOf(() => runtime.quantizeSync(plain, 'onnx-dynamic'))).toBe('ERR_QUANTLANE_CLOSED');
  expect(await rejection(runtime.acquire('float32', [4]))).toBe('ERR_QUANTLANE_CLOSED');
  expect(await rejection(runtime.quantize(plain, 'onnx-dynamic'))).toBe('ERR_QUANTLANE_CLOSED');
  expect(await rejection(runtime.range(plain, 'onnx-dynamic'))).toBe('ERR_QUANTLANE_CLOSED');
}

describe('what waits when a runtime closes', () => {
  test('requests for room are rejected at once', async () => {
    await withRuntime({ memory: '64KiB' }, async (runtime) => {
      const all = runtime.lease('float32', [16_384]);
      const waiting = [
        runtime.acquire('float32', [64]),
        runtime.quantize({ dtype: 'float32', shape: [4], data: new Float32Array(4) }, 'onnx-dynamic'),
        runtime.range({ dtype: 'float32', shape: [4], data: new Float32Array(4) }, 'onnx-dynamic'),
      ].map(rejection);
      await turn();
      expect(runtime.metrics().arena.waiting).toBe(3);
      const closing = runtime.close();
      expect(await Promise.all(waiting)).toEqual(new Array(3).fill('ERR_QUANTLANE_CLOSED'));
      await closing;
      all.release();
    });
  });

  test('leases and results stay readable', async () => {
    await withRuntime({ lanes: 1 }, async (runtime) => {
      const lease = leaseOf(runtime, [2, 2], Float32Array.of(1, 2, 3, 4));
      const quantized = await runtime.quantize(lease, 'vllm-int8-per-token', { keep: true });
      await runtime.close();
      expect([...lease.data]).toEqual([1, 2, 3, 4]);
      expect(quantized.data[3]).toBe(127);
      expect(await rejection(runtime.dequantize(quantized))).toBe('ERR_QUANTLANE_CLOSED');
      expect(quantized.released).toBe(false);
      quantized.release();
      lease.release();
    });
  });

  test('destroy withdraws what no lane has begun, and waits for what one has', async () => {
    await withRuntime({ ...FAULTY, lanes: 1 }, async (runtime) => {
      const { lease, held: reached, open } = faultyBatch(runtime, Fault.Gate, [1, 64], 1);
      const held = track(runtime.quantize(lease, 'torchao-int8'));
      const next = track(runtime.quantize(leaseOf(runtime, [1, 64], valuesOf(64)), 'torchao-int8'));
      await reached();
      const destroyed = track(runtime.destroy());
      await until(() => next.state === 'rejected', 'the batch that no lane has begun');
      expect(next.reason).toMatchObject({ code: 'ERR_QUANTLANE_CLOSED' });
      open();
      await until(() => destroyed.state === 'served', 'the end');
      expect(held).toMatchObject({ state: 'rejected', reason: { code: 'ERR_QUANTLANE_CLOSED' } });
    });
  });
});

describe('closing more than once', () => {
  test.each([0, 2])('%i lanes', async (count) => {
    await withRuntime({ lanes: count }, async (runtime) => {
      await Promise.all([runtime.close(), runtime.close(), runtime.destroy()]);
      await runtime.close();
      await runtime.destroy();
      await runtime[Symbol.asyncDispose]();
    });
  });

  test('destroy hurries a close', async () => {
    await withRuntime({ ...FAULTY, lanes: 1 }, async (runtime) => {
      const batches = Array.from({ length: 20 }, (_, seed) => faultyBatch(runtime, Fault.Slow, [1, 64], seed));
      const calls = batches.map(({ lease }) => rejection(runtime.quantize(lease, 'torchao-int8').then(take)));
      await turn();
      const closing = runtime.close();
      await runtime.destroy();
      await closing;
      expect(await Promise.all(calls)).toContain('ERR_QUANTLANE_CLOSED');
    });
  });

  test('await using', async () => {
    const runtime = await createRuntime({ lanes: 1, memory: '1MiB' });
    await runtime[Symbol.asyncDispose]();
    expect(codeOf(() => runtime.lease('float32', [1]))).toBe('ERR_QUANTLANE_CLOSED');
  });
});
