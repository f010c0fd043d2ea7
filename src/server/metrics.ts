/**
 * `GET /metrics`: what the server and its runtime do, as Prometheus reads it.
 * @module
 */
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metricsOf, processMetrics } from '../metrics/index.js';
import type { Runtime } from '../runtime/index.js';
import type { Models } from './models.js';

/** Where the metrics are. */
export const METRICS_PATH = '/metrics';

/** The label of paths, and of models, that there are not: a client may ask for any. */
const OTHER = 'other';
/** The status of a request whose client was gone, or was cut off, before the last byte of its answer. */
const CUT_OFF = 499;
/** Seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
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

/** A request that is over. */
export interface Ended {
  readonly method: string;
  /** The path of the protocol, with its parameters by name; `other` for none. */
  readonly route: string;
  /** The model; `other` for one that there is not, empty where the path has none. */
  readonly model: string;
  /** 499 where the client was gone, or was cut off, before the last byte of the answer. */
  readonly status: number;
  readonly milliseconds: number;
}

/** Counts requests of one server, in a registry of its own. */
export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #models: Models;
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #refused: Counter;
  readonly #received: Counter;
  readonly #sent: Counter;
  readonly #inFlight: Gauge;
  /** Bytes of each connection that are counted. */
  readonly #counted = new WeakMap<Socket, { received: number; sent: number }>();

  constructor(runtime: Runtime, models: Models, state: ServerState) {
    this.#models = models;
    const common = (name: string, help: string, labelNames: string[] = []) => {
      return { name: `quantlane_server_${name}`, help, labelNames, registers: [this.#registry] };
    };
    const labels = ['route', 'model'];
    this.#requests = new Counter(common('requests_total', 'Requests that are over', [...labels, 'status']));
    this.#seconds = new Histogram({
      ...common(
        'request_duration_seconds',
        'Seconds from the head of a request to the last byte of its answer',
        labels,
      ),
      buckets: BUCKETS,
    });
    this.#refused = new Counter(common('refused_total', 'Requests that were refused unread', ['reason']));
    for (const reason of Object.values(REFUSALS)) this.#refused.inc({ reason }, 0);
    this.#received = new Counter(common('received_bytes_total', 'Bytes of requests, their heads included'));
    this.#sent = new Counter(common('sent_bytes_total', 'Bytes of answers, their heads included'));
    this.#inFlight = new Gauge(common('requests_in_flight', 'Requests that are not over, this one included'));
    gauge(common('inferences_in_work', 'Inferences that are not over'), () => state.pending);
    gauge(common('ready', '1 where the server is ready, else 0'), () => (state.problem === undefined ? 1 : 0));
    gauge(common('lanes_wedged', 'Lanes that are alive and do not answer'), () => state.wedged.length);
    metricsOf(runtime, this.#registry);
    processMetrics(this.#registry);
  }

  /**
   * Counts the requests of an application from their heads on, and answers those for metrics.
   * @param isOpen whether those need no token
   */
  register(app: FastifyInstance, isOpen: boolean): void {
    app.addHook('onRequest', async (request, reply) => this.#count(request, reply));
    app.get(METRICS_PATH, { config: { isOpen } }, async (_request, reply) => {
      reply.type(this.#registry.contentType);
      return this.#registry.metrics();
    });
  }

  #count(request: FastifyRequest, reply: FastifyReply): void {
    const start = performance.now();
    const { socket } = request.raw;
    this.#inFlight.inc();
    // However it ends: with an answer, or without one.
    reply.raw.once('close', () => {
      this.#inFlight.dec();
      this.#countBytes(socket);
      const { statusCode, writableFinished } = reply.raw;
      this.#over({
        method: request.method,
        route: request.routeOptions.url ?? OTHER,
        model: this.#modelOf(request),
        status: writableFinished ? statusCode : CUT_OFF,
        milliseconds: performance.now() - start,
      });
    });
  }

  #over({ route, model, status, milliseconds }: Ended): void {
    this.#requests.inc({ route, model, status });
    this.#seconds.observe({ route, model }, milliseconds / 1000);
    const reason = REFUSALS[status];
    if (reason !== undefined) this.#refused.inc({ reason });
  }

  /** Adds what a connection has carried since it was last counted. */
  #countBytes(socket: Socket): void {
    const last = this.#counted.get(socket) ?? { received: 0, sent: 0 };
    const now = { received: socket.bytesRead, sent: socket.bytesWritten };
    this.#received.inc(now.received - last.received);
    this.#sent.inc(now.sent - last.sent);
    this.#counted.set(socket, now);
  }

  #modelOf({ params }: FastifyRequest): string {
    const { name } = (params ?? {}) as { readonly name?: string };
    if (name === undefined) return '';
    return this.#models.find(name) === undefined ? OTHER : name;
  }
}

function gauge(common: ConstructorParameters<typeof Gauge>[0], value: () => number): void {
  new Gauge({
    ...common,
    collect() {
      this.set(value());
    },
  });
}
