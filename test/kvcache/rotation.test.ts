/** Rotation spreads the channels that stand out in the keys of a trained model, and int4 gains by it. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openTensors } from '#src/formats/index.js';
import { Comparison } from '#src/index.js';
import { createKeyValueCache, keyValuePreset } from '#src/kvcache/index.js';
import { withRuntime } from '../support/runtime.js';

const sizes = { layers: 1, heads: 4, headDim: 32 } as const;
const LAYERS = 5;
const FILE = fileURLToPath(new URL('../../examples/activations.safetensors', import.meta.url));

/** Keys or values of a layer of the model, `[128 tokens, 4 heads, 32]`. */
async function captured(kind: 'key' | 'value', layer: number): Promise<Float32Array> {
  await using file = await openTensors(FILE);
  const entry = file.tensors.find(({ name }) => name === `model.layers.${layer}.self_attn.${kind}`)!;
  const values = new Float32Array(128 * sizes.heads * sizes.headDim);
  await file.read(entry, 0, new Uint8Array(values.buffer));
  return values;
}

/** The same with some channels of every head twenty times as large. */
function withOutliers(values: Float32Array, channels: readonly number[]): Float32Array {
  return values.map((x, index) => (channels.includes(index % sizes.headDim) ? x * 20 : x));
}

/** SQNR of keys and values that a cache reads back, in dB. */
function qualityOf(name: string, keys: Float32Array, values: Float32Array) {
  return withRuntime({}, (runtime) => {
    using cache = createKeyValueCache(runtime, { ...sizes, ...keyValuePreset(name), residual: 0 });
    cache.append(0, keys, values);
    const read = cache.read(0);
    const sqnr = (original: Float32Array, found: Float32Array): number => {
      const comparison = new Comparison();
      comparison.add(original, found);
      return comparison.total().sqnr;
    };
    return { keys: sqnr(keys, read.keys), values: sqnr(values, read.values) };
  });
}

test.each([[[5]], [[5, 20]]])('channels %j scaled by 20: at least 6 dB more', async (channels) => {
  for (let layer = 0; layer < LAYERS; layer++) {
    const keys = withOutliers(await captured('key', layer), channels);
    const values = await captured('value', layer);
    const plain = await qualityOf('int4', keys, values);
    const rotated = await qualityOf('rotated-int4', keys, values);
    expect(rotated.keys - plain.keys, `layer ${layer}`).toBeGreaterThanOrEqual(6);
  }
});

test('keys and values as they are: every way keeps what its bits allow', async () => {
  const least = { float32: 120, fp8: 31, int8: 43, int4: 18, 'rotated-int4': 19, int2: 8 };
  for (let layer = 0; layer < LAYERS; layer++) {
    const [keys, values] = [await captured('key', layer), await captured('value', layer)];
    for (const [name, sqnr] of Object.entries(least)) {
      const found = await qualityOf(name, keys, values);
      expect(Math.min(found.keys, found.values), `${name}, layer ${layer}`).toBeGreaterThan(sqnr);
    }
  }
});
