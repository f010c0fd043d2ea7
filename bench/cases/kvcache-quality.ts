/**
 * Question: how exact are keys and values that a cache reads back, and what does rotation gain where channels stand out?
 * Measured on the keys (positions in them) and values of 128 tokens of a language model, `examples/activations.safetensors`.
 * @module
 */
import { fileURLToPath } from 'node:url';
import { openTensors, type TensorFile } from '../../src/formats/index.js';
import { Comparison, type Runtime } from '../../src/index.js';
import { createKeyValueCache, KEY_VALUE_PRESETS, type KeyValuePreset } from '../../src/kvcache/index.js';

/** Signal to noise in dB, one number a layer. */
export interface QualityRow {
  readonly preset: KeyValuePreset['name'];
  readonly keys: readonly number[];
  readonly values: readonly number[];
}

const HEADS = 4;
const HEAD_DIM = 32;
const TOKENS = 128;
const LAYERS = 5;
// From dist/bench/cases.
const FILE = new URL('../../../examples/activations.safetensors', import.meta.url);

/** Channels of every head that are made twenty times as large: none, one, two. */
export const OUTLIERS: readonly (readonly number[])[] = [[], [5], [5, 20]];

/** Keys and values under each preset, nothing kept as float32 but in `float32`; the keys' `channels` are scaled by 20. */
export async function cacheQuality(runtime: Runtime, channels: readonly number[]): Promise<QualityRow[]> {
  await using file = await openTensors(fileURLToPath(FILE));
  const layers: { keys: Float32Array; values: Float32Array }[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    const keys = await tensorOf(file, `model.layers.${layer}.self_attn.key`);
    const values = await tensorOf(file, `model.layers.${layer}.self_attn.value`);
    layers.push({ keys: keys.map((x, index) => (channels.includes(index % HEAD_DIM) ? x * 20 : x)), values });
  }
  return KEY_VALUE_PRESETS.map(({ name, storage }) => {
    const sizes = { layers: LAYERS, heads: HEADS, headDim: HEAD_DIM };
    using cache = createKeyValueCache(runtime, { ...sizes, ...storage, residual: 0 });
    const found = layers.map(({ keys, values }, layer) => {
      cache.append(layer, keys, values);
      const read = cache.read(layer);
      return { keys: sqnr(keys, read.keys), values: sqnr(values, read.values) };
    });
    return { preset: name, keys: found.map((row) => row.keys), values: found.map((row) => row.values) };
  });
}

/** The answers as text: the worst layer of each preset. */
export function qualityLines(answers: readonly (readonly QualityRow[])[]): string {
  const worst = (decibels: readonly number[]): string => {
    const least = Math.min(...decibels);
    return (Number.isFinite(least) ? least.toFixed(1) : 'exact').padStart(8);
  };
  const head = ['preset'.padEnd(13), 'values', 'keys', 'one x 20', 'two x 20']
    .map((text) => text.padStart(8))
    .join(' ');
  const lines = answers[0]!.map(({ preset, values }, index) =>
    [preset.padEnd(13), worst(values), ...answers.map((rows) => worst(rows[index]!.keys))].join(' '),
  );
  return [head, ...lines].join('\n');
}

async function tensorOf(file: TensorFile, name: string): Promise<Float32Array> {
  const entry = file.tensors.find((tensor) => tensor.name === name);
  if (entry === undefined) throw new Error(`Expected the tensor ${name} in ${file.path}, got none`);
  const values = new Float32Array(TOKENS * HEADS * HEAD_DIM);
  await file.read(entry, 0, new Uint8Array(values.buffer));
  return values;
}

function sqnr(original: Float32Array, found: Float32Array): number {
  const comparison = new Comparison();
  comparison.add(original, found);
  return comparison.total().sqnr;
}
