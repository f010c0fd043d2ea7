/**
 * What is still wanted: batches that nobody waits for any more are not answered, and what a server that was killed forgot
 * to remove is removed.
 * @module
 */
import type { JsMsg } from '@nats-io/jetstream';
import type { Connection } from './connection.js';
import { HOSTS } from './names.js';
import { hasClient } from './streams.js';

/** Milliseconds for which it is known that a client is there. */
const KNOWN_MS = 1_000;

/** Milliseconds between two looks at what is left in the stream of batches. */
const SWEEP_MS = 30_000;

/** Knows of batches whether somebody waits for them. */
export class Wanted {
  readonly #connection: Connection;
  /** Clients that were there, and when. */
  readonly #clients = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_MS);
  }

  /** Whether a batch is still there, which is gone once it was acknowledged or taken back, and its client too. */
  async has(message: JsMsg, client: string): Promise<boolean> {
    const { jsm, names } = this.#connection;
    const ask = () => jsm.direct.getMessage(names.work, { seq: message.info.streamSequence });
    return (await this.#connection.persist(ask)) !== null && (await this.#isThere(client));
  }

  /** Looks no more, after a last time. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    if (!this.#connection.gone.aborted) await this.#sweep();
  }

  async #isThere(client: string): Promise<boolean> {
    const now = performance.now();
    if (now - (this.#clients.get(client) ?? Number.NEGATIVE_INFINITY) < KNOWN_MS) return true;
    const { jsm, names } = this.#connection;
    const isThere = await this.#connection.persist(() => hasClient(jsm, names, client));
    if (!isThere) return false;
    this.#clients.clear();
    this.#clients.set(client, now);
    return true;
  }

  /**
   * Removes batches below the first that is not acknowledged. They are gone by then, but for a server that was killed
   * before it wrote so down: it knows that they were acknowledged, delivers them to nobody, and keeps them.
   */
  async #sweep(): Promise<void> {
    const { jsm, names } = this.#connection;
    try {
      const { ack_floor: floor } = await jsm.consumers.info(names.work, HOSTS);
      const { state } = await jsm.streams.info(names.work);
      if (state.messages === 0 || state.first_seq > floor.stream_seq) return;
      await jsm.streams.purge(names.work, { seq: floor.stream_seq + 1 });
    } catch {
      // There is no server for the moment; another look will do.
    }
  }
}
