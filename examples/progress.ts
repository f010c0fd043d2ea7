/**
 * A line that says how far the work is, for a terminal only.
 * @module
 */
import type { WriteStream } from 'node:tty';

/** Milliseconds between two lines. */
const INTERVAL_MS = 80;

/** Shows one line on standard error and overwrites it; writes nothing where that is no terminal. */
export class Progress {
  readonly #stream: WriteStream | undefined;
  #last = Number.NEGATIVE_INFINITY;

  constructor(stream: WriteStream = process.stderr) {
    this.#stream = stream.isTTY ? stream : undefined;
  }

  /** Shows a text with the part that is done, from 0 to 1. */
  show(text: string, done: number): void {
    const now = performance.now();
    if (this.#stream === undefined || now - this.#last < INTERVAL_MS) return;
    this.#last = now;
    const bar = '#'.repeat(Math.round(done * 20)).padEnd(20, '.');
    const line = `${bar} ${String(Math.round(done * 100)).padStart(3)} %  ${text}`;
    this.#stream.write(`\r\x1b[K${line.slice(0, (this.#stream.columns || 80) - 1)}`);
  }

  /** Removes the line. */
  clear(): void {
    if (this.#last !== Number.NEGATIVE_INFINITY) this.#stream?.write('\r\x1b[K');
  }
}
