/**
 * The search of PyTorch's `HistogramObserver` for the range of least error
 * (torch/ao/quantization/observer.py, after caffe2/quantization/server/norm_minimization.cc): from the full range, the
 * end whose quantile lies further away moves in while the error does not grow.
 * @module
 */
import type { TorchHistogram } from './torch-histogram.js';
import { torchSum } from './torch-sum.js';

const { fround } = Math;

/** How much of the mass a step takes from an end. */
const STEP = 1e-5;

/**
 * The ends of the range of least error.
 * @param codes - how many codes there are, 256 for 8 bits
 */
export function searchRange(histogram: TorchHistogram, codes: number): { readonly min: number; readonly max: number } {
  const { min, max, counts } = histogram;
  const bins = counts.length;
  const total = torchSum(counts);
  const cumulative = cumulated(counts);
  let [alpha, beta, start, end, least] = [0, 1, 0, bins - 1, Infinity];
  while (alpha < beta) {
    const [nextAlpha, nextBeta] = [alpha + STEP, beta - STEP];
    // The thresholds are compared as float32, which is what the cumulated counts are.
    const [low, high] = [fround(nextAlpha * total), fround(nextBeta * total)];
    let [left, right] = [start, end];
    while (left < end && cumulative[left]! < low) left++;
    while (right > start && cumulative[right]! > high) right--;
    const movesStart = left - start > end - right;
    if (movesStart) alpha = nextAlpha;
    else beta = nextBeta;
    const [nextStart, nextEnd] = movesStart ? [left, end] : [start, right];
    if (nextStart === start && nextEnd === end) continue;
    const error = quantizationError(histogram, nextStart, nextEnd, codes);
    if (error > least) break;
    [least, start, end] = [error, nextStart, nextEnd];
  }
  const width = fround(fround(max - min) / bins);
  return { min: fround(min + fround(width * start)), max: fround(min + fround(width * (end + 1))) };
}

/** `torch.cumsum`: summed in double, each sum rounded. */
function cumulated(counts: Float32Array): Float32Array {
  let sum = 0;
  return counts.map((count) => (sum += count));
}

/**
 * `_compute_quantization_error`: the squared distance from the values, spread evenly over their bins, to the centres
 * of `codes` equal bins from bin `start` to bin `end`; values beyond belong to the outermost ones.
 */
function quantizationError({ min, max, counts }: TorchHistogram, start: number, end: number, codes: number): number {
  const bins = counts.length;
  // Doubles until they meet a tensor: torch rounds them there.
  const exactWidth = (max - min) / bins;
  const exactCode = (exactWidth * (end - start + 1)) / codes;
  if (exactCode === 0) return 0;
  const width = fround(exactWidth);
  const code = fround(exactCode);
  const half = fround(exactCode / 2);
  const errors = new Float32Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    const begin = fround((bin - start) * width);
    const finish = fround(begin + width);
    const first = clamp(floorDivide(begin, code), codes);
    const last = clamp(floorDivide(finish, code), codes);
    const density = fround(counts[bin]! / width);
    const firstCentre = fround(fround(first + 0.5) * code);
    const lastCentre = fround(fround(last * code) + half);
    const whole = fround(fround(fround(last - first) - 1) * norm(-half, half, density));
    const head = norm(fround(begin - firstCentre), half, density);
    errors[bin] = fround(fround(head + whole) + norm(-half, fround(finish - lastCentre), density));
  }
  return torchSum(errors);
}

/** density · ∫ x² from `begin` to `end`. */
function norm(begin: number, end: number, density: number): number {
  return fround(density * fround(fround(cube(end) - cube(begin)) / 3));
}

function cube(value: number): number {
  return fround(fround(value * value) * value);
}

function clamp(value: number, codes: number): number {
  return value < 0 ? 0 : Math.min(value, codes - 1);
}

/** `torch.div(…, rounding_mode='floor')` of float32 for b > 0 (`div_floor_floating`, c10/util/BFloat16-math.h). */
function floorDivide(a: number, b: number): number {
  const rest = fround(a % b);
  let quotient = fround(fround(a - rest) / b);
  if (rest < 0) quotient = fround(quotient - 1);
  const floor = Math.floor(quotient);
  return fround(quotient - floor) > 0.5 ? fround(floor + 1) : floor;
}
