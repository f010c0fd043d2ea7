import { describe, expect, test } from 'vitest';
import { preset, type QuantizedTensor, type QuantizeOptions, type Runtime, type TensorInput } from '#src/index.js';
import { codeOf, rejection } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { expectSame, leaseOf, take, valuesOf } from './helpers.js';

/** Both ways to ask for a result at once. */
const WAYS: Record<string, (runtime: Runtime, tensor: TensorInput, options?: QuantizeOptions) => unknown> = {
  quantizeSync: (runtime, tensor, options) => runtime.quantizeSync(tensor, 'onnx-dynamic', options),
  quantize: (runtime, tensor, options) => runtime.quantize(tensor, 'onnx-dynamic', options),
};

/** A lease of [2, 100] with values of a seed. */
function leased(runtime: Runtime, seed: number) {
  return leaseOf(runtime, [2, 100], valuesOf(200, seed));
}

describe.each(Object.keys(WAYS))('%s again', (name) => {
  const ask = WAYS[name]! as (...call: Parameters<(typeof WAYS)[string]>) => QuantizedTensor | Promise<QuantizedTensor>;

  test('gives what a plain tensor gives, and what a first call gives', async () => {
    await withRuntime({}, async (runtime) => {
      for (let seed = 0; seed < 5; seed++) {
        const plain = { dtype: 'float32', shape: [2, 100], data: valuesOf(200, seed) } as const;
        const lease = leased(runtime, seed);
        expectSame(take(await ask(runtime, lease)), take(await ask(runtime, plain)));
        expect([lease.state, codeOf(() => lease.data)]).toEqual(['consumed', 'ERR_QUANTLANE_LEASE_RELEASED']);
      }
      expect(runtime.metrics()).toMatchObject({ calls: 10, failed: 0, elements: 2000, pending: 0 });
    });
  });

  test('keeps what is to be kept, and looks at the options each time', async () => {
    await withRuntime({}, async (runtime) => {
      const lease = leased(runtime, 1);
      const first = take(await ask(runtime, lease, { keep: true }));
      expectSame(take(await ask(runtime, lease, { keep: true })), first);
      const given = await ask(runtime, lease, { keep: true, range: { min: -1, max: 1 } });
      expect(given.scale![0]).toBe(Math.fround(2 / 255));
      given.release();
      const measured = await ask(runtime, lease, { keep: true, stats: true });
      expect(measured.stats!.signal).toBeGreaterThan(0);
      measured.release();
      expectSame(take(await ask(runtime, lease)), first);
    });
  });

  test('refuses values, foreign leases and those that are used up', async () => {
    await withRuntime({}, async (runtime) => {
      const refused = (tensor: TensorInput, options?: QuantizeOptions) =>
        rejection((async () => ask(runtime, tensor, options))());
      take(await ask(runtime, leased(runtime, 1)));
      const bad = leased(runtime, 2);
      bad.data[7] = Number.NaN;
      expect(await refused(bad, { keep: true })).toBe('ERR_QUANTLANE_NON_FINITE');
      expect(await refused(bad)).toBe('ERR_QUANTLANE_NON_FINITE');
      expect(await refused(bad)).toBe('ERR_QUANTLANE_LEASE_RELEASED');
      await withRuntime({}, async (other) => {
        const foreign = leased(other, 3);
        expect(await refused(foreign)).toBe('ERR_QUANTLANE_ARGUMENT');
        foreign.release();
      });
      expect(runtime.metrics()).toMatchObject({ failed: 2, elements: 200, pending: 0 });
    });
  });
});

test('a scheme that is an object of the caller may change between two calls', async () => {
  await withRuntime({}, async (runtime) => {
    const scheme = { ...preset('onnx-dynamic') };
    const lease = leased(runtime, 1);
    runtime.quantizeSync(lease, scheme, { keep: true }).release();
    Object.assign(scheme, { granularity: { kind: 'perToken', axis: -1 } });
    const changed = runtime.quantizeSync(lease, scheme, { keep: true });
    expect(changed.scale).toHaveLength(2);
    changed.release();
    lease.release();
  });
});
