/** Quantized tensors from parts: `Runtime.load`, which reading a file back needs. */
import { expect, it } from 'vitest';
import { PRESETS, preset, QuantlaneError } from '#src/index.js';
import { withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import { normal } from './helpers.js';

const shape = [3, 64];

/** Rows that the blocks of every preset divide. */
const whole = [3, 256];
const data = normal(3 * 256);

it.each(PRESETS.map(({ name }) => name))('gives back what was quantized: %s', async (name) => {
  await withRuntime({ lanes: 0 }, async (runtime) => {
    const { parameters: source, symmetric } = preset(name);
    const given = symmetric ? { scale: 0.02 } : { scale: 0.02, zeroPoint: 100 };
    const range = source === 'range' ? { range: { min: -3, max: 3 } } : {};
    const parameters = source === 'given' ? { parameters: given } : range;
    using first = await runtime.quantize({ dtype: 'float32', shape: whole, data }, name, parameters);
    const { scheme, data: codes, scale, zeroPoint, outliers, outlierValues } = first;
    const copied = runtime.metrics().copiedBytes;
    using second = await runtime.load({ scheme, shape: whole, data: codes, scale, zeroPoint, outliers, outlierValues });
    const all = [codes, scale, zeroPoint, outliers, outlierValues];
    const bytes = all.reduce((sum, part) => sum + (part?.byteLength ?? 0), 0);
    expect(runtime.metrics().copiedBytes - copied).toBe(bytes);
    expect(second).toMatchObject({
      scheme,
      shape: whole,
      parameterShape: first.parameterShape,
      byteLength: first.byteLength,
    });
    using expected = await runtime.dequantize(first);
    using actual = await runtime.dequantize(second);
    expect(difference(actual.data, expected.data)).toBe('');
  });
});

const right = {
  scheme: preset('xnnpack-qd8'),
  shape,
  data: new Int8Array(3 * 64),
  scale: new Float32Array(3),
  zeroPoint: new Int8Array(3),
};

it.each([
  [{ data: new Uint8Array(3 * 64) }, 'ERR_QUANTLANE_DTYPE'],
  [{ data: new Int8Array(3 * 63) }, 'ERR_QUANTLANE_SHAPE'],
  [{ shape: [3, -64] }, 'ERR_QUANTLANE_SHAPE'],
  [{ shape: [0, 64] }, 'ERR_QUANTLANE_SHAPE'],
  [{ scale: new Uint16Array(3) }, 'ERR_QUANTLANE_DTYPE'],
  [{ scale: null }, 'ERR_QUANTLANE_DTYPE'],
  [{ scale: new Float32Array(2) }, 'ERR_QUANTLANE_PARAMETERS'],
  [{ zeroPoint: new Int16Array(3) }, 'ERR_QUANTLANE_DTYPE'],
  [{ zeroPoint: undefined }, 'ERR_QUANTLANE_DTYPE'],
  [{ zeroPoint: new Int8Array(4) }, 'ERR_QUANTLANE_PARAMETERS'],
  [{ scheme: 'torchao-int8' }, 'ERR_QUANTLANE_PARAMETERS'],
  [{ scheme: 'nope' }, 'ERR_QUANTLANE_PRESET'],
])('refuses %j', async (wrong, code) => {
  await withRuntime({ lanes: 0 }, async (runtime) => {
    const error = await runtime.load({ ...right, ...wrong } as typeof right).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(QuantlaneError);
    expect((error as QuantlaneError).code).toBe(code);
  });
});

it('gives its memory back when it is given up', async () => {
  await withRuntime({ lanes: 0 }, async (runtime) => {
    const wide = [4, 2 ** 20];
    const parts = { ...right, shape: wide, data: new Int8Array(2 ** 22), scale: new Float32Array(4) };
    const stop = new AbortController();
    const loading = runtime.load({ ...parts, zeroPoint: new Int8Array(4) }, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(loading).rejects.toThrow('enough');
  });
});
