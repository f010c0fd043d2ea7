/**
 * Weights of scores: their exponentials by the largest score, and the sum of these (equations 65 to 67).
 * @module
 */
import { roundHalfEven } from '../../../numbers.js';

const { fround } = Math;

/** Coefficients of e^r, from the sixth power down to the second, and the two parts of ln 2 (Cephes, expf). */
const COEFFICIENTS = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
].map(fround);
const LOG2_E = fround(Math.LOG2E);
const LN2_HIGH = 0.693359375;
const LN2_LOW = fround(-2.1219444e-4);
/** Below this the exponential is 0: no result is subnormal. */
const LEAST = -87;

/** Scores to exponentials; gives their sum. */
export function exponentials(scores: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  // A score that is NaN is not the largest.
  for (const score of scores) if (score > most) most = score;
  const sums = [0, 0, 0, 0];
  for (let t = 0; t < scores.length; t++) {
    scores[t] = exponential(fround(scores[t]! - most));
    sums[t % 4]! += scores[t]!;
  }
  return fround(sums[0]! + sums[2]! + (sums[1]! + sums[3]!));
}

/** e to the power x, from −∞ to 0 (equation 66); NaN stays NaN. */
export function exponential(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < LEAST) return 0;
  const k = roundHalfEven(fround(x * LOG2_E));
  const r = fround(fround(x - fround(k * LN2_HIGH)) - fround(k * LN2_LOW));
  let p = COEFFICIENTS[0]!;
  for (const coefficient of COEFFICIENTS.slice(1)) p = fround(fround(p * r) + coefficient);
  const power = fround(fround(fround(p * fround(r * r)) + r) + 1);
  return power * 2 ** k;
}
