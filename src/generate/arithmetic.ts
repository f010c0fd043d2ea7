/**
 * How a model computes: what its products and its caches are made of.
 * @module
 */
import { type KeyValuePresetName, type KeyValueStorage, keyValuePreset } from '../kvcache/index.js';
import type { Runtime, SchemeInput } from '../runtime/index.js';
import { type AttentionSizes, type Caches, PlainCaches } from './cache.js';
import { LaneCaches } from './lane-cache.js';
import { type ErrorListener, laneProjector } from './lane-projection.js';
import { PlainProjection, type Projector } from './projection.js';
import { Reserve } from './reserve.js';

/** How a model computes. */
export interface Arithmetic {
  /** Makes the products with weights. */
  readonly project: Projector;
  /** Makes what keeps keys and values. */
  readonly cachesOf: (sizes: AttentionSizes) => Caches;
}

/** What is quantized, and how. */
export interface LaneOptions {
  /**
   * How the input of every linear layer is quantized, token by token: a dynamic preset or a scheme. `none` computes in
   * float32, with weights of float32. Default `vllm-int8-per-token`.
   */
  readonly scheme?: SchemeInput | 'none';
  /** How keys and values are kept. `none` is `float32`. Default `int8`. */
  readonly cache?: KeyValuePresetName | 'none' | (string & {}) | KeyValueStorage;
  /** Hears of the error of the activations of every product. */
  readonly onError?: ErrorListener;
}

/**
 * On the lanes and in the memory of a runtime.
 * @throws ERR_QUANTLANE_PRESET for a scheme or cache that is not known or does not fit
 */
export function onLanes(
  runtime: Runtime,
  { scheme = 'vllm-int8-per-token', cache = 'int8', onError }: LaneOptions = {},
): Arithmetic {
  const storage = typeof cache === 'string' ? keyValuePreset(cache === 'none' ? 'float32' : cache) : cache;
  const reserve = new Reserve(runtime);
  return {
    project: laneProjector(runtime, scheme, reserve, onError),
    cachesOf: (sizes) => new LaneCaches(runtime, sizes, storage, reserve),
  };
}

/** In plain TypeScript on the caller's thread: slow, without rounding between, and the reference of the others. */
export const PLAIN: Arithmetic = Object.freeze({
  project: async (weights) => new PlainProjection(weights),
  cachesOf: (sizes) => new PlainCaches(sizes),
} satisfies Arithmetic);
