import { expect, test } from 'vitest';
import { type ErrorStatistics, PRESETS, preset } from '#src/index.js';
import { PLACES, withRuntime } from '../support/runtime.js';

const SHAPE = [210, 1024];
const PARAMETERS = { scale: 0.02, zeroPoint: 128 };

/** Values of many sizes, some beyond what the static parameters reach. */
const VALUES = Float32Array.from({ length: 210 * 1024 }, (_, index) => Math.sin(index * 1.7) * (1 + (index % 7)));

/** The statistics of a preset at one place, and the same from the dequantized values in plain float64. */
async function both(place: (typeof PLACES)[number], name: string): Promise<[ErrorStatistics, ErrorStatistics]> {
  return withRuntime({ ...place, inPlaceLimit: 0 }, async (runtime) => {
    // With a threshold of 6 every column of these values would be kept apart, without any noise.
    const scheme = preset(name, name === 'bnb-int8' ? { threshold: 6.9999 } : {});
    const { parameters: source, symmetric } = scheme;
    const parameters = symmetric ? { scale: PARAMETERS.scale } : PARAMETERS;
    const range = source === 'range' ? { range: { min: -4, max: 4 } } : {};
    const given = source === 'given' ? { parameters } : range;
    const tensor = { dtype: 'float32', shape: SHAPE, data: VALUES } as const;
    const quantized = await runtime.quantize(tensor, scheme, { stats: true, ...given });
    const back = await runtime.dequantize(quantized);
    let [signal, noise, maxError] = [0, 0, 0];
    VALUES.forEach((value, index) => {
      const error = Math.fround(value - back.data[index]!);
      signal += value * value;
      noise += error * error;
      maxError = Math.max(maxError, Math.abs(error));
    });
    const stats = quantized.stats!;
    back.release();
    quantized.release();
    return [stats, { signal, noise, sqnr: 10 * Math.log10(signal / noise), maxError, saturated: stats.saturated }];
  });
}

test.each(PRESETS.map(({ name }) => name))('statistics of %s are the same bits everywhere, and right', async (name) => {
  const [first, plain] = await both(PLACES[0]!, name);
  expect(first.maxError).toBe(plain.maxError);
  for (const key of ['signal', 'noise', 'sqnr'] as const) expect(first[key] / plain[key]).toBeCloseTo(1, 10);
  for (const place of PLACES.slice(1)) expect((await both(place, name))[0], place.name).toEqual(first);
});

test('a code is saturated where it is an end and its error more than half a step', async () => {
  await withRuntime({ lanes: 0 }, async (runtime) => {
    const data = Float32Array.of(0, 2.55, 2.554, 2.56, 9, -0.004, -0.006, -9);
    const options = { stats: true, parameters: { scale: 0.01, zeroPoint: 0 } };
    using quantized = await runtime.quantize({ dtype: 'float32', shape: [8], data }, 'onnx-static', options);
    expect([...quantized.data]).toEqual([0, 255, 255, 255, 255, 0, 0, 0]);
    expect(quantized.stats!.saturated).toBe(4);
  });
});
