/**
 * The sizes and constants of a Llama model, from the `config.json` of its folder.
 * @module
 */
import { describe, refuse } from '../formats/refusals.js';
import { isCount } from '../numbers.js';
import { type RotaryConfig, rotaryConfig } from './rotary-config.js';

/** What a Llama model is. */
export interface LlamaConfig {
  /** Number of tokens in the vocabulary. */
  readonly vocabulary: number;
  /** Values of a token between the layers. */
  readonly width: number;
  /** Values of a token inside the feed-forward part. */
  readonly inner: number;
  readonly layers: number;
  /** Heads of queries, a multiple of those of keys and values. */
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Values of a head; even. */
  readonly headDim: number;
  /** Added to the mean square of the RMS norm. */
  readonly epsilon: number;
  readonly rotary: RotaryConfig;
  /** Tokens of the longest text that the model was made for. */
  readonly positions: number;
  /** Whether the output layer has the weights of the embedding. */
  readonly isTied: boolean;
  /** Whether the projections of attention, and those of the feed-forward part, add a bias. */
  readonly attentionBias: boolean;
  readonly innerBias: boolean;
  /** Tokens that end a text; may be empty. */
  readonly ends: readonly number[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a parsed `config.json`.
 * @param where the file, for messages
 * @throws ERR_QUANTLANE_FORMAT for another architecture, sizes that do not fit, or a variant that is not supported
 */
export function llamaConfig(json: unknown, where: string): LlamaConfig {
  if (typeof json !== 'object' || json === null) throw refuse(where, `Expected an object, got ${describe(json)}`);
  const config = json as Json;
  checkArchitecture(config, where);
  const size = (name: string, otherwise?: number): number => {
    const value = config[name] ?? otherwise;
    if (isCount(value) && value > 0) return value;
    throw refuse(where, `Expected ${name} to be an integer from 1, got ${describe(value)}`);
  };
  const flag = (name: string): boolean => {
    const value = config[name] ?? false;
    if (typeof value === 'boolean') return value;
    throw refuse(where, `Expected ${name} to be true or false, got ${describe(value)}`);
  };
  const width = size('hidden_size');
  const heads = size('num_attention_heads');
  const keyValueHeads = size('num_key_value_heads', heads);
  const headDim = size('head_dim', width / heads);
  if (heads % keyValueHeads !== 0) {
    throw refuse(where, `Expected num_attention_heads to be a multiple of ${keyValueHeads}, got ${heads}`);
  }
  if (headDim % 2 !== 0) throw refuse(where, `Expected an even head_dim, got ${headDim}`);
  const epsilon = config['rms_norm_eps'] ?? 1e-6;
  if (typeof epsilon !== 'number' || !(epsilon >= 0)) {
    throw refuse(where, `Expected rms_norm_eps to be a number from 0, got ${describe(epsilon)}`);
  }
  return {
    vocabulary: size('vocab_size'),
    width,
    inner: size('intermediate_size'),
    layers: size('num_hidden_layers'),
    heads,
    keyValueHeads,
    headDim,
    epsilon,
    rotary: rotaryConfig(config, where),
    positions: size('max_position_embeddings', 2048),
    isTied: flag('tie_word_embeddings'),
    attentionBias: flag('attention_bias'),
    innerBias: flag('mlp_bias'),
    ends: endsOf(config['eos_token_id'], where),
  };
}

function checkArchitecture(config: Json, where: string): void {
  const type = config['model_type'];
  if (type !== 'llama') throw refuse(where, `Expected model_type "llama", got ${describe(type)}`);
  const activation = config['hidden_act'] ?? 'silu';
  if (activation !== 'silu') throw refuse(where, `Expected hidden_act "silu", got ${describe(activation)}`);
}

/** One token, a list, or none. */
function endsOf(value: unknown, where: string): readonly number[] {
  const ends: readonly unknown[] = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  if (ends.every(isCount)) return ends;
  throw refuse(where, `Expected eos_token_id to be a token or a list of tokens, got ${describe(value)}`);
}
