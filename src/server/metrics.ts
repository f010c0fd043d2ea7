/**
 * `GET /metrics`: what the server and its runtime do, as Prometheus reads it.
 * @module
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Registry } from 'prom-client';
import type { RequestEvent } from '../channels.js';
import { metricsOf, processMetrics } from '../metrics/index.js';
import type { Runtime } from '../runtime/index.js';
import { RequestTally } from './tally.js';

/** Where the metrics are. */
export const METRICS_PATH = '/metrics';

const PREFIX = 'quantlane_server_';
/** Why a request was refused before anything was done for it, by status. */
const REFUSALS: Readonly<Record<number, string>> = { 401: 'token', 429: 'limit' };

/** What the server has to say of itself. */
export interface ServerState {
  /** Inferences in work. */
  readonly pending: number;
  /** Why the server is not ready; undefined where it is. */
  readonly problem: string | undefined;
  /** Lanes that do not answer. */
  readonly wedged: readonly number[];
}

/** Counts requests of one server, in a registry of its own. */
export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #requests: RequestTally;
  readonly #refused: Counter;
  /** Requests that are not over. */
  #inFlight = 0;
  /** Bytes of requests and answers. */
  readonly #bytes = { received: 0, sent: 0 };
  /** Those of each connection that are counted. */
  readonly #counted = new WeakMap<Socket, { received: number; sent: number }>();

  constructor(runtime: Runtime, state: ServerState) {
    const common = (name: string, help: string, labelNames: string[] = []) => {
      return { name: `${PREFIX}${name}`, help, labelNames, registers: [this.#registry] };
    };
    this.#requests = new RequestTally(this.#registry, PREFIX);
    this.#refused = new Counter(common('refused_total', 'Requests that were refused unread', ['reason']));
    for (const reason of Object.values(REFUSALS)) this.#refused.inc({ reason }, 0);
    counter(common('received_bytes_total', 'Bytes of requests, their heads included'), () => this.#bytes.received);
    counter(common('sent_bytes_total', 'Bytes of answers, their heads included'), () => this.#bytes.sent);
    gauge(common('requests_in_flight', 'Requests that are not over, this one included'), () => this.#inFlight);
    gauge(common('inferences_in_work', 'Inferences that are not over'), () => state.pending);
    gauge(common('ready', '1 where the server is ready, else 0'), () => (state.problem === undefined ? 1 : 0));
    gauge(common('lanes_wedged', 'Lanes that are alive and do not answer'), () => state.wedged.length);
    metricsOf(runtime, this.#registry);
    processMetrics(this.#registry);
  }

  /**
   * Answers requests for metrics.
   * @param isOpen whether they need no token
   */
  register(app: FastifyInstance, isOpen: boolean): void {
    app.get(METRICS_PATH, { config: { isOpen } }, async (_request, reply) => {
      reply.type(this.#registry.contentType);
      return this.#registry.metrics();
    });
  }

  /** A request has come. */
  begin(): void {
    this.#inFlight++;
  }

  /** A request that came by `socket` is over. */
  end(event: RequestEvent, socket: Socket): void {
    this.#inFlight--;
    this.#countBytes(socket);
    this.#requests.count(event);
    const reason = REFUSALS[event.status];
    if (reason !== undefined) this.#refused.inc({ reason });
  }

  /** Adds what a connection has carried since it was last counted. */
  #countBytes(socket: Socket): void {
    let last = this.#counted.get(socket);
    if (last === undefined) {
      last = { received: 0, sent: 0 };
      this.#counted.set(socket, last);
    }
    const { bytesRead, bytesWritten } = socket;
    this.#bytes.received += bytesRead - last.received;
    this.#bytes.sent += bytesWritten - last.sent;
    last.received = bytesRead;
    last.sent = bytesWritten;
  }
}

function counter(common: ConstructorParameters<typeof Counter>[0], value: () => number): void {
  new Counter({
    ...common,
    collect() {
      this.reset();
      this.inc(value());
    },
  });
}

function gauge(common: ConstructorParameters<typeof Gauge>[0], value: () => number): void {
  new Gauge({
    ...common,
    collect() {
      this.set(value());
    },
  });
}
