/**
 * The part that percentile, MSE and entropy have in common: values are counted, and the range is searched among the
 * edges of bins.
 * @module
 */
import { ObserverBase, rangeOf } from './base.js';
import type { Survey } from './channels.js';
import { DyadicGrid } from './dyadic-grid.js';
import type { Fields } from './fields.js';
import { type Grid, type GridKind, totalOf } from './grid.js';
import { GrowingGrid } from './growing-grid.js';
import type { Bins, ObservedNonFinite, Range } from './observer.js';
import { type Reading, RUN_VALUES, runsOf } from './reading.js';
import { finiteOf } from './values.js';

/** The options that the common part reads. */
export interface SearchingOptions {
  readonly grid: GridKind;
  readonly bins: number;
  readonly nonFinite: ObservedNonFinite;
  readonly [option: string]: unknown;
}

/** An observer that counts values into bins. With dyadic bins it merges in any order to the same bits. */
export abstract class SearchingObserver<State extends SearchingObserver<State>> extends ObserverBase<State> {
  abstract override readonly options: SearchingOptions;
  /** Whether values keep their sign; magnitudes are counted where not. */
  protected abstract readonly signed: boolean;
  #grid: Grid | undefined;
  #min = Infinity;
  #max = -Infinity;

  /** Whether observers merge in any order to the same bits: those with dyadic bins. */
  get mergesInAnyOrder(): boolean {
    return this.options.grid === 'dyadic';
  }

  /** What was counted; null before the first batch. */
  override histogram(): Bins | null {
    return this.#grid?.bins() ?? null;
  }

  /** The range that the bins stand for, where `min` and `max` are the smallest and the largest value observed. */
  protected abstract search(bins: Bins, min: number, max: number): Range;

  protected *take({ min: [min], max: [max], elements, bad }: Survey): Reading {
    // A batch of several runs may be given up between them: it is counted in a copy.
    const grid = elements <= RUN_VALUES ? (this.#grid ?? this.#empty()) : this.#copy();
    for (const run of runsOf(elements)) grid.add(finiteOf(yield run, bad === 0), Math.max(-min!, max!));
    this.#grid = grid;
    this.#widen(min!, max!);
  }

  protected join(other: State): void {
    const grid = this.#grid ?? this.#empty();
    grid.merge(other.#grid!);
    this.#grid = grid;
    this.#widen(other.#min, other.#max);
  }

  protected decide(): Range {
    return this.search(this.#grid!.bins(), this.#min, this.#max);
  }

  /**
   * The range [−amax, amax], zero on a side where no value lies. With dyadic bins amax is at most the largest magnitude
   * observed, for the last edge lies beyond; the sources' own bins end where theirs do.
   */
  protected symmetric(amax: number): Range {
    const most = Math.max(-this.#min, this.#max);
    const end = this.options.grid === 'dyadic' ? Math.min(amax, most) : amax;
    return rangeOf(this.#min < 0 ? -end : 0, this.#max > 0 ? end : 0);
  }

  protected remembered(): Readonly<Record<string, unknown>> {
    return { min: this.#min, max: this.#max, grid: this.#grid!.toJSON() };
  }

  protected recall(state: Fields, elements: number): void {
    const [min, max] = [state.only('min', 'max', 'grid').float('min'), state.float('max')];
    if (!(min <= max)) throw state.wrong('min not above max', `${min} and ${max}`);
    const grid = this.#empty();
    grid.load(state.object('grid'));
    const total = totalOf(grid.bins().counts);
    if (total !== elements) throw state.wrong(`counts of ${elements} values`, `${total}`, 'grid');
    [this.#grid, this.#min, this.#max] = [grid, min, max];
  }

  #copy(): Grid {
    const copy: Grid = this.#empty();
    if (this.#grid !== undefined) copy.merge(this.#grid);
    return copy;
  }

  #empty(): DyadicGrid | GrowingGrid {
    const options = { bins: this.options.bins, signed: this.signed };
    return this.options.grid === 'dyadic' ? new DyadicGrid(options) : new GrowingGrid(options);
  }

  #widen(min: number, max: number): void {
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
  }
}
