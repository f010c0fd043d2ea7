/**
 * The side of those who send batches: every batch is sent until it is stored, and its result is taken once.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConsumerMessages, JsMsg, PubAck } from '@nats-io/jetstream';
import { fail } from '../errors.js';
import { Connection, closed } from './connection.js';
import { type Frame, unframed } from './framing.js';
import { messageId } from './names.js';
import type { ClusterSettings } from './options.js';
import { contentBytes, discardParts, idOf, partCount, receive, send } from './parcel.js';
import { ensureClient } from './streams.js';

/** Messages of results that the server may send ahead. */
const AHEAD = 256;

/**
 * Milliseconds within which a host publishes a result without asking whether the batch is still wanted; for as long, a
 * client that closes waits for results of batches that it gave up.
 */
export const FRESH_MS = 1_000;

/**
 * After a server came back, batches without a result are sent anew after so many milliseconds, then after twice as many, and
 * so on: one that was killed may have lost what it said was stored, or deliver it to nobody. So are batches that are sent
 * within so many milliseconds of it.
 */
const DOUBT_MS = 5_000;

/** Milliseconds between two looks for such batches. */
const LOOK_MS = 500;

/** A batch that has no result yet. */
interface Expected {
  resolve(message: JsMsg): void;
  reject(reason: unknown): void;
  /** When it was sent, the last time. */
  at: number;
  /** How often it was sent anew. */
  times: number;
  sendAgain(): void;
}

/** How a batch is sent. */
export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the result to come. */
  readonly timeout: number;
}

/** What a client has done. */
export interface ClientCounts {
  /** Batches that were sent, and bytes of their messages. */
  sent: number;
  sentBytes: number;
  /** Results that came, and bytes of them. */
  received: number;
  receivedBytes: number;
  /** Results that nobody waits for: they came a second time, or after the batch was given up. */
  unwanted: number;
  /** Batches that were given up: aborted, or late. */
  abandoned: number;
  /** Times that a batch was sent anew after the server came back. */
  repeated: number;
}

/** Sends batches and takes their results. */
export class Client {
  /** What the messages of this client are known by. */
  readonly id = randomBytes(8).toString('hex');
  readonly connection: Connection;
  readonly counts: ClientCounts = {
    sent: 0,
    sentBytes: 0,
    received: 0,
    receivedBytes: 0,
    unwanted: 0,
    abandoned: 0,
    repeated: 0,
  };
  readonly #mostBytes: number;
  readonly #expected = new Map<string, Expected>();
  /** What is tidied up behind the caller's back. */
  readonly #tidying = new Set<Promise<void>>();
  #messages: ConsumerMessages | undefined;
  #number = 0;
  /** When a batch was given up last, by `performance.now()`. */
  #abandonedAt = Number.NEGATIVE_INFINITY;
  /** When the server came back last. */
  #backAt = Number.NEGATIVE_INFINITY;
  readonly #timer: NodeJS.Timeout;

  private constructor(connection: Connection, mostBytes: number) {
    this.connection = connection;
    this.#mostBytes = mostBytes;
    connection.onReconnect = () => {
      this.#backAt = performance.now();
    };
    this.#timer = setInterval(() => this.#lookAgain(), LOOK_MS);
    connection.gone.addEventListener('abort', () => this.abandon(connection.gone.reason), { once: true });
  }

  /**
   * Connects and listens for results.
   * @param mostBytes of a result
   * @throws ERR_QUANTLANE_UNREACHABLE
   */
  static async open(settings: ClusterSettings, mostBytes: number): Promise<Client> {
    const connection = await Connection.open(settings);
    const client = new Client(connection, mostBytes);
    try {
      await client.#listen();
      return client;
    } catch (error) {
      clearInterval(client.#timer);
      await connection.close();
      throw error;
    }
  }

  /** Batches without a result. */
  get pending(): number {
    return this.#expected.size;
  }

  /**
   * Sends a batch and waits for its result, whatever it is.
   * @throws ERR_QUANTLANE_TIMEOUT, ERR_QUANTLANE_CONNECTION_LOST, ERR_QUANTLANE_CLOSED, ERR_QUANTLANE_TOO_LARGE, or the
   * reason of the signal; the batch is given up then
   */
  async ask(content: Uint8Array, { signal, timeout }: SendOptions): Promise<Frame> {
    const id = messageId(this.id, this.#number++);
    const ended = new AbortController();
    const abort = () => ended.abort(signal!.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort, { once: true });
    const timer = setTimeout(() => ended.abort(late(timeout)), timeout);
    const arrived = new Promise<JsMsg>((resolve, reject) => {
      const at = performance.now();
      this.#expected.set(id, { resolve, reject, at, times: 0, sendAgain: () => sendAgain() });
      ended.signal.addEventListener('abort', () => reject(ended.signal.reason), { once: true });
    });
    const to = { subject: this.connection.names.workOf(this.id), id, way: 'in' } as const;
    const first = send(this.connection, to, content, ended.signal);
    const stored = [first];
    const sendAgain = (): void => {
      const again = send(this.connection, { ...to, messageId: `${id}~${stored.length}` }, content, ended.signal);
      again.catch(() => undefined);
      stored.push(again);
    };
    let hasParts = content.length > this.connection.room;
    let isOver = false;
    try {
      this.counts.sent++;
      this.counts.sentBytes += content.length;
      // It may come before the answer that the batch is stored, which may be lost; what fails for good ends both.
      const message = await Promise.race([arrived, first.then(() => arrived)]);
      this.#expected.delete(id);
      hasParts ||= partCount(message) > 0;
      const bytes = contentBytes(message);
      if (bytes > this.#mostBytes) throw tooLarge(this.#mostBytes, bytes);
      const frame = unframed(await receive(this.connection, message, 'out', ended.signal));
      this.counts.received++;
      this.counts.receivedBytes += bytes;
      isOver = true;
      return frame;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#expected.delete(id);
      // Nobody hears of it any more.
      arrived.catch(() => undefined);
      first.catch(() => undefined);
      if (!isOver || stored.length > 1) this.#giveUp(id, stored, isOver);
      if (hasParts) this.#tidy(() => this.#discard(id));
    }
  }

  /** Settles when all that was to be tidied up is. */
  async settled(): Promise<void> {
    while (this.#tidying.size > 0) await Promise.allSettled(this.#tidying);
  }

  /** Gives up every batch that has no result. */
  abandon(reason: unknown): void {
    for (const { reject } of [...this.#expected.values()]) reject(reason);
  }

  /** Leaves nothing behind, and closes the connection. */
  async close(): Promise<void> {
    const { jsm, names, gone } = this.connection;
    this.abandon(closed());
    clearInterval(this.#timer);
    await this.settled();
    if (!gone.aborted) {
      // A host may have had a batch in hand that was given up.
      const rest = this.#abandonedAt + FRESH_MS * 1.5 - performance.now();
      if (rest > 0) await delay(rest);
      await this.settled();
      await this.#messages?.close();
      await this.#leftovers(() => jsm.streams.purge(names.results, { filter: names.resultsOf(this.id) }));
      await this.#leftovers(() => jsm.consumers.delete(names.results, this.id));
    }
    await this.connection.close();
  }

  async #listen(): Promise<void> {
    const { js, jsm, names } = this.connection;
    await ensureClient(jsm, names, this.id);
    const consumer = await js.consumers.get(names.results, this.id);
    this.#messages = await consumer.consume({ max_messages: AHEAD, callback: (message) => this.#take(message) });
  }

  #take(message: JsMsg): void {
    const id = idOf(message);
    const expected = this.#expected.get(id);
    // It is here: the server need not keep it, for a result belongs to the process that waits for it.
    message.ack();
    if (expected !== undefined) {
      this.#expected.delete(id);
      return expected.resolve(message);
    }
    this.counts.unwanted++;
    if (partCount(message) > 0) this.#tidy(() => this.#discard(id));
  }

  /** What no host has begun is taken back: a batch that was given up, or one that was sent more than once. */
  #giveUp(id: string, stored: readonly Promise<PubAck>[], isOver: boolean): void {
    if (!isOver) this.counts.abandoned++;
    this.#abandonedAt = performance.now();
    const { jsm, names } = this.connection;
    this.#tidy(async () => {
      for (const storing of stored) {
        const ack = await storing.catch(() => undefined);
        // It may be stored although nobody knows: whoever takes it asks for its parts, or brings an unwanted result.
        if (ack !== undefined) await this.#leftovers(() => jsm.streams.deleteMessage(names.work, ack.seq));
        else await this.#discard(id);
      }
    });
  }

  /** Sends anew what has no result although it was sent long ago, or to a server that was killed since. */
  #lookAgain(): void {
    const now = performance.now();
    for (const expected of this.#expected.values()) {
      const { at, times } = expected;
      const isInDoubt = at < this.#backAt + DOUBT_MS || times > 0;
      if (!isInDoubt || now - Math.max(at, this.#backAt) < DOUBT_MS * 2 ** times) continue;
      expected.at = now;
      expected.times++;
      this.counts.repeated++;
      expected.sendAgain();
    }
  }

  #discard(id: string): Promise<void> {
    return this.#leftovers(() => discardParts(this.connection, this.connection.names.partsOf(id)));
  }

  /** What is not there is no failure; nor is a server that is gone, where messages have their age. */
  async #leftovers(remove: () => Promise<unknown>): Promise<void> {
    await remove().catch(() => undefined);
  }

  #tidy(work: () => Promise<void>): void {
    const tidying = work().finally(() => this.#tidying.delete(tidying));
    this.#tidying.add(tidying);
  }
}

function late(timeout: number): Error {
  return fail('ERR_QUANTLANE_TIMEOUT', `Expected a result of a host within ${timeout} ms, got none`, {
    details: { timeout },
  });
}

/** The error of what has more bytes than may be sent. */
export function tooLarge(most: number, bytes: number): Error {
  return fail('ERR_QUANTLANE_TOO_LARGE', `Expected at most ${most} bytes of a tensor, got ${bytes}`, {
    details: { most, bytes },
  });
}
