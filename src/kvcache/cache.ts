/**
 * The key/value cache of one session.
 * @module
 */
import { fail, got } from '../errors.js';
import type { Runtime } from '../runtime/index.js';
import { attend } from './attention.js';
import { checkCount, checkFinite, checkRows } from './checks.js';
import { Layer } from './layer.js';
import { floatBytes, type PageLayout, pageLayout } from './layout.js';
import { Machine } from './machine.js';
import { formatOf, type KeyValueCacheOptions, type KeyValueFormat } from './options.js';
import type { Piece } from './page.js';
import { parked, restored } from './park.js';

/** How one query attends. */
export interface AttendOptions {
  /** Attends to the first `upTo` tokens only, as a token in the middle of a prompt does. Default: all that are stored. */
  readonly upTo?: number;
  /** What products of query and key are multiplied with. Default: 1 / √headDim. */
  readonly scale?: number;
  /** Where the result goes; as long as the query. Default: a new array. */
  readonly out?: Float32Array;
}

/** Bytes of a token, in all layers. */
export interface TokenBytes {
  /** In a quantized page: codes, scales and minima. */
  readonly quantized: number;
  /** While it is float32. */
  readonly float: number;
}

/** Keys and values of a session's tokens, layer by layer, in memory of a runtime. Made by `createKeyValueCache`. */
export class KeyValueCache {
  /** Everything that was decided when it was made. */
  readonly format: KeyValueFormat;
  /** Bytes of a token, but for memory that is rounded up to whole pages. */
  readonly tokenBytes: TokenBytes;
  readonly #machine: Machine;
  readonly #layout: PageLayout;
  readonly #layers: readonly Layer[];
  #isReleased = false;

  /** @internal */
  constructor(machine: Machine, layout: PageLayout, layers: readonly Layer[]) {
    const { format, frozen } = layout;
    const float = format.layers * floatBytes(layout, 1);
    this.format = format;
    this.tokenBytes = Object.freeze({
      quantized: layout.freezes ? (format.layers * frozen.bytes) / format.block : float,
      float,
    });
    this.#machine = machine;
    this.#layout = layout;
    this.#layers = layers;
  }

  /** Tokens that every layer holds. */
  get length(): number {
    return this.#layers.reduce((least, { tokens }) => Math.min(least, tokens), Number.POSITIVE_INFINITY);
  }

  /** Tokens that one layer holds. */
  lengthOf(layer: number): number {
    return this.#layerOf(layer).tokens;
  }

  /** Bytes of the pages that the cache reads; a page that forks share counts for each. */
  get bytes(): number {
    let bytes = 0;
    for (const { pieces } of this.#layers) for (const { page } of pieces) bytes += page.byteLength;
    return bytes;
  }

  /**
   * Stores tokens at the end of a layer. What is stored is never quantized again; where it fails nothing is stored.
   * @param keys float32 of `[tokens, heads, headDim]`, already with their positions in them
   * @param values as many, in the same order
   * @throws ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_NON_FINITE, ERR_QUANTLANE_OVERFLOW beyond `maxTokens`,
   * ERR_QUANTLANE_ARENA_FULL, ERR_QUANTLANE_ARENA_TOO_SMALL, ERR_QUANTLANE_ARGUMENT for a layer that is not there,
   * ERR_QUANTLANE_LEASE_RELEASED, ERR_QUANTLANE_CLOSED
   */
  append(layer: number, keys: Float32Array, values: Float32Array): void {
    const to = this.#layerOf(layer);
    this.#machine.assertOpen();
    const { maxTokens, rotate } = this.format;
    const { width } = this.#layout;
    checkRows('keys', keys, width);
    checkRows('values', values, width);
    if (keys.length !== values.length) {
      throw fail('ERR_QUANTLANE_SHAPE', `Expected as many values as keys, ${keys.length}, got ${values.length}`);
    }
    checkFinite('keys', keys);
    checkFinite('values', values);
    const tokens = keys.length / width;
    if (maxTokens !== null && to.tokens + tokens > maxTokens) {
      const text = `Expected at most ${maxTokens} tokens, got ${to.tokens} and ${tokens} more`;
      throw fail('ERR_QUANTLANE_OVERFLOW', text, { details: { tokens: to.tokens, more: tokens, maxTokens } });
    }
    this.#rotated('keys', keys, rotate.keys, (stored) =>
      this.#rotated('values', values, rotate.values, (others) => to.append(stored, others)),
    );
  }

  /** Gives rows of heads to `use`: where they are rotated, a copy in memory for so long. */
  #rotated(name: string, rows: Float32Array, isRotated: boolean, use: (rows: Float32Array) => void): void {
    if (!isRotated) return use(rows);
    const { headDim } = this.format;
    this.#machine.with(rows.byteLength, (address) => {
      const copy = this.#machine.floats.subarray(address / 4, address / 4 + rows.length);
      copy.set(rows);
      this.#machine.rotate(address, rows.length / headDim, headDim);
      // A sum of large values may have overflowed.
      checkFinite(`rotated ${name}`, copy);
      use(copy);
    });
  }

  /**
   * Attention of one token's queries over the stored tokens (equations 60 to 71), from their codes, on the caller's thread.
   * @param query float32 of `[query heads, headDim]`; query head h reads head ⌊h · heads / query heads⌋ of the cache
   * @returns float32 of the same shape; NaN for a head whose scores overflow
   * @throws ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_NON_FINITE, ERR_QUANTLANE_ARGUMENT for a layer that is not there or holds no
   * token, and for `upTo` or `scale`; ERR_QUANTLANE_ARENA_FULL where there is no room for the scores,
   * ERR_QUANTLANE_LEASE_RELEASED, ERR_QUANTLANE_CLOSED
   */
  attend(layer: number, query: Float32Array, options: AttendOptions = {}): Float32Array {
    const { pieces, tokens: stored } = this.#layerOf(layer);
    this.#machine.assertOpen();
    const { heads, headDim } = this.format;
    checkRows('query', query, heads * headDim);
    checkFinite('query', query);
    if (stored === 0) throw fail('ERR_QUANTLANE_ARGUMENT', `Expected layer ${layer} to hold a token, got none`);
    const { upTo: tokens = stored, scale: factor = 1 / Math.sqrt(headDim) } = options;
    checkCount('upTo', tokens, 1, stored);
    if (!Number.isFinite(factor)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected scale: a finite number, got ${got(factor)}`);
    }
    const out = options.out ?? new Float32Array(query.length);
    if (!(out instanceof Float32Array) || out.length !== query.length) {
      throw fail('ERR_QUANTLANE_SHAPE', `Expected out: a Float32Array of ${query.length} values, got ${got(out)}`);
    }
    attend(this.#machine, this.#layout, { pieces, tokens, factor }, query, out);
    return out;
  }

  /** What a layer holds, as float32 of `[tokens, heads, headDim]`: what keys and values read back as, rotated back. */
  read(layer: number): { readonly keys: Float32Array; readonly values: Float32Array } {
    const from = this.#layerOf(layer);
    this.#machine.assertOpen();
    const size = from.tokens * this.#layout.width;
    const read = { keys: new Float32Array(size), values: new Float32Array(size) };
    from.read(read.keys, read.values);
    return read;
  }

  /** A cache with the same tokens. Pages are shared until one of the two writes to them; each is released by itself. */
  fork(): KeyValueCache {
    this.#assertHeld();
    return new KeyValueCache(
      this.#machine,
      this.#layout,
      this.#layers.map((layer) => layer.fork()),
    );
  }

  /**
   * Forgets the tokens of every layer from `length` on; layers that are shorter stay as they are. A quantized block that is
   * cut stays quantized, and tokens that follow begin a new one.
   */
  truncate(length: number): void {
    this.#assertHeld();
    checkCount('length', length, 0, Number.MAX_SAFE_INTEGER);
    for (const layer of this.#layers) layer.truncate(length);
  }

  /** All tokens as bytes of ordinary memory, with a checksum; `resumeKeyValueCache` goes on from them bit for bit. */
  serialize(): Uint8Array {
    this.#assertHeld();
    return parked(
      this.#machine,
      this.#layout,
      this.#layers.map(({ pieces }) => pieces),
    );
  }

  /**
   * Gives the memory back.
   * @throws ERR_QUANTLANE_DOUBLE_RELEASE the second time
   */
  release(): void {
    if (this.#isReleased) throw fail('ERR_QUANTLANE_DOUBLE_RELEASE', 'Expected to release a cache once, got twice');
    this.#isReleased = true;
    for (const layer of this.#layers) layer.release();
  }

  /** Releases the cache, if it is not yet. */
  [Symbol.dispose](): void {
    if (!this.#isReleased) this.release();
  }

  #assertHeld(): void {
    if (this.#isReleased) throw fail('ERR_QUANTLANE_LEASE_RELEASED', 'Expected a cache, got one that was released');
  }

  #layerOf(layer: number): Layer {
    this.#assertHeld();
    checkCount('layer', layer, 0, this.#layers.length - 1);
    return this.#layers[layer]!;
  }
}

/**
 * An empty cache in the memory of a runtime. Release it, or let `using` do so.
 * @throws ERR_QUANTLANE_ARGUMENT that names the option which is wrong, ERR_QUANTLANE_CLOSED
 */
export function createKeyValueCache(runtime: Runtime, options: KeyValueCacheOptions): KeyValueCache {
  const machine = new Machine(runtime);
  machine.assertOpen();
  return cacheOf(machine, pageLayout(formatOf(options)), []);
}

/**
 * The cache whose bytes `serialize` gave, in the memory of any runtime.
 * @throws ERR_QUANTLANE_FORMAT for bytes that are damaged, cut off or of another version, ERR_QUANTLANE_ARENA_FULL,
 * ERR_QUANTLANE_ARENA_TOO_SMALL, ERR_QUANTLANE_CLOSED
 */
export function resumeKeyValueCache(runtime: Runtime, bytes: Uint8Array): KeyValueCache {
  const machine = new Machine(runtime);
  machine.assertOpen();
  const { layout, layers } = restored(machine, bytes);
  return cacheOf(machine, layout, layers);
}

function cacheOf(machine: Machine, layout: PageLayout, layers: readonly (readonly Piece[])[]): KeyValueCache {
  const all = Array.from({ length: layout.format.layers }, (_, index) => new Layer(machine, layout, layers[index]));
  return new KeyValueCache(machine, layout, all);
}
