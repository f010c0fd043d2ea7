/**
 * Numbers over the last five minutes.
 * @module
 */
import { Figure } from './figure.js';
import { agoText } from './format.js';
import { colorOf } from './theme.js';
import uPlot from './uplot.js';

/** Seconds across. */
const ACROSS = 300;

/** Pixels of a plot's height. */
const HEIGHT = 132;

/** A line. */
export interface Line {
  readonly label: string;
  /** Name of its colour in the style sheet. */
  readonly color: string;
  readonly isDashed?: boolean;
}

/** What is plotted. */
export interface TimeChartSettings {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Whether the area between the first two lines is filled. */
  readonly isBand?: boolean;
  /** Whether the axis begins at zero; then the area below a line is filled. */
  readonly fromZero?: boolean;
  /** The least that the axis spans; default 0. */
  readonly span?: number;
  readonly text: (value: number) => string;
}

type Column = readonly (number | null)[];

/** A plot over time. */
export class TimeChart {
  readonly figure: Figure;
  readonly #settings: TimeChartSettings;
  #plot: uPlot | undefined;
  #columns: readonly Column[] = [];
  #says = '';

  constructor(settings: TimeChartSettings) {
    this.#settings = settings;
    this.figure = new Figure(settings.title, () => this.#table());
    new ResizeObserver(() => this.#fit()).observe(this.figure.canvas);
  }

  /**
   * Shows numbers.
   * @param columns a column a line, a number a second, the last one of the newest second; null where there is none
   * @param says what they tell now
   */
  update(columns: readonly Column[], says: string): void {
    this.#columns = columns;
    this.#says = says;
    if (this.#plot === undefined || this.#plot.cursor.idx == null) this.figure.say(says);
    this.#plot?.setData(this.#data());
  }

  /** Draws again, for colours are others now. */
  restyle(): void {
    this.#plot?.redraw(false, true);
  }

  #data(): uPlot.AlignedData {
    const length = Math.max(1, ...this.#columns.map((column) => column.length));
    const ages = Array.from({ length }, (_, at) => at - length + 1);
    const { lines } = this.#settings;
    return [ages, ...lines.map((_, at) => [...(this.#columns[at] ?? [])])] as uPlot.AlignedData;
  }

  #fit(): void {
    const width = Math.floor(this.figure.canvas.clientWidth);
    if (width === 0) return;
    if (this.#plot === undefined) this.#plot = new uPlot(this.#options(width), this.#data(), this.figure.canvas);
    else this.#plot.setSize({ width, height: HEIGHT });
  }

  #options(width: number): uPlot.Options {
    const { lines, isBand = false, fromZero = false, span = 0, text } = this.#settings;
    const axis = { stroke: () => colorOf('--quiet'), font: '11px system-ui, sans-serif', ticks: { show: false } };
    const grid = { stroke: () => colorOf('--line'), width: 1 };
    return {
      width,
      height: HEIGHT,
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: false, range: [1 - ACROSS, 0] },
        y: { range: (_plot, low, high) => spanOf(low, high, fromZero, span) },
      },
      axes: [
        {
          ...axis,
          grid,
          size: 24,
          splits: (plot) => (plot.width < 320 ? [-240, -120, 0] : [-240, -180, -120, -60, 0]),
          values: (_plot, splits) => splits.map(minutes),
        },
        { ...axis, grid, size: 60, space: 28, values: (_plot, splits) => splits.map(text) },
      ],
      series: [
        {},
        ...lines.map(({ label, color, isDashed = false }) => ({
          label,
          stroke: () => colorOf(color),
          width: 1.5,
          points: { show: !isDashed, size: 4, fill: () => colorOf(color), filter: alone },
          ...(isDashed && { dash: [4, 4] }),
          ...(fromZero && !isBand && { fill: () => faint(color) }),
        })),
      ],
      ...(isBand && { bands: [{ series: [2, 1], fill: () => faint(lines[0]!.color) }] }),
      hooks: { setCursor: [({ cursor }) => this.#point(cursor.idx ?? null)] },
    };
  }

  /** Says what is under the pointer, or else what the plot tells. */
  #point(at: number | null): void {
    if (at === null) return this.figure.say(this.#says);
    const { lines, text } = this.#settings;
    const parts = lines.map(({ label }, line) => {
      const value = this.#columns[line]?.[at];
      return value === null || value === undefined ? `${label} –` : `${label} ${text(value)}`;
    });
    const length = Math.max(0, ...this.#columns.map((column) => column.length));
    this.figure.say(`${agoText(length - 1 - at)}: ${parts.join(', ')}`);
  }

  #table(): ReturnType<ConstructorParameters<typeof Figure>[1]> {
    const { lines, text } = this.#settings;
    const length = Math.max(0, ...this.#columns.map((column) => column.length));
    const rows: string[][] = [];
    for (let at = length - 1; at >= 0; at--) {
      const values = lines.map((_, line) => this.#columns[line]?.[at]);
      if (values.every((value) => value === null || value === undefined)) continue;
      rows.push([agoText(length - 1 - at), ...values.map((value) => (typeof value === 'number' ? text(value) : '–'))]);
    }
    return { columns: ['Time', ...lines.map(({ label }) => label)], rows };
  }
}

/** A colour with little of it. */
function faint(color: string): string {
  return colorOf(color).replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)');
}

function minutes(age: number): string {
  return age === 0 ? 'now' : `${age / 60} min`.replace('-', '−');
}

/** Ends of an axis with a little room, `span` apart at least. */
function spanOf(low: number | null, high: number | null, fromZero: boolean, span: number): [number, number] {
  const [least, most] = [fromZero ? 0 : (low ?? 0), high ?? 0];
  const between = Math.max(most - least, span) || Math.abs(most) || 1;
  if (fromZero) return [0, between * 1.08];
  const room = (between * 1.16 - (most - least)) / 2;
  return [least - room, most + room];
}

/** Points without one beside them, which no line would show. */
function alone(plot: uPlot, series: number): number[] {
  const numbers = plot.data[series]!;
  const found: number[] = [];
  for (let at = 0; at < numbers.length; at++) {
    if (numbers[at] != null && numbers[at - 1] == null && numbers[at + 1] == null) found.push(at);
  }
  return found;
}
