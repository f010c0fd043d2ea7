/**
 * The order of results: those of one key come in the order of their calls, whatever host was faster.
 * @module
 */

/** The place of a call among those of its key. */
export interface Turn {
  /** Number of the call among those of its key, from 0. */
  readonly sequence: number;
  /** Settles when every call before it is over, at once without a key; rejects with the reason of the signal. */
  come(signal?: AbortSignal): Promise<void>;
  /** The call is over, whatever became of it; a second time it does nothing. */
  leave(): void;
}

/** The calls of one key: those that are over out of turn, and who waits. */
interface Line {
  issued: number;
  /** The lowest number that is not over. */
  next: number;
  /** Numbers above `next` that are over. */
  readonly over: Set<number>;
  readonly waiting: Map<number, () => void>;
}

/** A turn of its own. */
const FREE: Turn = Object.freeze({ sequence: 0, come: () => Promise.resolve(), leave: () => undefined });

/** Puts results in order. It holds numbers only: results wait with their calls, of which there are no more than credits. */
export class Order {
  readonly #lines = new Map<string, Line>();

  /** Keys that have calls in work. */
  get size(): number {
    return this.#lines.size;
  }

  /** The next turn of a key; without one the call has no order. */
  take(key: string | undefined): Turn {
    if (key === undefined) return FREE;
    const line = this.#lines.get(key) ?? { issued: 0, next: 0, over: new Set(), waiting: new Map() };
    this.#lines.set(key, line);
    const sequence = line.issued++;
    return {
      sequence,
      come: (signal) => come(line, sequence, signal),
      leave: () => this.#leave(key, line, sequence),
    };
  }

  #leave(key: string, line: Line, sequence: number): void {
    if (sequence < line.next) return;
    line.over.add(sequence);
    line.waiting.delete(sequence);
    while (line.over.delete(line.next)) line.next++;
    line.waiting.get(line.next)?.();
    line.waiting.delete(line.next);
    if (line.next === line.issued) this.#lines.delete(key);
  }
}

async function come(line: Line, sequence: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (line.next === sequence) return;
  let abort = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(signal!.reason);
      line.waiting.set(sequence, resolve);
      signal?.addEventListener('abort', abort, { once: true });
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
