/**
 * Choosing the next token by its logits.
 * @module
 */
import { fail, got } from '../errors.js';
import { chanceOf } from '../kernels/reference/chance.js';
import { exp } from './functions.js';

/** How tokens are chosen. */
export interface SamplingOptions {
  /** 0 (the default) takes the likeliest token; else the probabilities are those of the logits divided by this. */
  readonly temperature?: number;
  /** Integer; the same seed gives the same text. Default 0. */
  readonly seed?: number;
}

/** The index of the largest value; the first of equal ones. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/**
 * Checks how tokens are to be chosen.
 * @throws ERR_QUANTLANE_ARGUMENT for a negative or infinite temperature, or a seed that is no integer
 */
export function samplingOf({ temperature = 0, seed = 0 }: SamplingOptions): Required<SamplingOptions> {
  if (!Number.isFinite(temperature) || temperature < 0) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a temperature from 0, got ${got(temperature)}`);
  }
  if (!Number.isSafeInteger(seed)) throw fail('ERR_QUANTLANE_ARGUMENT', `Expected an integer seed, got ${got(seed)}`);
  return { temperature, seed };
}

/**
 * The token after `position` tokens. It depends on the logits, the seed and the position only; in float64, in the order of
 * the vocabulary.
 */
export function chooseToken(
  logits: Float32Array,
  { temperature, seed }: Required<SamplingOptions>,
  position: number,
): number {
  const best = argmax(logits);
  if (temperature === 0) return best;
  const weights = Float64Array.from(logits, (logit) => exp((logit - logits[best]!) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let rest = chanceOf(seed, position) * total;
  for (let token = 0; token < weights.length; token++) {
    rest -= weights[token]!;
    if (rest < 0) return token;
  }
  return best;
}
