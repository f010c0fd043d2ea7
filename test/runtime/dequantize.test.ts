/** Codes back to values at once: what `dequantize` gives, with its errors, and nothing left behind. */
import { expect, test } from 'vitest';
import { createRuntime, type Runtime } from '#src/index.js';
import { codeOf } from '../memory/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { callOf, schemeOf, VARIANTS } from '../support/variants.js';
import { difference } from '../support/vectors.js';
import { copied, leaseOf, valuesOf } from './helpers.js';

const SHAPE = [3, 256];
const VALUES = valuesOf(3 * 256);

const codesOf = (runtime: Runtime) => runtime.quantizeSync(leaseOf(runtime, SHAPE, VALUES), 'torchao-int8');

test.each(VARIANTS)('$title: the values of dequantize', async (variant) => {
  await withRuntime({}, async (runtime) => {
    const scheme = schemeOf(variant);
    using codes = runtime.quantizeSync(leaseOf(runtime, SHAPE, VALUES), scheme, callOf(scheme));
    using later = await runtime.dequantize(codes);
    using now = runtime.dequantizeSync(codes);
    expect(now.dtype).toBe('float32');
    expect(now.shape).toEqual(SHAPE);
    expect(difference(copied(now.data), copied(later.data))).toBe('');
    // The codes are the caller's again.
    expect(codes.released).toBe(false);
  });
});

test('with lanes it runs on the caller’s thread', async () => {
  await withRuntime({ lanes: 1, inPlaceLimit: 0 }, (runtime) => {
    using codes = codesOf(runtime);
    const before = runtime.metrics().jobs;
    runtime.dequantizeSync(codes).release();
    expect(runtime.metrics().jobs).toEqual({ ...before, inPlace: before.inPlace + 1 });
  });
});

test('no room now is an error at once, and the codes stay', async () => {
  await withRuntime({ memory: '64KiB' }, (runtime) => {
    using codes = codesOf(runtime);
    {
      using _hole = runtime.lease('float32', [768]);
      using _rest = runtime.lease('float32', [15_360]);
      expect(codeOf(() => runtime.dequantizeSync(codes))).toBe('ERR_QUANTLANE_ARENA_FULL');
      expect(runtime.metrics()).toMatchObject({ failed: 1, pending: 0 });
    }
    runtime.dequantizeSync(codes).release();
    expect(runtime.metrics()).toMatchObject({ failed: 1, pending: 0 });
  });
});

test('codes that are released, in use, or of another runtime are refused', async () => {
  await withRuntime({}, async (runtime) => {
    await withRuntime({}, (other) => {
      using codes = codesOf(other);
      expect(codeOf(() => runtime.dequantizeSync(codes))).toBe('ERR_QUANTLANE_ARGUMENT');
    });
    const codes = codesOf(runtime);
    const token = codes.consume();
    expect(codeOf(() => runtime.dequantizeSync(codes))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
    token.restore();
    codes.release();
    expect(codeOf(() => runtime.dequantizeSync(codes))).toBe('ERR_QUANTLANE_LEASE_RELEASED');
    expect(runtime.metrics()).toMatchObject({ failed: 0, pending: 0 });
  });
});

test('a closed runtime refuses', async () => {
  const runtime = await createRuntime({ lanes: 0, memory: '1MiB' });
  const codes = codesOf(runtime);
  await runtime.close();
  expect(codeOf(() => runtime.dequantizeSync(codes))).toBe('ERR_QUANTLANE_CLOSED');
  codes.release();
});
