import { describe, expect, test } from 'vitest';
import type { QuantizeOptions, Runtime, TensorInput } from '#src/index.js';
import { codeOf, rejection } from '../memory/helpers.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { expectSame, FORCED, leaseOf, take, valuesOf } from './helpers.js';

const VALUES = valuesOf(30 * 64);
const SHAPE = [30, 64];

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('a lease costs no copy, a plain tensor exactly one', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const leased = take(await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), 'xnnpack-qd8'));
      expect(runtime.metrics().copiedBytes).toBe(0);
      const plain = { dtype: 'float32', shape: SHAPE, data: VALUES } as const;
      expectSame(take(await runtime.quantize(plain, 'xnnpack-qd8')), leased);
      expect(runtime.metrics().copiedBytes).toBe(30 * 64 * 4);
      expectSame(take(runtime.quantizeSync(plain, 'xnnpack-qd8')), leased);
      const half = { dtype: 'bfloat16', shape: [5], data: new Uint16Array(5) } as const;
      take(await runtime.quantize(half, 'xnnpack-qd8'));
      await runtime.range(half, 'xnnpack-qd8');
      expect(runtime.metrics().copiedBytes).toBe(2 * 30 * 64 * 4 + 2 * 10);
      expect(runtime.metrics()).toMatchObject({ calls: 5, failed: 0, elements: 3 * 30 * 64 + 5 });
    });
  });

  test('a plain view in the middle of a buffer', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const whole = valuesOf(500_000, 4);
      const data = whole.subarray(33, 33 + 400_000);
      const leased = take(await runtime.quantize(leaseOf(runtime, [400, 1000], data), 'torchao-int8'));
      expectSame(take(await runtime.quantize({ dtype: 'float32', shape: [400, 1000], data }, 'torchao-int8')), leased);
    });
  });

  test('keep: true leaves the lease to its owner', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const lease = leaseOf(runtime, SHAPE, VALUES);
      const first = take(await runtime.quantize(lease, 'torchao-int8', { keep: true }));
      expect(lease.state).toBe('owned');
      expectSame(take(await runtime.quantize(lease, 'torchao-int8', { keep: true })), first);
      expectSame(take(runtime.quantizeSync(lease, 'torchao-int8', { keep: true })), first);
      expect(await rejection(runtime.quantize(lease, 'nonsense', { keep: true }))).toBe('ERR_QUANTLANE_PRESET');
      const call = runtime.quantize(lease, 'torchao-int8', { keep: true });
      expect(lease.state).toBe('consumed');
      expect(codeOf(() => lease.data)).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      (await call).release();
      await runtime.range(lease, 'torchao-int8');
      expect([...lease.data]).toEqual([...VALUES]);
      lease.release();
    });
  });
});

describe('a lease is used up whatever the outcome', () => {
  const bad: [string, (runtime: Runtime) => [TensorInput, string, QuantizeOptions], string][] = [
    ['an unknown preset', (r) => [leaseOf(r, SHAPE, VALUES), 'nonsense', {}], 'ERR_QUANTLANE_PRESET'],
    ['NaN', (r) => [leaseOf(r, SHAPE, VALUES.with(7, Number.NaN)), 'torchao-int8', {}], 'ERR_QUANTLANE_NON_FINITE'],
    ['rows of the wrong length', (r) => [leaseOf(r, [3, 31], valuesOf(93)), 'ggml-q8_0', {}], 'ERR_QUANTLANE_SHAPE'],
    ['no parameters', (r) => [leaseOf(r, SHAPE, VALUES), 'onnx-static', {}], 'ERR_QUANTLANE_PARAMETERS'],
    [
      'a wrong scale',
      (r) => [leaseOf(r, SHAPE, VALUES), 'onnx-static', { parameters: { scale: 0 } }],
      'ERR_QUANTLANE_PARAMETERS',
    ],
    [
      'a result that never fits',
      (r) => [leaseOf(r, [100_000, 1], valuesOf(100_000)), 'torchao-int8', { stats: true }],
      'ERR_QUANTLANE_ARENA_TOO_SMALL',
    ],
  ];

  test.each(bad)('%s', async (_, make, code) => {
    await withRuntime({ memory: '1MiB' }, async (runtime) => {
      for (const keep of [false, true]) {
        const [tensor, scheme, options] = make(runtime);
        const lease = tensor as ReturnType<typeof leaseOf>;
        expect(await rejection(runtime.quantize(lease, scheme, { ...options, keep }))).toBe(code);
        expect(lease.state).toBe(keep ? 'owned' : 'consumed');
        lease[Symbol.dispose]();
        const [again] = make(runtime);
        expect(codeOf(() => runtime.quantizeSync(again, scheme, { ...options, keep }))).toBe(code);
        if (keep) (again as typeof lease).release();
      }
      expect(runtime.metrics()).toMatchObject({ failed: 4, elements: 0 });
    });
  });

  test('a closed runtime', async () => {
    await withRuntime({ memory: '1MiB' }, async (runtime) => {
      const [lost, kept] = [leaseOf(runtime, SHAPE, VALUES), leaseOf(runtime, SHAPE, VALUES)];
      await runtime.close();
      expect(await rejection(runtime.quantize(lost, 'torchao-int8'))).toBe('ERR_QUANTLANE_CLOSED');
      expect(await rejection(runtime.quantize(kept, 'torchao-int8', { keep: true }))).toBe('ERR_QUANTLANE_CLOSED');
      expect([lost.state, kept.state]).toEqual(['consumed', 'owned']);
      kept.release();
    });
  });
});

describe('what nobody owns', () => {
  test('a consumed lease cannot be used', async () => {
    await withRuntime({}, async (runtime) => {
      const lease = leaseOf(runtime, SHAPE, VALUES);
      const call = runtime.quantize(lease, 'torchao-int8');
      expect(codeOf(() => lease.data)).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      expect(codeOf(() => lease.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
      expect(await rejection(runtime.quantize(lease, 'torchao-int8'))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      expect(codeOf(() => runtime.quantizeSync(lease, 'torchao-int8'))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      expect(await rejection(runtime.range(lease, 'torchao-int8'))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      lease[Symbol.dispose]();
      (await call).release();
      expect(codeOf(() => lease.data)).toBe('ERR_QUANTLANE_LEASE_RELEASED');
    });
  });

  test('a released result cannot be used', async () => {
    await withRuntime({}, async (runtime) => {
      const quantized = await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), 'xnnpack-qd8', { stats: true });
      quantized.release();
      expect(quantized.released).toBe(true);
      for (const look of [
        () => quantized.data,
        () => quantized.scale,
        () => quantized.zeroPoint,
        () => quantized.stats,
      ]) {
        expect(codeOf(look)).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      }
      expect(quantized.shape).toEqual(SHAPE);
      expect(codeOf(() => quantized.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
      quantized[Symbol.dispose]();
      expect(await rejection(runtime.dequantize(quantized))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
    });
  });

  test('a result that is dequantized cannot be released meanwhile', async () => {
    await withRuntime({ lanes: 1, ...FORCED }, async (runtime) => {
      const quantized = await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), 'xnnpack-qd8');
      const call = runtime.dequantize(quantized);
      expect(codeOf(() => quantized.release())).toBe('ERR_QUANTLANE_DOUBLE_RELEASE');
      (await call).release();
      quantized.release();
    });
  });

  test('tensors of another runtime are refused', async () => {
    await withRuntime({}, async (mine) => {
      await withRuntime({}, async (theirs) => {
        const lease = leaseOf(theirs, SHAPE, VALUES);
        expect(await rejection(mine.quantize(lease, 'torchao-int8'))).toBe('ERR_QUANTLANE_ARGUMENT');
        expect(codeOf(() => mine.quantizeSync(lease, 'torchao-int8'))).toBe('ERR_QUANTLANE_ARGUMENT');
        expect(await rejection(mine.range(lease, 'torchao-int8'))).toBe('ERR_QUANTLANE_ARGUMENT');
        const quantized = await theirs.quantize(lease, 'torchao-int8');
        expect(await rejection(mine.dequantize(quantized))).toBe('ERR_QUANTLANE_ARGUMENT');
        quantized.release();
      });
    });
  });
});
