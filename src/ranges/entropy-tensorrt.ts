/**
 * Entropy calibration of TensorRT's toolkit: `_compute_amax_entropy` of NVIDIA Model Optimizer
 * (modelopt/torch/quantization/calib/histogram.py) with `scipy.stats.entropy`.
 * @module
 */

import { numpySum } from './numpy-sum.js';
import type { Bins } from './observer.js';

/**
 * The edge that ends the best candidate: of `i` bins from `startBin` on in steps of `stride`, the last one whose
 * divergence is least. Too few bins for a candidate give the last edge.
 * @param bins - of magnitudes; the count of the first one is replaced by that of the second, so that zeros do not decide
 * @param spans - equal parts that the bins of a candidate fall into, 128 for int8
 */
export function tensorRtThreshold({ edges, counts }: Bins, spans: number, startBin: number, stride: number): number {
  const bins = counts.slice();
  if (bins.length > 1) bins[0] = bins[1]!;
  let tail = 0;
  for (const count of bins) tail += count;
  const tails = bins.map((count) => (tail -= count));
  let best = bins.length;
  let least = Number.NaN;
  for (let length = startBin; length <= bins.length; length += stride) {
    const reference = bins.slice(0, length);
    const candidate = averaged(reference, spans);
    reference[length - 1]! += tails[length - 1]!;
    const divergence = relativeEntropy(reference, candidate);
    // No counts at all give NaN, which the source's argmin takes for the least; the last one wins a tie.
    if (!(divergence > least)) [best, least] = [length, divergence];
  }
  return edges[best]!;
}

/** Every bin that is not empty as the mean of those in its span; span j begins at the first bin i with i·spans ≥ j·length. */
function averaged(bins: Float64Array, spans: number): Float64Array {
  const sums = new Float64Array(spans);
  const filled = new Float64Array(spans);
  const spanOf = (bin: number): number => Math.floor((bin * spans) / bins.length);
  bins.forEach((count, bin) => {
    if (count === 0) return;
    sums[spanOf(bin)]! += count;
    filled[spanOf(bin)]! += 1;
  });
  return bins.map((count, bin) => (count === 0 ? 0 : sums[spanOf(bin)]! / filled[spanOf(bin)]!));
}

/** Σ p ln(p / q) of the two after each is divided by its sum (`scipy.stats.entropy`); ∞ where q lacks what p has. */
function relativeEntropy(p: Float64Array, q: Float64Array): number {
  const [ofP, ofQ] = [numpySum(p), numpySum(q)];
  const terms = p.map((count, bin) => {
    const [x, y] = [count / ofP, q[bin]! / ofQ];
    if (x > 0 && y > 0) return x * Math.log(x / y);
    if (x === 0 && y >= 0) return 0;
    return Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : Infinity;
  });
  return numpySum(terms);
}
