/**
 * What a command has of the world outside: standard input, a place for progress, and the wish to stop.
 * @module
 */

import { printable } from './failure.js';

/** What a command has of the world outside. */
export interface Context {
  /** Standard input. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Replaces the line of progress; undefined where nobody watches. */
  readonly show: ((line: string) => void) | undefined;
  /** Tells, on standard error, a line that must be seen while the command runs. */
  readonly say: (line: string) => void;
  /** Writes to standard output before the command has ended. */
  readonly write: (text: string) => unknown;
  /** Aborted when the user stops the command. */
  readonly signal: AbortSignal;
}

/** Milliseconds between two lines of progress. */
const INTERVAL = 100;

/** How far a tensor is; shown now and then. */
export class Progress {
  readonly #show: Context['show'];
  readonly #label: string;
  readonly #total: number;
  #done = 0;
  #last = 0;

  /** @param total elements of all passes */
  constructor(show: Context['show'], label: string, total: number) {
    this.#show = show;
    this.#label = printable(label);
    this.#total = Math.max(total, 1);
  }

  /** So many elements are done. */
  add(elements: number): void {
    this.#done += elements;
    const now = performance.now();
    if (this.#show === undefined || now - this.#last < INTERVAL) return;
    this.#last = now;
    this.#show(`${Math.floor((this.#done / this.#total) * 100)} % ${this.#label}`);
  }
}
