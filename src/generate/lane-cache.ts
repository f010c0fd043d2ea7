/**
 * Keys and values in the memory of a runtime, quantized by a scheme of key/value caches.
 * @module
 */
import { fail } from '../errors.js';
import {
  createKeyValueCache,
  type KeyValueCache,
  type KeyValueStorage,
  resumeKeyValueCache,
} from '../kvcache/index.js';
import type { Runtime } from '../runtime/index.js';
import type { AttentionCache, AttentionInput, AttentionSizes, Caches } from './cache.js';
import type { Reserve } from './reserve.js';

/** Makes caches in the memory of a runtime. */
export class LaneCaches implements Caches {
  readonly #runtime: Runtime;
  readonly #sizes: AttentionSizes;
  readonly #storage: KeyValueStorage;
  readonly #reserve: Reserve;

  constructor(runtime: Runtime, sizes: AttentionSizes, storage: KeyValueStorage, reserve: Reserve) {
    this.#runtime = runtime;
    this.#sizes = sizes;
    this.#storage = storage;
    this.#reserve = reserve;
  }

  create(): AttentionCache {
    const { layers, keyValueHeads: heads, headDim } = this.#sizes;
    return new LaneCache(
      createKeyValueCache(this.#runtime, { layers, heads, headDim, ...this.#storage }),
      this.#reserve,
    );
  }

  restore(bytes: Uint8Array): AttentionCache {
    const cache = resumeKeyValueCache(this.#runtime, bytes);
    const { layers, keyValueHeads, headDim } = this.#sizes;
    const { format } = cache;
    if (format.layers === layers && format.heads === keyValueHeads && format.headDim === headDim) {
      return new LaneCache(cache, this.#reserve);
    }
    cache.release();
    const sizes = (all: readonly number[]): string => `layers, heads and values of a head ${all.join(', ')}`;
    throw fail(
      'ERR_QUANTLANE_FORMAT',
      `Expected ${sizes([layers, keyValueHeads, headDim])}, got ${[format.layers, format.heads, format.headDim].join(', ')}`,
    );
  }
}

class LaneCache implements AttentionCache {
  readonly #cache: KeyValueCache;
  readonly #reserve: Reserve;

  constructor(cache: KeyValueCache, reserve: Reserve) {
    this.#cache = cache;
    this.#reserve = reserve;
  }

  get tokens(): number {
    return this.#cache.length;
  }

  get byteLength(): number {
    return this.#cache.bytes;
  }

  /** Token by token, so that which tokens are quantized already does not depend on how a prompt was cut. */
  attend(layer: number, { queries, keys, values }: AttentionInput): Float32Array {
    const { heads, headDim } = this.#cache.format;
    const narrow = heads * headDim;
    const tokens = keys.length / narrow;
    const wide = queries.length / tokens;
    const attended = new Float32Array(queries.length);
    for (let token = 0; token < tokens; token++) {
      const part = (rows: Float32Array, width: number) => rows.subarray(token * width, (token + 1) * width);
      const before = this.#cache.bytes;
      this.#cache.append(layer, part(keys, narrow), part(values, narrow));
      if (this.#cache.bytes > before) this.#reserve.check();
      this.#cache.attend(layer, part(queries, wide), { out: part(attended, wide) });
    }
    return attended;
  }

  fork(): AttentionCache {
    return new LaneCache(this.#cache.fork(), this.#reserve);
  }

  truncate(tokens: number): void {
    this.#cache.truncate(tokens);
  }

  serialize(): Uint8Array {
    return this.#cache.serialize();
  }

  release(): void {
    this.#cache.release();
  }
}
