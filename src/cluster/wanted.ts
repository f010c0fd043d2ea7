/**
 * What is still wanted: batches that nobody waits for any more are not answered, and what a server that was killed forgot
 * to remove is removed.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { JsMsg } from '@nats-io/jetstream';
import type { Connection } from './connection.js';
import { HOSTS } from './names.js';
import { hasClient } from './streams.js';

/** Milliseconds for which it is known that a client is there. */
const KNOWN_MS = 1_000;

/** Milliseconds between two looks at what is left in the streams. */
const SWEEP_MS = 30_000;

/** Looks at the end, while other hosts have batches in hand or acknowledgements are on their way. */
const LAST_LOOKS = 3;
const LAST_LOOKS_MS = 100;

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

  /** Looks no more, after a last time, for which the server has a moment to count what was acknowledged. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    for (let look = 0; look < LAST_LOOKS && !this.#connection.gone.aborted; look++) {
      if (look > 0) await delay(LAST_LOOKS_MS);
      if (await this.#sweep()) return;
    }
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
   * Removes what nobody will: batches below the first that is not acknowledged, which a server keeps that was killed before
   * it wrote down that they are gone, and results and parts for clients that are gone.
   * @returns whether there is nothing left
   */
  async #sweep(): Promise<boolean> {
    const { jsm, names } = this.#connection;
    try {
      const { ack_floor: floor } = await jsm.consumers.info(names.work, HOSTS);
      const { state } = await jsm.streams.info(names.work);
      if (state.messages > 0 && state.first_seq <= floor.stream_seq) {
        await jsm.streams.purge(names.work, { seq: floor.stream_seq + 1 });
      }
      await this.#sweepClients(names.results, (client) => names.resultsOf(client));
      await this.#sweepClients(names.parts, (client) => names.partsOf(client));
      return (await jsm.streams.info(names.work)).state.messages === 0;
    } catch {
      // There is no server for the moment; another look will do.
      return false;
    }
  }

  /** Removes messages of a stream that are for clients that are gone. */
  async #sweepClients(stream: string, subjectsOf: (client: string) => string): Promise<void> {
    const { jsm, names } = this.#connection;
    const { state } = await jsm.streams.info(stream, { subjects_filter: '>' });
    // Of a subject, the third word is the client.
    const clients = new Set(Object.keys(state.subjects ?? {}).map((subject) => subject.split('.')[2]!));
    for (const client of clients) {
      if (await hasClient(jsm, names, client)) continue;
      await jsm.streams.purge(stream, { filter: subjectsOf(client) });
    }
  }
}
