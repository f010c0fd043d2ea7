/**
 * How well a model predicts a text.
 * @module
 */
import type { Caches } from './cache.js';
import { exp, log } from './functions.js';
import type { LlamaModel } from './model.js';
import { argmax } from './sampler.js';

/** How well a model predicted. */
export interface Prediction {
  /** e to the mean negative logarithm of the probability of the token that came. */
  readonly perplexity: number;
  /** The likeliest token at every place. */
  readonly likeliest: readonly number[];
  /** Bytes of keys and values for a token of the last window. */
  readonly cacheBytesPerToken: number;
}

/**
 * Predicts every token of a text but the first, in windows that do not know of each other.
 * @param ids one more than a multiple of `window`: the last token of a window is the first of the next one
 * @param window tokens that the model sees at most
 */
export async function predict(
  model: LlamaModel,
  caches: Caches,
  ids: ArrayLike<number>,
  window: number,
): Promise<Prediction> {
  const { vocabulary } = model.config;
  const likeliest: number[] = [];
  let sum = 0;
  let cacheBytesPerToken = 0;
  for (let start = 0; start + window < ids.length; start += window) {
    const seen = Array.from({ length: window }, (_, at) => ids[start + at]!);
    const cache = caches.create();
    try {
      const [logits] = (await model.forward([{ cache, ids: seen, all: true }])) as [Float32Array];
      for (let at = 0; at < window; at++) {
        const row = logits.subarray(at * vocabulary, (at + 1) * vocabulary);
        likeliest.push(argmax(row));
        sum -= logProbability(row, ids[start + at + 1]!);
      }
      cacheBytesPerToken = cache.byteLength / window;
    } finally {
      cache.release();
    }
  }
  return { perplexity: exp(sum / likeliest.length), likeliest, cacheBytesPerToken };
}

/** The share of places at which two predictions have the same likeliest token. */
export function agreement(a: Prediction, b: Prediction): number {
  const same = a.likeliest.filter((token, at) => token === b.likeliest[at]).length;
  return same / a.likeliest.length;
}

/** The logarithm of the probability of a token: its logit minus log Σ e^logit. */
function logProbability(logits: Float32Array, token: number): number {
  const largest = logits[argmax(logits)]!;
  let total = 0;
  for (const logit of logits) total += exp(logit - largest);
  return logits[token]! - largest - log(total);
}
