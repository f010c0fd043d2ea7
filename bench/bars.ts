/**
 * Bars: what was measured, against what it should be at least or at most.
 * @module
 */
import { table } from './document.js';
import { type Times, timesOf } from './rounds.js';
import { type Estimate, ratio } from './statistics.js';

/** What a figure should be. */
export type Bound = { readonly least: number } | { readonly most: number } | undefined;

/** One answer. */
export interface Bar {
  /** What was done. */
  readonly work: string;
  /** What it was measured against. */
  readonly rival: string;
  readonly unit: '×' | 'ms' | 'bytes';
  readonly measured: Estimate;
  /** Undefined for a figure that is only told. */
  readonly bound: Bound;
}

/** Times as fast as a rival, where both did the same work. */
export function faster(times: Times, work: string, mine: string, rival: string, least: number | undefined): Bar {
  const measured = ratio(timesOf(times, rival), timesOf(times, mine));
  return { work, rival, unit: '×', measured, bound: least === undefined ? undefined : { least } };
}

/** The median decides; where the interval holds the bar, another run may decide otherwise. */
export function verdict({ measured, bound }: Bar): string {
  if (bound === undefined) return '';
  const limit = 'least' in bound ? bound.least : bound.most;
  const isMet = 'least' in bound ? measured.value >= limit : measured.value <= limit;
  const isOpen = measured.low <= limit && limit <= measured.high && measured.low < measured.high;
  return `${isMet ? 'met' : 'missed'}${isOpen ? ', within noise' : ''}`;
}

/** A row of each bar, as a table in Markdown. */
export function barTable(bars: readonly Bar[]): string {
  const head = ['Work', 'Against', 'Measured', '95 % interval', 'Bar', ''];
  const rows = bars.map((bar) => {
    const { work, rival, unit, measured, bound } = bar;
    const interval = `${digits(measured.low)} to ${digits(measured.high)}`;
    return [work, rival, `${digits(measured.value)} ${unit}`, interval, barText(bound, unit), verdict(bar)];
  });
  return table(head, rows, [false, false, true, true, true, false]);
}

function barText(bound: Bound, unit: string): string {
  if (bound === undefined) return '';
  return 'least' in bound ? `≥ ${bound.least} ${unit}` : `≤ ${bound.most} ${unit}`;
}

/** Three digits that count; whole numbers from 100 on. */
export function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
