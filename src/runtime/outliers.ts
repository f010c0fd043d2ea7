/**
 * Schemes that keep outliers apart: which columns hold one must be known before the size of a result is, so it is asked
 * in a pass of its own.
 * @module
 */
import { fail } from '../errors.js';
import type { Lease } from '../memory/index.js';
import { Mode, Source } from '../scheme/codes.js';
import { schemeWords } from '../scheme/index.js';
import type { Input } from './input.js';
import { type Job, jobKind, NOWHERE } from './job.js';
import { checkDone, type Outcome } from './outcome.js';
import { partsOf } from './parts.js';
import type { Plan } from './plan.js';

/** The plan for so many outlier columns. */
export function planWith(plan: Plan, count: number): Plan {
  const { scheme, dtype, source, parts } = plan;
  const layout = { ...plan.layout, count };
  const hasStatistics = parts.statistics >= 0;
  return {
    ...plan,
    layout,
    parts: partsOf(scheme, layout, hasStatistics, false),
    kind: jobKind(Mode.Quantize, source, layout, schemeWords(scheme, dtype), hasStatistics),
  };
}

/** What a pass over the values finds, and how. */
export interface Finding {
  readonly bytes: number;
  job(lease: Lease): Job;
  /** The outlier columns, in ascending order. */
  found(outcome: Outcome, lease: Lease): Int32Array;
}

/**
 * The pass that finds the outlier columns of `input`.
 * @throws ERR_QUANTLANE_ARGUMENT for a scheme that keeps none apart
 */
export function findOutliers(plan: Plan, input: Input, buffer: SharedArrayBuffer): Finding {
  const { scheme, dtype, layout } = plan;
  if (scheme.outliers === null) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected a scheme that keeps outliers apart, got '${scheme.name}'`);
  }
  const kind = jobKind(Mode.Range, Source.Data, layout, schemeWords(scheme, dtype), false);
  const marksOf = ({ byteOffset }: Lease) => new Uint8Array(buffer, byteOffset, layout.length);
  return {
    bytes: layout.length,
    job: (lease) => {
      marksOf(lease).fill(0);
      return { kind, places: { ...NOWHERE, values: input.byteOffset, rangeLow: lease.byteOffset } };
    },
    found: (outcome, lease) => {
      checkDone(outcome);
      const marks = marksOf(lease);
      const columns: number[] = [];
      for (let column = marks.indexOf(1); column >= 0; column = marks.indexOf(1, column + 1)) columns.push(column);
      return Int32Array.from(columns);
    },
  };
}

/**
 * Writes columns that are given, or that come from elsewhere.
 * @throws ERR_QUANTLANE_PARAMETERS where they are not ascending indices of the rows
 */
export function writeColumns(target: Int32Array, columns: ArrayLike<number>, length: number): void {
  let before = -1;
  for (let index = 0; index < target.length; index++) {
    const column = columns[index]!;
    if (!(Number.isInteger(column) && column > before && column < length)) {
      const text = `Expected ascending columns below ${length} as outliers, got ${column} at ${index}`;
      throw fail('ERR_QUANTLANE_PARAMETERS', text);
    }
    target[index] = column;
    before = column;
  }
}
