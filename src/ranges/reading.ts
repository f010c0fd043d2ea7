/**
 * Reading a batch that may lie anywhere: an observer asks for run after run of its values, some of them twice, and
 * whoever holds the batch hands them over when it suits, be it from memory in one go, between turns of the event loop, or
 * from a file that is larger than memory.
 * @module
 */

/** A run of the values of a batch: its first value, and how many there are. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** Asks for runs of values and is handed them as float32. */
export type Reading<Result = void> = Generator<Run, Result, Float32Array>;

/** Values of a run, but for the last: about a tenth of a millisecond of counting. */
export const RUN_VALUES = 2 ** 14;

/** The runs of a batch, in their order; none for no values. */
export function* runsOf(elements: number): Generator<Run, void, void> {
  for (let first = 0; first < elements; first += RUN_VALUES) {
    yield { first, count: Math.min(RUN_VALUES, elements - first) };
  }
}
