/**
 * How values are spread over their range, as bars in a terminal.
 * @module
 */
import { countText, valueText, WIDTH } from './report.js';

/** Bars of a histogram. */
const BINS = 16;

/** Counts of values in equal parts of a range. */
export class Histogram {
  readonly min: number;
  readonly max: number;
  /** Values of each part; the last one includes its upper end. */
  readonly counts = new Array<number>(BINS).fill(0);

  constructor(min: number, max: number) {
    this.min = min;
    this.max = max;
  }

  /** Takes in values; those that are NaN or infinite are left out. */
  add(values: ArrayLike<number>): void {
    const { min, counts } = this;
    // In halves, for the range of values at both ends of a type overflows.
    const width = this.max / 2 - min / 2;
    const scale = width > 0 ? BINS / width : 0;
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (value - value !== 0) continue;
      const bin = Math.floor((value / 2 - min / 2) * scale);
      counts[Math.max(Math.min(bin, BINS - 1), 0)]!++;
    }
  }

  /** A line a part: its lower end, its bar and its count. */
  lines(): string[] {
    const { min, max, counts } = this;
    const most = Math.max(...counts);
    if (most === 0) return [];
    const ends = counts.map((_, bin) => valueText(min * (1 - bin / BINS) + max * (bin / BINS)));
    const left = Math.max(...ends.map((text) => text.length));
    const room = WIDTH - left - 2 - 3 - 7;
    return counts.map((count, bin) => {
      const bar = '#'.repeat(Math.ceil((count / most) * room));
      return `  ${ends[bin]!.padStart(left)} | ${bar}${count > 0 ? ` ${countText(count)}` : ''}`.trimEnd();
    });
  }
}
