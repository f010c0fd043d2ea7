/**
 * The running histogram of PyTorch's `HistogramObserver` (torch/ao/quantization/observer.py): equal bins over
 * [min, max]; a batch that widens the range spreads the old counts over the new bins. All in float32 as torch does.
 * @module
 */
import { roundHalfEven } from '../numbers.js';
import type { Survey } from './channels.js';
import type { Bins } from './observer.js';
import { type Reading, runsOf } from './reading.js';
import { finiteOf } from './values.js';

const { fround } = Math;

/** Counts over [min, max], in as many equal bins as there are counts. */
export interface TorchHistogram {
  readonly min: number;
  readonly max: number;
  /** float32, no integers once a batch has widened the range. */
  readonly counts: Float32Array;
}

/**
 * Whose rules apply. PyTorch 1.13 cuts the ends of the range to integers before it counts (`min=int(min_val)`), so
 * values beyond are lost and the others fall into bins of another grid; 2.0 counts over the range itself.
 */
export type TorchRelease = '1.13' | '2.0';

/** Parts that an old bin is cut into before it is spread. */
export const UPSAMPLE_RATE = 128;

/** `histogram` (undefined for none) after a batch with a finite value, which is read once more. */
export function* observed(
  histogram: TorchHistogram | undefined,
  seen: Survey,
  bins: number,
  release: TorchRelease,
): Reading<TorchHistogram> {
  const [min, max] = [seen.min[0]!, seen.max[0]!];
  if (histogram === undefined || histogram.min === histogram.max) {
    return { min, max, counts: yield* histc(seen, bins, min, max, release) };
  }
  const low = Math.min(min, histogram.min);
  const fit = fitted(histogram, low, Math.max(max, histogram.max), release);
  const counts = yield* histc(seen, bins, low, fit.max, release);
  if (low === histogram.min && fit.max === histogram.max) {
    for (let bin = 0; bin < bins; bin++) counts[bin] = counts[bin]! + histogram.counts[bin]!;
  } else {
    spread(counts, histogram.counts, fit.start, fit.rate);
  }
  return { min: low, max: fit.max, counts };
}

/** How an old histogram lies on the grid of a new one. */
interface Fit {
  /** End of the new range, moved up so that a new bin is `rate` parts of an old one. */
  readonly max: number;
  /** Part of the new grid where the old histogram begins. */
  readonly start: number;
  readonly rate: number;
}

/** `_adjust_min_max`: the new range is a whole number of parts. */
function fitted(old: TorchHistogram, low: number, high: number, release: TorchRelease): Fit {
  const bins = old.counts.length;
  const extent = fround(old.max - old.min);
  const wanted = fround(high - low);
  const before = fround(old.min - low);
  if (release === '1.13') {
    const part = fround(extent / (bins * UPSAMPLE_RATE));
    const whole = fround(bins * part);
    const rate = Math.ceil(fround(wanted / whole));
    const excess = fround(fround(rate * whole) - wanted);
    return { max: fround(high + excess), start: roundHalfEven(fround(before / part)), rate };
  }
  const rate = Math.ceil(fround(fround(wanted * UPSAMPLE_RATE) / extent));
  const excess = fround(fround(fround(rate * extent) / UPSAMPLE_RATE) - wanted);
  const start = fround(fround(fround(before * bins) * UPSAMPLE_RATE) / extent);
  return { max: fround(high + excess), start: roundHalfEven(start), rate };
}

/**
 * `_combine_histograms`: adds old counts, each as 128 equal parts from part `start` on, to bins of `rate` parts. The
 * running sum is a double as in the source, the part of it that is taken off a float32.
 */
function spread(counts: Float32Array, old: Float32Array, start: number, rate: number): void {
  const bins = counts.length;
  const parts = bins * UPSAMPLE_RATE;
  let sum = 0;
  let next = 0;
  let before = 0;
  for (let bin = 0; bin < bins; bin++) {
    // Rounding may push the last part beyond the last bin, which torch refuses; it goes to the last bin.
    const end = bin === bins - 1 ? parts : Math.min((bin + 1) * rate - start, parts);
    for (; next < end; next++) sum += old[Math.floor(next / UPSAMPLE_RATE)]!;
    counts[bin] = counts[bin]! + fround((sum - before) / UPSAMPLE_RATE);
    before = fround(sum);
  }
}

/**
 * `torch.histc` (aten/src/ATen/native/cpu/HistogramKernel.cpp): counts of the values within [min, max] in equal bins;
 * where the two are equal, over the values' own range, and where that is empty too, over [min − 1, max + 1].
 */
function* histc(
  seen: Survey,
  bins: number,
  min: number,
  max: number,
  release: TorchRelease,
): Reading<Float32Array<ArrayBuffer>> {
  let [low, high] = release === '1.13' ? [fround(Math.trunc(min)), fround(Math.trunc(max))] : [min, max];
  if (low === high) [low, high] = [seen.min[0]!, seen.max[0]!];
  if (low === high) [low, high] = [fround(low - 1), fround(high + 1)];
  const counts = new Float32Array(bins);
  const extent = fround(high - low);
  for (const run of runsOf(seen.elements)) {
    const values = finiteOf(yield run, seen.bad === 0);
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (value < low || value > high) continue;
      const bin = Math.trunc(fround(fround(fround(value - low) * bins) / extent));
      const place = bin < bins ? bin : bins - 1;
      counts[place] = counts[place]! + 1;
    }
  }
  return counts;
}

/** The histogram with its edges, or null where float32 cannot tell two of them apart. */
export function binsOf({ min, max, counts }: TorchHistogram): Bins | null {
  const edges = Float32Array.from(
    { length: counts.length + 1 },
    (_, edge) => min + (max - min) * (edge / counts.length),
  );
  for (let edge = 1; edge < edges.length; edge++) if (!(edges[edge]! > edges[edge - 1]!)) return null;
  return { edges, counts: Float64Array.from(counts) };
}
