/** Rotation spreads the channels that stand out in the keys of a trained model, and int4 gains by it. */
import { expect, test } from 'vitest';
import { cacheQuality, OUTLIERS, qualityLines } from '../../dist/bench/cases/kvcache-quality.js';
import { withRuntime } from '../support/runtime.js';

// The types of the build are not those of the sources.
type Built = Parameters<typeof cacheQuality>[0];
const qualityOf = (channels: readonly number[]) =>
  withRuntime({}, (runtime) => cacheQuality(runtime as unknown as Built, channels));

test.each(OUTLIERS.slice(1).map((channels) => ({ channels })))(
  'channels $channels of every head scaled by 20: at least 6 dB more in every layer',
  async ({ channels }) => {
    const rows = await qualityOf(channels);
    const plain = rows.find(({ preset }) => preset === 'int4')!;
    const rotated = rows.find(({ preset }) => preset === 'rotated-int4')!;
    expect(plain.keys).toHaveLength(5);
    for (const [layer, sqnr] of plain.keys.entries()) expect(rotated.keys[layer]! - sqnr).toBeGreaterThanOrEqual(6);
  },
);

test('keys and values as they are: every way keeps what its bits allow', async () => {
  const least = { float32: Number.POSITIVE_INFINITY, fp8: 31, int8: 43, int4: 18, 'rotated-int4': 19, int2: 8 };
  const rows = await qualityOf([]);
  expect(rows.map(({ preset }) => preset)).toEqual(Object.keys(least));
  for (const { preset, keys, values } of rows) {
    expect(Math.min(...keys, ...values), preset).toBeGreaterThanOrEqual(least[preset]);
  }
  expect(qualityLines([rows]).split('\n')).toHaveLength(1 + rows.length);
});
