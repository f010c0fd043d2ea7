/** Every preset as a scheme of activations, and every way to keep keys and values. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Arithmetic, onLanes, PLAIN, TextGenerator } from '#src/generate/index.js';
import { createRuntime, defineScheme, PRESETS, perBlock, preset } from '#src/index.js';
import { KEY_VALUE_PRESETS } from '#src/kvcache/index.js';
import { BLOCK_FORMATS } from '#src/scheme/index.js';
import { putSmall, temporaryFolder } from './helpers.js';

// Sizes that every block of up to 64 divides.
const config = { hidden_size: 64, intermediate_size: 128, num_attention_heads: 4, num_key_value_heads: 2 };
const path = await putSmall(join(await temporaryFolder(), 'small'), { config, dtype: 'bfloat16' });
const runtime = await createRuntime({ lanes: 0, memory: '16MiB' });
afterAll(() => runtime.close());

const IDS = [5, 900, 2047, 5, 17];

/** Logits after all tokens, first alone and then beside another text. */
async function logitsOf(arithmetic: Arithmetic): Promise<readonly [Float32Array, Float32Array]> {
  using generator = await TextGenerator.open(path, arithmetic);
  const caches = [0, 1, 2].map(() => generator.caches.create());
  try {
    const [alone] = await generator.model.forward([{ cache: caches[0]!, ids: IDS }]);
    const texts = [
      { cache: caches[1]!, ids: [1, 2, 3] },
      { cache: caches[2]!, ids: IDS },
    ];
    const [, among] = await generator.model.forward(texts);
    return [alone!, among!.slice()];
  } finally {
    for (const cache of caches) cache.release();
  }
}

/** 1 for the same direction. */
function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** The code of the error for presets that are no schemes of activations. */
function refusalOf(name: string): string | undefined {
  const { parameters, granularity, outliers, format } = preset(name);
  if (name === 'ggml-q8_K') return 'ERR_QUANTLANE_SHAPE';
  const isUnscaled = format !== null && BLOCK_FORMATS[format].unscaled;
  const isOdd = parameters !== 'dynamic' || outliers !== null || isUnscaled || granularity.kind === 'perChannel';
  return isOdd ? 'ERR_QUANTLANE_PRESET' : undefined;
}

const [exact] = await logitsOf(PLAIN);

describe('a scheme', () => {
  it('of none is float32', async () => {
    const [alone, among] = await logitsOf(onLanes(runtime, { scheme: 'none', cache: 'none' }));
    expect(among).toEqual(alone);
    for (const [at, logit] of alone.entries()) expect(Math.abs(logit - exact[at]!)).toBeLessThan(1e-3);
  });

  it.each(PRESETS.map(({ name }) => name))('%s', async (scheme) => {
    const outcome = (async () => logitsOf(onLanes(runtime, { scheme, cache: 'none' })))();
    const code = refusalOf(scheme);
    if (code !== undefined) return await expect(outcome).rejects.toMatchObject({ code });
    const [alone, among] = await outcome;
    expect(among).toEqual(alone);
    expect(cosine(alone, exact)).toBeGreaterThan(0.8);
    expect(alone).not.toEqual(exact);
  });

  it('of the user', async () => {
    const scheme = defineScheme({ ...preset('torchao-int8'), name: 'mine', granularity: perBlock(16) });
    const [alone] = await logitsOf(onLanes(runtime, { scheme }));
    expect(cosine(alone, exact)).toBeGreaterThan(0.99);
    const flat = defineScheme({ ...scheme, granularity: perBlock(48, null) });
    await expect(logitsOf(onLanes(runtime, { scheme: flat }))).rejects.toMatchObject({ code: 'ERR_QUANTLANE_PRESET' });
  });

  it('tells of its errors', async () => {
    let heard = 0;
    const onError = ({ sqnr }: { readonly sqnr: number }): void => {
      expect(sqnr).toBeGreaterThan(20);
      heard++;
    };
    await logitsOf(onLanes(runtime, { onError }));
    // Two layers of four products and the last one, twice.
    expect(heard).toBe(18);
  });
});

describe('a cache', () => {
  it.each(KEY_VALUE_PRESETS.map(({ name }) => name))('%s', async (cache) => {
    const [alone, among] = await logitsOf(onLanes(runtime, { scheme: 'none', cache }));
    expect(among).toEqual(alone);
    expect(cosine(alone, exact)).toBeGreaterThan(0.99);
  });

  it('quantizes a token at a time, however a prompt is cut', async () => {
    using generator = await TextGenerator.open(
      path,
      onLanes(runtime, { cache: { keys: { dtype: 'int4' }, block: 4 } }),
    );
    const ids = Array.from({ length: 30 }, (_, at) => at * 7);
    const [whole, cut] = [generator.caches.create(), generator.caches.create()];
    const [logits] = await generator.model.forward([{ cache: whole, ids }]);
    await generator.model.forward([{ cache: cut, ids: ids.slice(0, 13) }]);
    const [rest] = await generator.model.forward([{ cache: cut, ids: ids.slice(13) }]);
    expect(rest).toEqual(logits);
    expect(cut.byteLength).toBe(whole.byteLength);
    cut.release();
    whole.release();
  });

  it('is not restored by another model', async () => {
    using generator = await TextGenerator.open(path, onLanes(runtime));
    const other = onLanes(runtime).cachesOf({ layers: 3, heads: 4, keyValueHeads: 2, headDim: 16 }).create();
    const bytes = other.serialize();
    other.release();
    expect(() => generator.resume({ ids: [1], cache: bytes })).toThrow(
      expect.objectContaining({
        code: 'ERR_QUANTLANE_FORMAT',
        message: expect.stringContaining('2, 2, 16, got 3, 2, 16'),
      }),
    );
  });
});

it('leaves nothing behind', () => {
  expect(runtime.metrics().arena).toMatchObject({ inUse: 0, leases: 0, leaked: 0 });
});
