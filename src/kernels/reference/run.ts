/**
 * Lines of elements: where an index leads to its value and its code.
 * @module
 */
import { Word } from '../../scheme/descriptor.js';
import type { Descriptor } from './descriptor.js';
import { storageBytes } from './memory.js';

/** A line of elements, `step` apart: where one index leads to its values and codes. */
export interface Run {
  /** Index of the first element in the tensor. */
  readonly element: number;
  readonly step: number;
  readonly count: number;
  /** Address of the first code. */
  readonly codes: number;
  /** Whether it is a last block that is shorter. */
  readonly isRagged: boolean;
}

/** A run of elements `step` apart, whose codes lie like the values. */
export function strided(d: Descriptor, element: number, step: number, count: number): Run {
  const codes = d.address(Word.Codes) + element * storageBytes(d.int(Word.Storage));
  return { element, step, count, codes, isRagged: false };
}

/** A run of neighbours. */
export function contiguous(d: Descriptor, element: number, count: number): Run {
  return strided(d, element, 1, count);
}

/** At most `count` elements of a run from its element `from` on. */
export function slice(d: Descriptor, run: Run, from: number, count: number): Run {
  return {
    ...run,
    element: run.element + from * run.step,
    count: Math.min(count, run.count - from),
    codes: run.codes + from * codeStep(d, run),
  };
}

/** Bytes from code to code. */
export function codeStep(d: Descriptor, run: Run): number {
  return run.step * storageBytes(d.int(Word.Storage));
}
