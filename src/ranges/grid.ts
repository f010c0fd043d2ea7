/**
 * The bins that the searches for a percentile, the least squared error and the least entropy work on.
 * @module
 */
import type { Fields } from './fields.js';
import type { Bins } from './observer.js';

/**
 * Where the bins lie.
 *
 * `dyadic`: bins of a width that is a power of two and follows from the largest magnitude alone. Growth merges whole
 * bins, so the counts are those of the values in any order, and histograms merge in any order to the same bits.
 *
 * `first-batch`: the first batch decides the width and later ones add bins, as the sources do. It depends on which
 * batch came first; two such histograms merge only where their widths are equal.
 */
export type GridKind = 'dyadic' | 'first-batch';

/** Counts of magnitudes, or of signed values about zero. */
export interface Grid {
  /** Whether grids that saw parts of the data merge in any order to the same bits. */
  readonly mergesInAnyOrder: boolean;
  /** Adds finite values, whose largest magnitude is `most`. Throws before it changes anything. */
  add(values: Float32Array, most: number): void;
  /** Adds what another grid of the same kind and options counted. Throws before it changes anything. */
  merge(other: this): void;
  /** The bins up to the largest magnitude, about zero where signed. Only after a value was added. */
  bins(): Bins;
  toJSON(): Readonly<Record<string, unknown>>;
}

/** What a grid is made of. */
export interface GridOptions {
  /** How many bins there are at first, or at least. */
  readonly bins: number;
  /** Whether values keep their sign; magnitudes are counted where not. */
  readonly signed: boolean;
}

/** The most bins of a grid. */
export const MAX_GRID_BINS = 2 ** 20;

/** The most bins that a caller may ask for: a grid may double them. */
export const MAX_BINS = 2 ** 16;

/** The option `grid`. */
export function gridOption(fields: Fields): GridKind {
  return fields.choice<GridKind>('grid', ['dyadic', 'first-batch'], 'dyadic');
}

/** The option `bins`: for dyadic bins a power of two, and an even number for signed ones. */
export function binsOption(fields: Fields, grid: GridKind, signed: boolean, otherwise: number): number {
  const bins = fields.integer('bins', { least: 4, most: MAX_BINS }, otherwise);
  if (grid === 'dyadic' && 2 ** Math.round(Math.log2(bins)) !== bins) {
    throw fields.wrong('a power of two', `${bins} bins`, 'bins');
  }
  if (signed && bins % 2 !== 0) throw fields.wrong('an even number', `${bins} bins`, 'bins');
  return bins;
}

/** Sum of counts. */
export function totalOf(counts: Float64Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
