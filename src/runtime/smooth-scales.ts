/**
 * SmoothQuant's scales: how much of the size of activations moves to the weights.
 * @module
 */
import { fail, got } from '../errors.js';
import type { RangeResult } from './jobs.js';

/** Below this no weight's amax counts, and no scale goes. */
const LEAST = 1e-5;

/**
 * A scale for every input channel (equation 46): `smooth` divides the activations by it and `fold` multiplies the
 * weights with it, so that their product stays.
 * @param activationAmax largest magnitude of each channel of the activations
 * @param weightAmax the same of the weights, over all layers that read these activations
 * @param alpha how much moves, from 0 to 1
 * @returns float32, each at least 1e-5
 * @throws ERR_QUANTLANE_ARGUMENT for lengths that differ, what is no magnitude, or another alpha
 */
export function smoothScales(
  activationAmax: ArrayLike<number>,
  weightAmax: ArrayLike<number>,
  alpha = 0.5,
): Float32Array {
  if (!(alpha >= 0 && alpha <= 1)) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected alpha from 0 to 1, got ${got(alpha)}`);
  }
  const { length } = activationAmax;
  if (weightAmax.length !== length) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected ${length} magnitudes of weights, got ${weightAmax.length}`);
  }
  return Float32Array.from({ length }, (_, channel) => {
    const a = magnitude('activationAmax', activationAmax, channel);
    const w = Math.max(magnitude('weightAmax', weightAmax, channel), Math.fround(LEAST));
    const scale = Math.fround(power(a, alpha)) / Math.fround(power(w, 1 - alpha));
    return Math.max(scale, Math.fround(LEAST));
  });
}

/** The largest magnitude of every range: what `smoothScales` takes, of a range by `perChannel(-1)`. */
export function amaxOf({ min, max }: RangeResult): Float32Array {
  return max.map((most, index) => Math.max(most, -min[index]!));
}

function magnitude(name: string, values: ArrayLike<number>, channel: number): number {
  const value = Math.fround(values[channel]!);
  if (value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  const text = `Expected finite magnitudes as ${name}, got ${got(values[channel])} at ${channel}`;
  throw fail('ERR_QUANTLANE_ARGUMENT', text);
}

/** A square root is exactly rounded everywhere, a power is not. */
function power(base: number, exponent: number): number {
  return exponent === 0.5 ? Math.sqrt(base) : base ** exponent;
}
