/**
 * Small answers that are ready: those of a turn of the event loop are written one right after the other, at its end. To
 * write wakes a client that waits, and that takes longer than most of the rest; one that is awake, because it has another
 * answer to read, need not be woken.
 * @module
 */
import type { ServerResponse } from 'node:http';

interface Ready {
  readonly to: ServerResponse;
  /** Names and values in turns. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

let ready: Ready[] = [];

/** Answers with 200, these headers and this body at the end of the turn, unless the connection is gone by then. */
export function answerSoon(to: ServerResponse, headers: readonly string[], body: Buffer): void {
  if (ready.length === 0) setImmediate(flush);
  ready.push({ to, headers, body });
}

function flush(): void {
  const all = ready;
  ready = [];
  for (const { to, headers, body } of all) {
    if (to.destroyed) continue;
    to.writeHead(200, headers as string[]);
    to.end(body);
  }
}
