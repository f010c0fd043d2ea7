/**
 * Entropy calibration of ONNX Runtime: `get_entropy_threshold`, `entropy` and `smooth_distribution` of
 * onnxruntime/python/tools/quantization (calibrate.py, quant_utils.py).
 * @module
 */
import { numpySum } from './numpy-sum.js';
import type { Bins } from './observer.js';

const { fround } = Math;

/** What an empty bin counts as. */
const EPSILON = 0.0001;

/**
 * The ends of the best candidate: from `quantizedBins` bins about zero to all of them, one more on each side at a time,
 * the first one whose divergence is least. Fewer bins than that give the ends of all.
 * @param bins - an even number of signed bins about zero
 */
export function onnxRuntimeThreshold({ edges, counts }: Bins, quantizedBins: number): readonly [number, number] {
  const bins = counts.length;
  const zero = bins / 2;
  let best: readonly [number, number] = [edges[0]!, edges[bins]!];
  let least: number | undefined;
  for (let half = quantizedBins / 2; half <= zero; half++) {
    const start = zero - half;
    const end = Math.min(zero + half + 1, bins);
    const divergence = divergenceOf(counts, start, end, quantizedBins);
    if (least !== undefined && !(divergence < least)) continue;
    [best, least] = [[edges[start]!, edges[end]!], divergence];
  }
  return best;
}

/** Divergence of the bins [start, end) after quantization from them with all outliers at their ends; float32. */
function divergenceOf(counts: Float64Array, start: number, end: number, quantizedBins: number): number {
  const slice = counts.slice(start, end);
  const p = slice.slice();
  for (let bin = 0; bin < start; bin++) p[0]! += counts[bin]!;
  for (let bin = end; bin < counts.length; bin++) p[p.length - 1]! += counts[bin]!;
  const q = quantized(slice, p, quantizedBins);
  const [smoothP, smoothQ] = [smoothed(p), smoothed(q)];
  return smoothP === undefined || smoothQ === undefined ? Infinity : relativeEntropy(smoothP, smoothQ);
}

/** The slice in `count` equal spans, each spread over its bins that are not empty; what is left at the end is not spread. */
function quantized(slice: Float64Array, p: Float64Array, count: number): Float64Array {
  const span = Math.floor(slice.length / count);
  const q = new Float64Array(p.length);
  for (let index = 0; index < count; index++) {
    const [start, end] = [index * span, (index + 1) * span];
    let sum = 0;
    let filled = 0;
    // The last span also counts the rest of the slice.
    for (let bin = start; bin < (index === count - 1 ? slice.length : end); bin++) sum += slice[bin]!;
    for (let bin = start; bin < end; bin++) if (p[bin] !== 0) filled++;
    // The source keeps q as integers: fractions are lost.
    if (filled > 0) q.fill(Math.trunc(sum / filled), start, end);
  }
  return q;
}

/** Empty bins get a little of what the others have; undefined where every bin is empty. */
function smoothed(counts: Float64Array): Float32Array | undefined {
  let zeros = 0;
  for (const count of counts) if (count === 0) zeros++;
  const others = counts.length - zeros;
  if (others === 0) return undefined;
  const taken = fround((-EPSILON * zeros) / others);
  const given = fround(EPSILON);
  return Float32Array.from(counts, (count) => fround(count) + (count === 0 ? given : taken));
}

/** Σ p ln(p / q) of the two after each is divided by its sum; every operation rounds to float32. */
function relativeEntropy(p: Float32Array, q: Float32Array): number {
  const [ofP, ofQ] = [numpySum(p), numpySum(q)];
  const terms = p.map((value, bin) => {
    const [x, y] = [fround(value / ofP), fround(q[bin]! / ofQ)];
    return x > 0 && y > 0 ? x * fround(Math.log(fround(x / y))) : Infinity;
  });
  return numpySum(terms);
}
