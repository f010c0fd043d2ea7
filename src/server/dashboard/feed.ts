/**
 * The feed: one update a second for everybody who looks, as Server-Sent Events. Nothing is computed where nobody does.
 * @module
 */
import type { ServerResponse } from 'node:http';
import type { Reporter } from './reporter.js';

/** The most viewers at a time. */
export const MAX_VIEWERS = 16;

/** Milliseconds from one update to the next. */
const EVERY = 1_000;

/** Bytes that may wait for a viewer; one that reads more slowly is cut off, and connects again. */
const MAX_WAITING = 4 * 2 ** 20;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  connection: 'close',
  // A proxy between must not wait for more.
  'x-accel-buffering': 'no',
};

/** Sends updates. */
export class Feed {
  readonly #reporter: Reporter;
  /** Who looks, and at which stream. */
  readonly #viewers = new Map<ServerResponse, string | undefined>();
  #timer: NodeJS.Timeout | undefined;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Who looks. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Whether nobody else may look. */
  get isFull(): boolean {
    return this.#viewers.size >= MAX_VIEWERS;
  }

  /** Sends an update now, and each second until the viewer is gone. */
  join(viewer: ServerResponse, stream: string | undefined): void {
    const text = this.#reporter.moment()(stream);
    viewer.writeHead(200, HEADERS);
    viewer.once('close', () => this.#leave(viewer));
    viewer.on('error', () => undefined);
    this.#viewers.set(viewer, stream);
    this.#timer ??= setInterval(() => this.#update(), EVERY);
    send(viewer, text);
  }

  /** Ends all: the server closes. */
  end(): void {
    for (const viewer of [...this.#viewers.keys()]) {
      viewer.end();
      this.#leave(viewer);
    }
  }

  #update(): void {
    const textOf = this.#reporter.moment();
    for (const [viewer, stream] of this.#viewers) {
      if (viewer.writableLength > MAX_WAITING) viewer.destroy();
      else send(viewer, textOf(stream));
    }
  }

  #leave(viewer: ServerResponse): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function send(viewer: ServerResponse, text: string): void {
  viewer.write(`data: ${text}\n\n`);
}
