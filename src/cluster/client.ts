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

/** A batch that has no result yet. */
interface Expected {
  resolve(message: JsMsg): void;
  reject(reason: unknown): void;
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
}

/** Sends batches and takes their results. */
export class Client {
  /** What the messages of this client are known by. */
  readonly id = randomBytes(8).toString('hex');
  readonly connection: Connection;
  readonly counts: ClientCounts = { sent: 0, sentBytes: 0, received: 0, receivedBytes: 0, unwanted: 0, abandoned: 0 };
  readonly #mostBytes: number;
  readonly #expected = new Map<string, Expected>();
  /** What is tidied up behind the caller's back. */
  readonly #tidying = new Set<Promise<void>>();
  #messages: ConsumerMessages | undefined;
  #number = 0;
  /** When a batch was given up last, by `performance.now()`. */
  #abandonedAt = Number.NEGATIVE_INFINITY;

  private constructor(connection: Connection, mostBytes: number) {
    this.connection = connection;
    this.#mostBytes = mostBytes;
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
      this.#expected.set(id, { resolve, reject });
      ended.signal.addEventListener('abort', () => reject(ended.signal.reason), { once: true });
    });
    const to = { subject: this.connection.names.workOf(this.id), id, way: 'in' } as const;
    const stored = send(this.connection, to, content, ended.signal);
    let hasParts = content.length > this.connection.room;
    let isOver = false;
    try {
      this.counts.sent++;
      this.counts.sentBytes += content.length;
      // It may come before the answer that the batch is stored, which may be lost; what fails for good ends both.
      const message = await Promise.race([arrived, stored.then(() => arrived)]);
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
      if (isOver) stored.catch(() => undefined);
      else this.#giveUp(id, stored);
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

  /** A batch that no host has begun is taken back. */
  #giveUp(id: string, stored: Promise<PubAck>): void {
    this.counts.abandoned++;
    this.#abandonedAt = performance.now();
    const { jsm, names } = this.connection;
    this.#tidy(async () => {
      const ack = await stored.catch(() => undefined);
      // It may be stored although nobody knows: whoever takes it asks for its parts, or brings an unwanted result.
      if (ack !== undefined) await this.#leftovers(() => jsm.streams.deleteMessage(names.work, ack.seq));
      if (ack === undefined) await this.#discard(id);
    });
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
