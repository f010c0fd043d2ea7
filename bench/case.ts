/**
 * A case: one question and how its answer is found.
 * @module
 */
import type { Bar } from './bars.js';
import type { Limits } from './limits.js';
import type { Effort } from './rounds.js';

/** What a case has to work with. */
export interface Context {
  readonly effort: Effort;
  /** Undefined where the machine has no C compiler. */
  readonly limits: Limits | undefined;
  /** Says what is being measured. */
  readonly report: (text: string) => void;
}

/** What a case found. */
export interface Answer {
  readonly bars: readonly Bar[];
  /** More than the bars, to be read. */
  readonly text?: string;
  /** More than the bars, to be processed. */
  readonly data?: unknown;
  /** What belongs between two markers of a document, where it is the same on every machine. */
  readonly section?: { readonly document: string; readonly marker: string; readonly text: string };
}

/** One question. */
export interface Case {
  readonly name: string;
  readonly question: string;
  readonly run: (context: Context) => Promise<Answer>;
}
