/**
 * The connection to NATS: opened, watched, and used for messages that must be stored once.
 * @module
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { JetStreamClient, JetStreamManager, PubAck } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { fail, QuantlaneError } from '../errors.js';
import type { Names } from './names.js';
import type { ClusterSettings } from './options.js';
import { ensureStreams } from './streams.js';

/** Milliseconds for the server to say that a message is stored. */
const STORED_MS = 2_000;

/** Milliseconds before a message is published again, doubled from time to time. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 1_000;

/** Bytes of a message that are left for headers and the protocol. */
const HEADROOM = 4_096;

/** Codes of JetStream that pass: it recovers, or is full until others take something. */
const PASSING = new Set([10_008, 10_023, 10_047, 10_077]);

/** A connection to the servers of a cluster. */
export class Connection {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly names: Names;
  readonly counts = { reconnects: 0, resent: 0 };
  /** Called when there is a server again. */
  onReconnect = (): void => undefined;
  readonly #headers: () => MsgHdrs;
  readonly #gone = new AbortController();
  readonly #reconnectFor: number;
  #timer: NodeJS.Timeout | undefined;
  /** Settles when there is a server; there only while there is none. */
  #back: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  private constructor(
    nc: NatsConnection,
    js: JetStreamClient,
    jsm: JetStreamManager,
    headers: () => MsgHdrs,
    { names, reconnectFor }: ClusterSettings,
  ) {
    this.nc = nc;
    this.js = js;
    this.jsm = jsm;
    this.names = names;
    this.#headers = headers;
    this.#reconnectFor = reconnectFor;
    setMaxListeners(0, this.#gone.signal);
    void this.#watch();
  }

  /**
   * Connects, and makes the streams of the cluster where they are not there.
   * @throws ERR_QUANTLANE_UNREACHABLE where there is no server, it refuses, or has no JetStream
   */
  static async open(settings: ClusterSettings): Promise<Connection> {
    // Whoever needs no cluster pays nothing for it.
    const [transport, { jetstream, jetstreamManager }] = await Promise.all([
      import('@nats-io/transport-node'),
      import('@nats-io/jetstream'),
    ]);
    const { servers, name, creds, token, user, password: pass, tls, connectTimeout } = settings;
    let nc: NatsConnection | undefined;
    try {
      nc = await transport.connect({
        servers: [...servers],
        name,
        timeout: connectTimeout,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 200,
        noAsyncTraces: true,
        ...(creds !== undefined && { authenticator: transport.credsAuthenticator(creds) }),
        ...(token !== undefined && { token }),
        ...(user !== undefined && pass !== undefined && { user, pass }),
        ...(tls !== undefined && { tls: { ...tls } }),
      });
      const jsm = await jetstreamManager(nc, { timeout: connectTimeout });
      await ensureStreams(jsm, settings);
      return new Connection(nc, jetstream(nc), jsm, transport.headers, settings);
    } catch (cause) {
      await nc?.close().catch(() => undefined);
      throw unreachable(servers, cause);
    }
  }

  /** Bytes that one message can hold. */
  get room(): number {
    return (this.nc.info?.max_payload ?? 2 ** 20) - HEADROOM;
  }

  /** Aborted, with the reason, when the connection is given up or closed. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /**
   * Publishes a message that is stored once: whatever happens to the answer, it is sent again under the same id.
   * @returns where it is stored
   * @throws the reason of the signal, ERR_QUANTLANE_CONNECTION_LOST, ERR_QUANTLANE_CLOSED, ERR_QUANTLANE_TOO_LARGE
   */
  async publish(
    subject: string,
    id: string,
    data: Uint8Array,
    facts: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<PubAck> {
    const headers = this.#headers();
    for (const [name, value] of Object.entries(facts)) headers.set(name, value);
    return this.persist(() => this.js.publish(subject, data, { msgID: id, headers, timeout: STORED_MS }), signal);
  }

  /** Asks the server until it answers, as long as the connection is not given up; see `publish`. */
  async persist<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LAST_PAUSE_MS, pause * 2)) {
      signal?.throwIfAborted();
      this.gone.throwIfAborted();
      // What is sent meanwhile would be kept until then, once for every attempt.
      await this.#back?.promise;
      try {
        return await ask();
      } catch (error) {
        if (!isPassing(error)) throw this.#named(error);
        this.counts.resent++;
        await delay(pause);
      }
    }
  }

  /** Closes the connection once all that was said is sent. */
  async close(reason: unknown = closed()): Promise<void> {
    this.#giveUp(reason);
    await this.nc.drain().catch(() => undefined);
    await this.nc.close().catch(() => undefined);
  }

  async #watch(): Promise<void> {
    void this.nc.closed().then((cause) => this.#giveUp(cause instanceof Error ? this.#lost(cause) : closed()));
    for await (const { type } of this.nc.status()) {
      if (type === 'disconnect') this.#disconnected();
      else if (type === 'reconnect') this.#reconnected();
    }
  }

  #disconnected(): void {
    if (this.#back !== undefined || this.gone.aborted) return;
    let resolve = (): void => undefined;
    const promise = new Promise<void>((settle) => {
      resolve = settle;
    });
    this.#back = { promise, resolve };
    this.#timer = setTimeout(() => {
      this.#giveUp(this.#lost());
      void this.nc.close().catch(() => undefined);
    }, this.#reconnectFor);
  }

  #reconnected(): void {
    this.counts.reconnects++;
    this.#resume();
    this.onReconnect();
  }

  #resume(): void {
    clearTimeout(this.#timer);
    this.#back?.resolve();
    this.#back = undefined;
  }

  #giveUp(reason: unknown): void {
    if (!this.gone.aborted) this.#gone.abort(reason);
    this.#resume();
  }

  #lost(cause?: Error): QuantlaneError {
    const text = `Expected a NATS server again within ${this.#reconnectFor} ms, got none`;
    return fail('ERR_QUANTLANE_CONNECTION_LOST', text, { cause });
  }

  #named(error: unknown): unknown {
    if (error instanceof QuantlaneError) return error;
    if (this.gone.aborted) return this.gone.reason;
    const { name, message } = error as Error;
    if (/max_payload|maximum payload|message size exceeds/i.test(message)) {
      return fail('ERR_QUANTLANE_TOO_LARGE', `Expected a message that the server takes, got: ${message}`, {
        cause: error,
      });
    }
    return fail('ERR_QUANTLANE_UNREACHABLE', `Expected an answer of JetStream, got ${name}: ${message}`, {
      cause: error,
    });
  }
}

/** The error of a runtime or host that is closed. */
export function closed(): QuantlaneError {
  return fail('ERR_QUANTLANE_CLOSED', 'Expected a cluster that is connected, got one that was closed');
}

/** Whether an error says that the server is away, starts, or has no room for the moment. */
function isPassing(error: unknown): boolean {
  const { name, code } = error as { readonly name?: string; readonly code?: unknown };
  if (name === 'TimeoutError' || name === 'RequestError' || name === 'NoRespondersError') return true;
  return name === 'JetStreamNotEnabled' || (name === 'JetStreamApiError' && PASSING.has(code as number));
}

function unreachable(servers: readonly string[], cause: unknown): QuantlaneError {
  const said = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const text = `Expected a NATS server with JetStream at ${servers.join(', ')}, got ${said}`;
  return fail('ERR_QUANTLANE_UNREACHABLE', text, { cause });
}
