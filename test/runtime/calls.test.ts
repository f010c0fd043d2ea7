import { describe, expect, test } from 'vitest';
import { defineScheme, perBlock, perChannel, perTensor, perToken, preset, TensorLease } from '#src/index.js';
import { rejection } from '../memory/helpers.js';
import { PLACES, withRuntime } from '../support/runtime.js';
import { copied, expectSame, FORCED, leaseOf, take, valuesOf } from './helpers.js';

const SHAPE = [6, 5, 64];
const VALUES = valuesOf(6 * 5 * 64, 12);
const GRANULARITIES = [perTensor, perToken, perChannel(0), perChannel(1), perChannel(2), perBlock(24), perBlock(4, 1)];

describe.each(PLACES)('$name', ({ name: _, ...place }) => {
  test('quantizeSync gives what quantize gives', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      for (const granularity of GRANULARITIES) {
        const scheme = defineScheme({ ...preset('xnnpack-qd8'), granularity });
        const later = take(await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), scheme));
        const atOnce = runtime.quantizeSync(leaseOf(runtime, SHAPE, VALUES), scheme);
        expect(atOnce).toMatchObject({ scheme, shape: SHAPE, dtype: 'float32' });
        expectSame(take(atOnce), later);
      }
      expect(runtime.metrics().jobs.inPlace).toBe(GRANULARITIES.length);
    });
  });

  test('range: smallest and largest value with zero, in the shape of the parameters', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      for (const granularity of GRANULARITIES) {
        const scheme = defineScheme({ ...preset('xnnpack-qd8'), granularity });
        const lease = leaseOf(runtime, SHAPE, VALUES);
        const { min, max, shape } = await runtime.range(lease, scheme);
        expect(lease.state).toBe('owned');
        const dynamic = await runtime.quantize(lease, scheme);
        expect(shape).toEqual(dynamic.parameterShape);
        expect([min.length, max.length]).toEqual([dynamic.scale!.length, dynamic.scale!.length]);
        expect(min.every((value, at) => value <= 0 && max[at]! >= 0)).toBe(true);
        if (granularity === perTensor) {
          expect([...min, ...max]).toEqual([Math.min(0, ...VALUES), Math.max(0, ...VALUES)]);
        }
        // The range that was found gives the parameters that a dynamic call finds.
        const given = await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), scheme, { range: { min, max } });
        expectSame(take(given), take(dynamic));
      }
    });
  });

  test('a range that is given: it is widened to zero, and values beyond it saturate', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const scheme = preset('onnx-dynamic');
      const options = { range: { min: 0.5, max: 2 } };
      const values = Float32Array.of(-1, 0, 1, 2, 3);
      const quantized = await runtime.quantize(leaseOf(runtime, [5], values), scheme, options);
      expect([...quantized.scale!, ...quantized.zeroPoint!]).toEqual([Math.fround(2 / 255), 0]);
      expect([...quantized.data]).toEqual([0, 0, 127, 255, 255]);
      quantized.release();
    });
  });

  test('parameters that are given: no zero points are zeros', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const scale = Float32Array.of(0.5, 1, 2);
      const values = Float32Array.of(1, -1, 1, -1, 1, -1);
      for (const dtype of ['int8', 'uint16'] as const) {
        const scheme = preset('onnx-static', { dtype, axis: 0 });
        const parameters = { scale };
        const quantized = await runtime.quantize(leaseOf(runtime, [3, 2], values), scheme, { parameters });
        const low = dtype === 'int8' ? -1 : 0;
        expect([...quantized.data]).toEqual([2, 2 * low, 1, low, 0, 0]);
        expect([...quantized.zeroPoint!]).toEqual([0, 0, 0]);
        quantized.release();
      }
    });
  });

  test('dequantize: the codes stay, the values are a lease', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      for (const granularity of GRANULARITIES) {
        const scheme = defineScheme({ ...preset('xnnpack-qd8'), granularity });
        const quantized = await runtime.quantize(leaseOf(runtime, SHAPE, VALUES), scheme, { stats: true });
        const before = copied(quantized.data);
        const values = await runtime.dequantize(quantized);
        expect(values).toBeInstanceOf(TensorLease);
        expect(values.shape).toEqual(SHAPE);
        expect(copied(quantized.data)).toEqual(before);
        const largest = values.data.reduce((most, value, at) => Math.max(most, Math.abs(value - VALUES[at]!)), 0);
        expect(largest).toBeCloseTo(quantized.stats!.maxError, 6);
        quantized.release();
        // The values can be quantized again, to the codes that they came from.
        const again = await runtime.quantize(values, scheme);
        expect(again.data).toHaveLength(before.length);
        again.release();
      }
    });
  });

  test('16-bit values widen exactly', async () => {
    await withRuntime({ ...place, ...FORCED }, async (runtime) => {
      const floats = Float32Array.from({ length: 640 }, (_, at) => (at % 31) - 15.5);
      const brains = Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16);
      const lease = runtime.lease('bfloat16', [10, 64]);
      lease.data.set(brains);
      const narrow = await runtime.quantize(lease, 'torchao-int8');
      expect(narrow.dtype).toBe('bfloat16');
      expectSame(take(narrow), take(await runtime.quantize(leaseOf(runtime, [10, 64], floats), 'torchao-int8')));
    });
  });
});

test('drain settles when no call is pending', async () => {
  await withRuntime({ lanes: 1, ...FORCED }, async (runtime) => {
    await runtime.drain();
    const order: string[] = [];
    const call = runtime.quantize(leaseOf(runtime, SHAPE, VALUES), 'torchao-int8').then((quantized) => {
      order.push('call');
      quantized.release();
    });
    expect(runtime.metrics().pending).toBe(1);
    await Promise.all([runtime.drain().then(() => order.push('drained')), runtime.drain(), call]);
    expect(runtime.metrics().pending).toBe(0);
    expect(order).toContain('drained');
    // A call that fails is over as well.
    const bad = rejection(runtime.quantize(leaseOf(runtime, [1, 2], Float32Array.of(1, Number.NaN)), 'torchao-int8'));
    await runtime.drain();
    expect(await bad).toBe('ERR_QUANTLANE_NON_FINITE');
  });
});

test('small calls run at once until the turn has no time left', async () => {
  await withRuntime({ lanes: 0 }, async (runtime) => {
    const values = valuesOf(5000);
    const calls = Array.from({ length: 400 }, () =>
      runtime.quantize(leaseOf(runtime, [50, 100], values), 'torchao-int8'),
    );
    for (const call of calls) (await call).release();
    const { inPlace, sliced } = runtime.metrics().jobs;
    expect(inPlace + sliced).toBe(400);
    expect(inPlace).toBeGreaterThan(0);
    expect(sliced).toBeGreaterThan(0);
  });
});
