/**
 * What a calibration says of the values that it saw, beside the range that it chose.
 * @module
 */
import type { CalibratedTensor } from '../ranges/index.js';
import type { Calibrated } from './drift.js';

/**
 * The values that a calibration saw: by its counts, where the method counts, whose range may leave some out; else those
 * of its range. Of a bin that the range cuts, as many are outside as of its width.
 */
export function calibratedValues({ min, max, histogram }: CalibratedTensor): Calibrated {
  const [low, high] = [min.reduce((a, b) => Math.min(a, b), 0), max.reduce((a, b) => Math.max(a, b), 0)];
  if (histogram === null) return { seenMin: low, seenMax: high, cut: 0 };
  const { edges, counts } = histogram;
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  const [seenLow, seenHigh] = [edges[first]!, edges[last + 1]!];
  // Magnitudes are counted where no bin is negative, but the range is.
  const isMagnitudes = low < 0 && edges[0]! >= 0;
  let total = 0;
  let outside = 0;
  for (const [bin, count] of counts.entries()) {
    const [from, to] = [edges[bin]!, edges[bin + 1]!];
    const inside = Math.max(0, Math.min(to, high) - Math.max(from, isMagnitudes ? -high : low));
    total += count;
    outside += count * (1 - inside / (to - from));
  }
  const seenMin = isMagnitudes ? -seenHigh : Math.min(0, seenLow);
  return { seenMin, seenMax: Math.max(0, seenHigh), cut: total === 0 ? 0 : outside / total };
}
