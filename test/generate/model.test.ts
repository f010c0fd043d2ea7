/** The bundled model against PyTorch, and models of every layout against each other. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PLAIN, predict, TextGenerator } from '#src/generate/index.js';
import { golden, MODEL, putSmall, SMALL, type SmallOptions, temporaryFolder, validationIds } from './helpers.js';

const folder = await temporaryFolder();

describe('the bundled model', async () => {
  const generator = await TextGenerator.open(MODEL, PLAIN);

  it.each(golden.cases.map((each) => [each.prompt, each] as const))('goes on as PyTorch does: %s', async (_, each) => {
    const cache = generator.caches.create();
    let [logits] = await generator.model.forward([{ cache, ids: each.prompt_ids }]);
    for (const [token, logit] of each.first_logits_top5) {
      expect(Math.abs(logits![token]! - logit)).toBeLessThan(1e-4);
    }
    const made: number[] = [];
    while (made.length < each.greedy_ids.length) {
      made.push(logits!.indexOf(Math.max(...logits!)));
      [logits] = await generator.model.forward([{ cache, ids: made.slice(-1) }]);
    }
    expect(made).toEqual(each.greedy_ids);
    expect(cache.tokens).toBe(each.prompt_ids.length + made.length);
  });

  it('has the bits of its logits on every version', async () => {
    const ids = golden.cases[0]!.prompt_ids;
    const [logits] = await generator.model.forward([{ cache: generator.caches.create(), ids }]);
    const hash = new Uint32Array(logits!.slice().buffer).reduce((sum, word) => Math.imul(sum ^ word, 0x01000193), 0);
    expect(hash).toBe(1246375062);
  });

  it('sees the tokens of a window one by one as it sees them together', async () => {
    const ids = (await validationIds()).slice(0, 24);
    const [together] = await generator.model.forward([{ cache: generator.caches.create(), ids: [...ids], all: true }]);
    const cache = generator.caches.create();
    for (const [at, id] of ids.entries()) {
      const [logits] = await generator.model.forward([{ cache, ids: [id] }]);
      expect(logits).toEqual(together!.slice(at * 2048, (at + 1) * 2048));
    }
  });

  it('predicts a text as well as probabilities say', async () => {
    const ids = (await validationIds()).slice(0, 65);
    const { perplexity, likeliest, cacheBytesPerToken } = await predict(generator.model, generator.caches, ids, 32);
    let sum = 0;
    const tops: number[] = [];
    for (const start of [0, 32]) {
      const segment = { cache: generator.caches.create(), ids: [...ids.slice(start, start + 32)], all: true };
      const [logits] = await generator.model.forward([segment]);
      for (let at = 0; at < 32; at++) {
        const row = [...logits!.subarray(at * 2048, (at + 1) * 2048)];
        sum -= row[ids[start + at + 1]!]! - Math.log(row.reduce((total, logit) => total + Math.exp(logit), 0));
        tops.push(row.indexOf(Math.max(...row)));
      }
    }
    expect(perplexity).toBeCloseTo(Math.exp(sum / 64), 8);
    expect(likeliest).toEqual(tops);
    expect(cacheBytesPerToken).toBe(5 * 2 * 4 * 32 * 4);
  });
});

/** Writes another config into the folder of a small model. */
function changed(path: string, changes: object): Promise<void> {
  return writeFile(join(path, 'config.json'), JSON.stringify({ ...SMALL, ...changes }));
}

/** Logits of a small model after some tokens. */
async function logitsOf(name: string, options: SmallOptions): Promise<Float32Array> {
  using generator = await TextGenerator.open(await putSmall(join(folder, name), options), PLAIN);
  const [logits] = await generator.model.forward([{ cache: generator.caches.create(), ids: [5, 900, 2047, 5] }]);
  return logits!;
}

describe('a folder', async () => {
  const plain = await logitsOf('plain', {});

  it.each<SmallOptions>([{ dtype: 'float16' }, { dtype: 'bfloat16' }, { shards: 3 }, { dtype: 'bfloat16', shards: 2 }])(
    'gives the same logits with %j',
    async (options) => expect(await logitsOf(JSON.stringify(options), options)).toEqual(plain),
  );

  it.each([
    { tie_word_embeddings: false },
    { attention_bias: true },
    { mlp_bias: true },
    { rope_scaling: { rope_type: 'linear', factor: 2 } },
    { rope_theta: 100 },
    { rms_norm_eps: 0.5 },
  ])('gives others with %j', async (config) => {
    const logits = await logitsOf(JSON.stringify(config), { config });
    expect(logits).toHaveLength(plain.length);
    expect(logits.every(Number.isFinite)).toBe(true);
    expect(logits).not.toEqual(plain);
  });

  it.each<[string, (path: string) => Promise<unknown>, string]>([
    ['no config', (path) => rm(join(path, 'config.json')), 'got ENOENT'],
    ['a config that is no JSON', (path) => writeFile(join(path, 'config.json'), '{'), 'Expected JSON'],
    ['no tokenizer', (path) => rm(join(path, 'tokenizer.json')), 'got ENOENT'],
    ['a tokenizer that is none', (path) => writeFile(join(path, 'tokenizer.json'), '{}'), 'Expected a tokenizer'],
    ['a list as tokenizer', (path) => writeFile(join(path, 'tokenizer.json'), '1'), 'Expected an object, got 1'],
    ['no weights', (path) => rm(join(path, 'model.safetensors')), 'model.safetensors.index.json: Expected a file'],
    ['weights that are none', (path) => writeFile(join(path, 'model.safetensors'), 'x'), 'truncated'],
    ['other sizes', (path) => changed(path, { hidden_size: 32 }), 'of shape [2048, 32], got [2048, 16]'],
    ['a weight missing', (path) => putSmall(path, { without: 'model.norm.weight' }), 'called "model.norm.weight"'],
    ['a layer too many', (path) => changed(path, { num_hidden_layers: 3 }), '"model.layers.2.'],
  ])('is refused with %s', async (what, spoil, message) => {
    const path = await putSmall(join(folder, `bad ${what}`));
    await spoil(path);
    await expect(TextGenerator.open(path, PLAIN)).rejects.toMatchObject({
      code: 'ERR_QUANTLANE_FORMAT',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ['weight_map', { weight_map: 3 }, 'Expected weight_map to be an object, got 3'],
    ['a name', { weight_map: { x: 5 } }, 'to name files of the folder, got 5'],
    [
      'a path',
      { weight_map: { x: '../model.safetensors' } },
      'to name files of the folder, got "../model.safetensors"',
    ],
  ])('is refused with an index with a wrong %s', async (what, index, message) => {
    const path = await putSmall(join(folder, `index ${what}`), { shards: 1 });
    await writeFile(join(path, 'model.safetensors.index.json'), JSON.stringify(index));
    await expect(TextGenerator.open(path, PLAIN)).rejects.toMatchObject({
      code: 'ERR_QUANTLANE_FORMAT',
      message: expect.stringContaining(message),
    });
  });

  it('gives back what was made before a failure', async () => {
    const path = await putSmall(join(folder, 'late'), { without: 'model.norm.weight' });
    let held = 0;
    const project = async () => {
      held++;
      const nothing = { inputs: 1, outputs: 1, forward: async (x: Float32Array) => x };
      return { ...nothing, release: () => void held-- };
    };
    await expect(TextGenerator.open(path, { ...PLAIN, project })).rejects.toThrow('model.norm.weight');
    expect(held).toBe(0);
  });
});
