/**
 * Keys and values of the tokens of a text, and the attention over them.
 * @module
 */
import { exp } from './functions.js';

/** Sizes of the attention of a model. */
export interface AttentionSizes {
  readonly layers: number;
  /** Heads of queries, a multiple of those of keys and values. */
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
}

/** What new tokens bring to a layer; rotated already. */
export interface AttentionInput {
  /** [tokens, heads, headDim] */
  readonly queries: Float32Array;
  /** [tokens, keyValueHeads, headDim] */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Keys and values of one text in all layers. */
export interface AttentionCache {
  /** Tokens that all layers hold. */
  readonly tokens: number;
  /** Bytes of keys and values. */
  readonly byteLength: number;
  /**
   * Adds new tokens to a layer and attends with their queries: each token sees those before it and itself.
   * @returns [tokens, heads, headDim]
   */
  attend(layer: number, input: AttentionInput): Float32Array;
  /** A cache of the same tokens that grows on its own. */
  fork(): AttentionCache;
  /** Forgets all but the first `tokens`. */
  truncate(tokens: number): void;
  /** The cache as bytes, for `Caches.restore`. */
  serialize(): Uint8Array;
  /** Gives back what it holds. */
  release(): void;
}

/** Makes the caches of a model, and decides by that how keys and values are kept. */
export interface Caches {
  /** An empty cache, for one text. */
  create(): AttentionCache;
  /** A cache from bytes of `serialize`. */
  restore(bytes: Uint8Array): AttentionCache;
}

/**
 * Caches in plain TypeScript, as a reference: float32 keys and values; scores, the softmax (with the largest score
 * subtracted) and the weighted sums in float64, in the order of tokens and channels, rounded to float32 once.
 */
export class PlainCaches implements Caches {
  readonly #sizes: AttentionSizes;

  constructor(sizes: AttentionSizes) {
    this.#sizes = sizes;
  }

  create(): AttentionCache {
    return new PlainCache(
      this.#sizes,
      Array.from({ length: this.#sizes.layers }, () => ({ keys: new Float32Array(0), values: new Float32Array(0) })),
    );
  }

  restore(bytes: Uint8Array): AttentionCache {
    const all = new Float32Array(bytes.slice().buffer);
    const { layers } = this.#sizes;
    const length = all.length / layers / 2;
    const part = (at: number): Float32Array => all.slice(at * length, (at + 1) * length);
    return new PlainCache(
      this.#sizes,
      Array.from({ length: layers }, (_, layer) => ({ keys: part(2 * layer), values: part(2 * layer + 1) })),
    );
  }
}

/** [tokens, keyValueHeads, headDim] each. */
interface PlainLayer {
  keys: Float32Array;
  values: Float32Array;
}

class PlainCache implements AttentionCache {
  readonly #sizes: AttentionSizes;
  #layers: readonly PlainLayer[];

  constructor(sizes: AttentionSizes, layers: readonly PlainLayer[]) {
    this.#sizes = sizes;
    this.#layers = layers;
  }

  get #width(): number {
    return this.#sizes.keyValueHeads * this.#sizes.headDim;
  }

  get tokens(): number {
    return Math.min(...this.#layers.map(({ keys }) => keys.length)) / this.#width;
  }

  get byteLength(): number {
    return this.#layers.reduce((sum, { keys, values }) => sum + keys.byteLength + values.byteLength, 0);
  }

  attend(layer: number, { queries, keys, values }: AttentionInput): Float32Array {
    const stored = this.#layers[layer]!;
    const before = stored.keys.length / this.#width;
    stored.keys = joined(stored.keys, keys);
    stored.values = joined(stored.values, values);
    const { heads, keyValueHeads, headDim } = this.#sizes;
    const out = new Float32Array(queries.length);
    for (let at = 0; at < queries.length; at += headDim) {
      const token = Math.floor(at / (heads * headDim));
      const head = (at / headDim) % heads;
      const group = Math.floor(head / (heads / keyValueHeads));
      attendOne(out, at, queries, stored, before + token + 1, group * headDim, this.#width, headDim);
    }
    return out;
  }

  fork(): AttentionCache {
    // Layers are replaced, never written to.
    return new PlainCache(
      this.#sizes,
      this.#layers.map((layer) => ({ ...layer })),
    );
  }

  truncate(tokens: number): void {
    const length = tokens * this.#width;
    this.#layers = this.#layers.map(({ keys, values }) => ({
      keys: keys.slice(0, length),
      values: values.slice(0, length),
    }));
  }

  serialize(): Uint8Array {
    const all = this.#layers.flatMap(({ keys, values }) => [keys, values]).reduce(joined, new Float32Array(0));
    return new Uint8Array(all.buffer);
  }

  release(): void {
    this.#layers = [];
  }
}

/** One head of one token over the first `tokens` of a layer. */
function attendOne(
  out: Float32Array,
  at: number,
  queries: Float32Array,
  { keys, values }: PlainLayer,
  tokens: number,
  offset: number,
  width: number,
  headDim: number,
): void {
  const scores = new Float64Array(tokens);
  const scale = 1 / Math.sqrt(headDim);
  let largest = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < tokens; token++) {
    let sum = 0;
    for (let i = 0; i < headDim; i++) sum += queries[at + i]! * keys[token * width + offset + i]!;
    scores[token] = sum * scale;
    largest = Math.max(largest, scores[token]!);
  }
  let total = 0;
  for (let token = 0; token < tokens; token++) {
    scores[token] = exp(scores[token]! - largest);
    total += scores[token]!;
  }
  for (let i = 0; i < headDim; i++) {
    let sum = 0;
    for (let token = 0; token < tokens; token++) sum += scores[token]! * values[token * width + offset + i]!;
    out[at + i] = sum / total;
  }
}

function joined(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
