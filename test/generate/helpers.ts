/** The bundled model with its expected results, and small models of random weights. */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { createSafetensors, openNpy } from '#src/formats/index.js';
import { chanceOf } from '#src/kernels/reference/chance.js';
import { toHalf } from '#src/memory/index.js';

/** The folder of the bundled model. */
export const MODEL = fileURLToPath(new URL('../../examples/model', import.meta.url));

/** What a PyTorch forward pass in float32 over the same weights gives. */
export interface Golden {
  readonly perplexity_dev: number;
  readonly cases: readonly {
    readonly prompt: string;
    readonly prompt_ids: readonly number[];
    readonly greedy: string;
    readonly greedy_ids: readonly number[];
    readonly first_logits_top5: readonly (readonly [number, number])[];
  }[];
}

export const golden: Golden = JSON.parse(await readFile(join(MODEL, 'golden.json'), 'utf8'));

/** The held-out text of the bundled model. */
export async function validationIds(): Promise<Uint16Array> {
  await using file = await openNpy(join(MODEL, 'validation_ids.npy'));
  const [entry] = file.tensors;
  const bytes = new Uint8Array(entry!.byteLength);
  await file.read(entry!, 0, bytes);
  return new Uint16Array(bytes.buffer);
}

/** A new folder that is deleted after the tests of the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quantlane-generate-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

type Json = Readonly<Record<string, unknown>>;

/** A `config.json` of a small model, whose vocabulary is that of the bundled one. */
export const SMALL: Json = {
  model_type: 'llama',
  vocab_size: 2048,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 16,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
};

/** How the weights of a small model are stored. */
export interface SmallOptions {
  readonly dtype?: 'float32' | 'float16' | 'bfloat16';
  /** Files that the weights are spread over, with an index; 0 (the default) for one file without. */
  readonly shards?: number;
  /** Changes of `SMALL`. */
  readonly config?: Json;
  /** Weights that are left out. */
  readonly without?: string;
}

/** Writes the folder of a small model. Its weights are multiples of 1/64, which every float type holds. */
export async function putSmall(folder: string, options: SmallOptions = {}): Promise<string> {
  const { dtype = 'float32', shards = 0, config = {}, without } = options;
  await mkdir(folder, { recursive: true });
  const whole = { ...SMALL, ...config };
  await writeFile(join(folder, 'config.json'), JSON.stringify(whole));
  await copyFile(join(MODEL, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const all = shapesOf(whole).filter(([name]) => name !== without);
  const map: Record<string, string> = {};
  for (let shard = 0; shard < Math.max(shards, 1); shard++) {
    const name = shards === 0 ? 'model.safetensors' : `model-0000${shard + 1}-of-0000${shards}.safetensors`;
    const part = all.filter((_, at) => at % Math.max(shards, 1) === shard);
    const writer = await createSafetensors(
      join(folder, name),
      part.map(([tensor, shape]) => ({ name: tensor, dtype, shape })),
    );
    for (const [tensor, shape] of part) {
      map[tensor] = name;
      await writer.write(tensor, 0, stored(valuesOf(tensor, shape), dtype));
    }
    await writer.close();
  }
  const index = JSON.stringify({ metadata: {}, weight_map: map });
  if (shards > 0) await writeFile(join(folder, 'model.safetensors.index.json'), index);
  return folder;
}

function shapesOf(config: Json): (readonly [string, readonly number[]])[] {
  const size = (name: string): number => config[name] as number;
  const [vocabulary, width, inner] = [2048, size('hidden_size'), size('intermediate_size')];
  const [wide, narrow] = ['num_attention_heads', 'num_key_value_heads'].map((name) => size(name) * size('head_dim'));
  const layers = [0, 1].flatMap((layer): (readonly [string, readonly number[]])[] => {
    const matrices: (readonly [string, number, number])[] = [
      ['self_attn.q_proj', wide!, width],
      ['self_attn.k_proj', narrow!, width],
      ['self_attn.v_proj', narrow!, width],
      ['self_attn.o_proj', width, wide!],
      ['mlp.gate_proj', inner, width],
      ['mlp.up_proj', inner, width],
      ['mlp.down_proj', width, inner],
    ];
    const parts = matrices.flatMap(([name, outputs, inputs]) => {
      const hasBias = config[name.startsWith('mlp') ? 'mlp_bias' : 'attention_bias'] === true;
      const weight = [`${name}.weight`, [outputs, inputs]] as const;
      return hasBias ? [weight, [`${name}.bias`, [outputs]] as const] : [weight];
    });
    const norms = ['input_layernorm', 'post_attention_layernorm'].map((name) => [`${name}.weight`, [width]] as const);
    return [...parts, ...norms].map(([name, shape]) => [`model.layers.${layer}.${name}`, shape] as const);
  });
  const head = config['tie_word_embeddings'] === true ? [] : [['lm_head.weight', [vocabulary, width]] as const];
  return [['model.embed_tokens.weight', [vocabulary, width]], ...layers, ['model.norm.weight', [width]], ...head];
}

/** Weights from −1 to 1 that depend on the name; those of norms are around 1. */
function valuesOf(name: string, shape: readonly number[]): Float32Array {
  const seed = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) | 0;
  const length = shape.reduce((product, size) => product * size, 1);
  const middle = name.includes('norm') ? 1 : 0;
  return Float32Array.from({ length }, (_, at) => middle + (Math.floor(chanceOf(seed, at) * 128) - 64) / 64);
}

function stored(values: Float32Array, dtype: 'float32' | 'float16' | 'bfloat16'): Uint8Array {
  if (dtype === 'float32') return new Uint8Array(values.buffer);
  const words = new Uint32Array(values.buffer);
  const bits = Uint16Array.from(values, (value, at) => (dtype === 'float16' ? toHalf(value) : words[at]! >>> 16));
  return new Uint8Array(bits.buffer);
}
