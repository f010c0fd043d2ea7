/**
 * How often each code occurs.
 * @module
 */
import type { CodeCounts } from '../../../watch/index.js';
import { Figure } from './figure.js';
import { countText, shareText, valueText } from './format.js';
import { colorOf } from './theme.js';
import uPlot from './uplot.js';

const HEIGHT = 132;

/** Labels below the bars, at most. */
const LABELS = 5;
const FEW_LABELS = 3;

/** Pixels below which there is room for few. */
const NARROW = 320;

const NONE: CodeCounts = { values: [0], counts: [0] };

/** A histogram of codes. */
export class Histogram {
  readonly figure: Figure;
  #plot: uPlot | undefined;
  #bins = 0;
  #codes = NONE;

  constructor() {
    this.figure = new Figure('Codes, share of each', () => this.#table());
    new ResizeObserver(() => this.#fit()).observe(this.figure.canvas);
  }

  /** Shows codes. */
  update(codes: CodeCounts): void {
    this.#codes = codes;
    const { values, counts } = codes;
    const total = totalOf(codes);
    const used = counts.filter((count) => count > 0).length;
    const most = counts.indexOf(Math.max(...counts));
    const ends = (counts[0]! + counts[counts.length - 1]!) / total;
    this.figure.say(
      total === 0
        ? 'None of late'
        : `${used} of ${counts.length} used, ${shareText(ends)} at the ends, most often ${labelOf(values[most]!)}: ${shareText(counts[most]! / total)}`,
    );
    if (this.#bins !== values.length) {
      this.#plot?.destroy();
      this.#plot = undefined;
      this.#fit();
    } else this.#plot?.setData(this.#data());
  }

  /** Draws again, for colours are others now. */
  restyle(): void {
    this.#plot?.redraw(false, true);
  }

  #data(): uPlot.AlignedData {
    const total = Math.max(1, totalOf(this.#codes));
    const { counts } = this.#codes;
    return [counts.map((_, bin) => bin), counts.map((count) => count / total)];
  }

  #fit(): void {
    const width = Math.floor(this.figure.canvas.clientWidth);
    if (width === 0) return;
    if (this.#plot !== undefined) return this.#plot.setSize({ width, height: HEIGHT });
    this.#bins = this.#codes.values.length;
    this.#plot = new uPlot(this.#options(width), this.#data(), this.figure.canvas);
  }

  #options(width: number): uPlot.Options {
    const bins = this.#bins;
    const axis = { stroke: () => colorOf('--quiet'), font: '11px system-ui, sans-serif', ticks: { show: false } };
    const splitsOf = ({ width: across }: uPlot): number[] => {
      const labels = across < NARROW ? FEW_LABELS : LABELS;
      return Array.from({ length: labels }, (_, at) => Math.round(((bins - 1) * at) / (labels - 1)));
    };
    const label = (bin: number): string => labelOf(this.#codes.values[bin]);
    return {
      width,
      height: HEIGHT,
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: [-0.5, bins - 0.5] },
        y: { range: (_plot, _low, high) => [0, (high || 1) * 1.05] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 24, splits: splitsOf, values: (plot) => splitsOf(plot).map(label) },
        {
          ...axis,
          grid: { stroke: () => colorOf('--line'), width: 1 },
          size: 60,
          space: 36,
          values: (_plot, all) => all.map(shareText),
        },
      ],
      series: [
        {},
        {
          stroke: () => colorOf('--one'),
          fill: () => colorOf('--one'),
          width: 0,
          points: { show: false },
          paths: uPlot.paths.bars!({ size: [1, Number.POSITIVE_INFINITY], gap: bins > 64 ? 0 : 1 }),
        },
      ],
    };
  }

  #table(): ReturnType<ConstructorParameters<typeof Figure>[1]> {
    const { values, counts } = this.#codes;
    const total = totalOf(this.#codes);
    const rows = values.flatMap((value, bin) => {
      const count = counts[bin]!;
      return count === 0 ? [] : [[labelOf(value), countText(count), shareText(count / total)]];
    });
    return { columns: ['Code', 'Counted', 'Share'], rows };
  }
}

function labelOf(value: number | null | undefined): string {
  return value === null || value === undefined ? 'not finite' : valueText(value);
}

function totalOf({ counts }: CodeCounts): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
