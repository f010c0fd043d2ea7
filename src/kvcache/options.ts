/**
 * What a cache is: its sizes, how keys and values are stored, and which tokens stay float32.
 * @module
 */
import { fail, got } from '../errors.js';
import { isCount } from '../numbers.js';

/** Type that keys or values are stored in; `float32` is not quantized. */
export type CacheDtype = 'float32' | 'int8' | 'int4' | 'int2' | 'fp8';

/** How keys are stored. */
export interface KeyOptions {
  readonly dtype: CacheDtype;
  /**
   * Which values share a scale: those of a token and head (`perToken`, the default), or those of a channel of a head within
   * a block of tokens (`perChannel`, as KIVI does).
   */
  readonly granularity?: 'perToken' | 'perChannel';
  /** Codes about zero, or (`false`) from the smallest value up, which is stored too. Default: true for int8 and fp8. */
  readonly symmetric?: boolean;
}

/** How values are stored: with a scale a token and head. */
export type ValueOptions = Omit<KeyOptions, 'granularity'>;

/** How keys and values are stored, and which tokens stay float32. */
export interface KeyValueStorage {
  /** Default: float32. */
  readonly keys?: KeyOptions;
  /** Default: float32. */
  readonly values?: ValueOptions;
  /** Tokens that are quantized together; a page of memory holds so many. From 1 to 256; default 32. */
  readonly block?: number;
  /** At least so many of the last tokens stay float32; up to `block` − 1 more wait for their block to be full. Default 0. */
  readonly residual?: number;
  /** So many of the first tokens stay float32 (attention sinks). Default 0. */
  readonly sinks?: number;
  /** Rotates each head by an orthonormal Hadamard matrix before it is stored. Default false. */
  readonly rotate?: boolean | { readonly keys?: boolean; readonly values?: boolean };
}

/** How a cache is made. */
export interface KeyValueCacheOptions extends KeyValueStorage {
  /** Layers of the model. */
  readonly layers: number;
  /** Heads of keys and values. */
  readonly heads: number;
  /** Values of a head: a multiple of 16, with `rotate` a power of two; at most 1,024. */
  readonly headDim: number;
  /** Tokens that a layer may hold. Default: as many as the arena has room for. */
  readonly maxTokens?: number;
}

/** Options with everything decided. */
export interface KeyValueFormat {
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  /** null for no limit. */
  readonly maxTokens: number | null;
  readonly keys: Required<KeyOptions>;
  readonly values: Required<ValueOptions>;
  readonly block: number;
  readonly residual: number;
  readonly sinks: number;
  readonly rotate: { readonly keys: boolean; readonly values: boolean };
}

const DTYPES: readonly unknown[] = ['float32', 'int8', 'int4', 'int2', 'fp8'];
const GRANULARITIES: readonly unknown[] = ['perToken', 'perChannel'];

/** Sizes up to these keep every address and count of a page below 2^31. */
const MOST = { layers: 65_536, heads: 4_096, headDim: 1_024, block: 256, tokens: 2 ** 30 };

/**
 * Options, checked and with defaults.
 * @throws ERR_QUANTLANE_ARGUMENT that names the option which is wrong
 */
export function formatOf(options: KeyValueCacheOptions): KeyValueFormat {
  if (typeof options !== 'object' || options === null) throw wrong('options: an object', options);
  const { layers, heads, headDim, maxTokens = null, block = 32, residual = 0, sinks = 0 } = options;
  checkSize('layers', layers, 1, MOST.layers);
  checkSize('heads', heads, 1, MOST.heads);
  checkSize('headDim', headDim, 16, MOST.headDim);
  if (headDim % 16 !== 0) throw wrong('headDim: a multiple of 16', headDim);
  checkSize('block', block, 1, MOST.block);
  checkSize('residual', residual, 0, MOST.tokens);
  checkSize('sinks', sinks, 0, MOST.tokens);
  if (maxTokens !== null) checkSize('maxTokens', maxTokens, 1, MOST.tokens);
  const rotate = rotationOf(options.rotate ?? false);
  if ((rotate.keys || rotate.values) && !Number.isInteger(Math.log2(headDim))) {
    throw wrong('headDim: a power of two where it is rotated', headDim);
  }
  const keys = { granularity: 'perToken' as const, ...storedOf('keys', options.keys) };
  if (!GRANULARITIES.includes(keys.granularity)) {
    throw wrong("keys.granularity: 'perToken' or 'perChannel'", keys.granularity);
  }
  const values = storedOf('values', options.values);
  return Object.freeze({
    ...{ layers, heads, headDim, maxTokens, block, residual, sinks },
    keys: Object.freeze({ dtype: keys.dtype, granularity: keys.granularity, symmetric: keys.symmetric }),
    values: Object.freeze({ dtype: values.dtype, symmetric: values.symmetric }),
    rotate: Object.freeze(rotate),
  });
}

function storedOf<T extends ValueOptions>(name: string, given: T | undefined): T & Required<ValueOptions> {
  const stored = given ?? ({ dtype: 'float32' } as T);
  const { dtype } = stored;
  if (!DTYPES.includes(dtype)) throw wrong(`${name}.dtype: ${DTYPES.join(' | ')}`, dtype);
  const symmetric = stored.symmetric ?? (dtype !== 'int4' && dtype !== 'int2');
  if (typeof symmetric !== 'boolean') throw wrong(`${name}.symmetric: a boolean`, symmetric);
  if (!symmetric && (dtype === 'fp8' || dtype === 'float32')) {
    throw wrong(`${name}.symmetric: true for ${dtype}`, symmetric);
  }
  return { ...stored, symmetric };
}

function rotationOf(given: NonNullable<KeyValueStorage['rotate']>): { keys: boolean; values: boolean } {
  const { keys = false, values = false } = typeof given === 'object' ? given : { keys: given, values: given };
  if (typeof keys === 'boolean' && typeof values === 'boolean') return { keys, values };
  throw wrong('rotate: a boolean or { keys, values }', given);
}

function checkSize(name: string, value: unknown, least: number, most: number): void {
  if (isCount(value) && value >= least && value <= most) return;
  throw wrong(`${name}: an integer from ${least} to ${most}`, value);
}

function wrong(expected: string, value: unknown): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected}, got ${got(value)}`);
}
