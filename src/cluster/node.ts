/**
 * A host of a cluster: it takes batches as far as it has credits, quantizes them, publishes the results, and only then
 * says that they are done.
 * @module
 */
import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { fail } from '../errors.js';
import type { Runtime } from '../runtime/index.js';
import { type Batch, readBatch } from './batch.js';
import { FRESH_MS, tooLarge } from './client.js';
import { Connection } from './connection.js';
import { Credits } from './credits.js';
import { clientOf, HOSTS } from './names.js';
import { type NodeOptions, type NodeSettings, settleNode } from './node-options.js';
import { contentBytes, idOf, messageIdOf, receive, send } from './parcel.js';
import { errorMessage, rangeMessage, resultMessage } from './result.js';
import { ensureHosts, type WorkSettings } from './streams.js';
import { Wanted } from './wanted.js';
import { isTransient, perform } from './work.js';

/** What hosts agree on where nobody says otherwise. */
const DEFAULTS: WorkSettings = { ackWait: 5_000, maxAckPending: 1_024 };

/** Most batches in hand where the arena would have room for more. */
const MOST_CREDITS = 64;

/** Milliseconds that the server holds a request for batches; a host that leaves waits for the end of it. */
const PULL_MS = 1_000;

/** Milliseconds before a batch that could not be worked off here is given to a host again. */
const RETRY_MS = 250;

/** What a host has done. */
export interface NodeCounts {
  /** Batches that were taken. */
  taken: number;
  /** Of those, batches that a host had before. */
  redelivered: number;
  /** Results that were published, errors among them. */
  done: number;
  failed: number;
  /** Batches that were given up for they came too often. */
  poisoned: number;
  /** Batches that went back, for another host. */
  returned: number;
  /** Batches whose result nobody wants any more. */
  unwanted: number;
}

/** What a host has done and holds. */
export interface NodeMetrics extends Readonly<NodeCounts> {
  /** Batches in hand, and how many there may be. */
  readonly inHand: number;
  readonly credits: number;
  readonly reconnects: number;
  readonly resent: number;
}

/** A batch in hand. */
interface Held {
  readonly message: JsMsg;
  /** When it came, by `performance.now()`. */
  readonly at: number;
}

/** A host that takes part in a cluster. */
export class ClusterNode {
  /** What results say of where they were made. */
  readonly name: string;
  /** Settles when the host has left, or rejects where the connection is lost. */
  readonly left: Promise<void>;
  readonly #runtime: Runtime;
  readonly #connection: Connection;
  readonly #settings: NodeSettings;
  readonly #most: number;
  readonly #credits: Credits;
  readonly #wanted: Wanted;
  readonly #held = new Set<Held>();
  readonly #counts: NodeCounts = {
    taken: 0,
    redelivered: 0,
    done: 0,
    failed: 0,
    poisoned: 0,
    returned: 0,
    unwanted: 0,
  };
  readonly #timer: NodeJS.Timeout;
  #messages: ConsumerMessages | undefined;
  #isLeaving = false;
  /** Called when a batch is no longer in hand. */
  #onFree = (): void => undefined;

  private constructor(
    runtime: Runtime,
    connection: Connection,
    consumer: Consumer,
    settings: NodeSettings,
    ackWait: number,
  ) {
    this.#runtime = runtime;
    this.#connection = connection;
    this.#settings = settings;
    this.#wanted = new Wanted(connection);
    this.name = settings.cluster.name;
    const { capacity } = runtime.engine.arena;
    // A batch of one message and its result, and as much again for what is around them.
    const room = Math.max(1, Math.floor(capacity / (4 * (connection.room + 1))));
    this.#most = settings.credits ?? Math.min(MOST_CREDITS, room);
    this.#credits = new Credits(Number.POSITIVE_INFINITY, Math.floor(capacity / 2));
    this.#timer = setInterval(() => this.#sayWorking(), Math.max(10, ackWait / 3));
    this.left = this.#run(consumer);
    this.left.catch(() => undefined);
  }

  /**
   * Takes part in a cluster with the lanes and the arena of a runtime, which stays the caller's.
   * @throws ERR_QUANTLANE_UNREACHABLE, ERR_QUANTLANE_ARGUMENT
   */
  static async join(runtime: Runtime, options: NodeOptions = {}): Promise<ClusterNode> {
    const settings = settleNode(options);
    const connection = await Connection.open(settings.cluster);
    try {
      const { jsm, js, names } = connection;
      const { ackWait } = await ensureHosts(jsm, names, settings.work, DEFAULTS);
      return new ClusterNode(runtime, connection, await js.consumers.get(names.work, HOSTS), settings, ackWait);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** What the host has done and holds. */
  metrics(): NodeMetrics {
    const { reconnects, resent } = this.#connection.counts;
    return { ...this.#counts, inHand: this.#held.size, credits: this.#most, reconnects, resent };
  }

  /** Takes no more batches, finishes those in hand, and leaves. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#onFree();
    // What was asked for may be on its way, and would be nobody's until others get it: it is worked off.
    await this.left.catch(() => undefined);
  }

  /** The same as `leave`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  async #run(consumer: Consumer): Promise<void> {
    const { gone } = this.#connection;
    const stop = () => {
      this.#onFree();
      void this.#messages?.close();
    };
    gone.addEventListener('abort', stop, { once: true });
    try {
      while (!this.#isLeaving && !gone.aborted) await this.#pull(consumer);
      while (this.#held.size > 0) await this.#freed();
      if (!this.#isLeaving) throw gone.reason;
    } finally {
      clearInterval(this.#timer);
      await this.#wanted.end();
      await this.#connection.close();
    }
  }

  /** Asks for as many batches as there is credit for, and takes what comes. */
  async #pull(consumer: Consumer): Promise<void> {
    // A few at a time: one request for each would take longer than its work.
    while (this.#most - this.#held.size < Math.ceil(this.#most / 4)) {
      await this.#freed();
      if (this.#isLeaving || this.#connection.gone.aborted) return;
    }
    try {
      this.#messages = await consumer.fetch({ max_messages: this.#most - this.#held.size, expires: PULL_MS });
      for await (const message of this.#messages) this.#take(message);
    } catch {
      // There is no server for the moment: whether for good, the connection says.
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #freed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFree = resolve;
    });
  }

  #take(message: JsMsg): void {
    const held = { message, at: performance.now() };
    this.#held.add(held);
    this.#counts.taken++;
    if (message.info.deliveryCount > 1) this.#counts.redelivered++;
    void this.#work(held)
      // The connection is lost: another host will have the batch.
      .catch(() => undefined)
      .finally(() => {
        this.#held.delete(held);
        this.#onFree();
      });
  }

  #sayWorking(): void {
    for (const { message } of this.#held) message.working();
  }

  async #work(held: Held): Promise<void> {
    const { message } = held;
    const id = idOf(message);
    const client = clientOf(id);
    // Nobody can be told.
    if (client === undefined || this.#connection.names.workOf(client) !== message.subject) return message.term();
    let content: Uint8Array;
    try {
      content = await this.#outcome(message);
    } catch (error) {
      if (isTransient(error) && message.info.deliveryCount < this.#settings.maxDeliver && !this.#isGone) {
        this.#counts.returned++;
        return message.nak(RETRY_MS);
      }
      this.#counts.failed++;
      content = await errorMessage(error, this.name);
    }
    // Whoever gave the batch up, or took its result from another host, would never remove what comes late.
    if (isOld(held) && !(await this.#wanted.has(message, client))) {
      this.#counts.unwanted++;
      return message.ack();
    }
    const subject = this.#connection.names.resultsOf(client);
    await send(this.#connection, { subject, id, way: 'out', messageId: messageIdOf(message) }, content);
    this.#counts.done++;
    // Only now: a host that dies before leaves the batch to another one.
    message.ack();
  }

  /** The result of a batch as a message. */
  async #outcome(message: JsMsg): Promise<Uint8Array> {
    const { maxDeliver, maxTensor } = this.#settings;
    const deliveries = message.info.deliveryCount;
    if (deliveries > maxDeliver) {
      this.#counts.poisoned++;
      const text = `Expected a batch that a host can work off, got one that ${maxDeliver} hosts did not come to the end of`;
      throw fail('ERR_QUANTLANE_POISON_BATCH', text, { details: { deliveries } });
    }
    const bytes = contentBytes(message);
    if (bytes > maxTensor) throw tooLarge(maxTensor, bytes);
    await this.#credits.acquire(bytes);
    try {
      const batch = readBatch(await receive(this.#connection, message, 'in'));
      return await this.#performed(batch);
    } finally {
      this.#credits.release(bytes);
    }
  }

  async #performed(batch: Batch): Promise<Uint8Array> {
    const outcome = await perform(this.#runtime, batch);
    if ('range' in outcome) return rangeMessage(outcome.range, this.name);
    try {
      return await resultMessage(outcome.result, this.name);
    } finally {
      outcome.result.release();
    }
  }

  get #isGone(): boolean {
    return this.#connection.gone.aborted;
  }
}

/** Whether a batch came a while ago, to this host or to the server, or to a host before. */
function isOld({ message, at }: Held): boolean {
  const now = Date.now();
  return performance.now() - at > FRESH_MS || message.redelivered || now - message.time.getTime() > FRESH_MS;
}
