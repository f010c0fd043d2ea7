/**
 * The server: the Open Inference Protocol, version 2, with its extension for binary tensors, in front of a runtime.
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Runtime } from '../runtime/index.js';
import { Watch } from '../watch/index.js';
import type { Sources } from './dashboard/reporter.js';
import { dashboardRoutes } from './dashboard/routes.js';
import { Exchange } from './exchange.js';
import { answer, type Failure, failureOf } from './failure.js';
import { Generation } from './generation.js';
import { Health } from './health.js';
import { Inference } from './infer.js';
import { modelMetadata, serverMetadata } from './metadata.js';
import { ServerMetrics } from './metrics.js';
import { type Model, Models } from './models.js';
import { type ServerOptions, type ServerSettings, settleServer } from './options.js';
import { HEALTH_PATH, watchRequests } from './requests.js';
import { Streams } from './streams.js';
import { traceOf, writeTrace } from './trace.js';
import { Watching } from './watching.js';

/** A server that listens. */
export class QuantlaneServer {
  readonly #settings: ServerSettings;
  readonly #runtime: Runtime;
  readonly #health: Health;
  readonly #models: Models;
  readonly #inference: Inference;
  readonly #metrics: ServerMetrics;
  readonly #generation: Generation;
  readonly #app: FastifyInstance;
  readonly #watch: Watch | undefined;
  readonly #streams: Streams;
  #pending = 0;
  #isDraining = false;
  readonly #count = (change: 1 | -1): void => {
    this.#pending += change;
  };

  private constructor(runtime: Runtime, settings: ServerSettings) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#health = new Health(runtime, settings.healthDeadline);
    this.#models = new Models(settings.models);
    this.#watch = settings.dashboard ? new Watch(runtime) : undefined;
    const watching = new Watching(runtime, this.#watch, this.#models, settings.models);
    const limits = { json: settings.maxJson, tensor: settings.maxTensor };
    this.#inference = new Inference(runtime, this.#models, limits, watching);
    this.#metrics = new ServerMetrics(runtime, this);
    this.#generation = new Generation({
      ...settings,
      isTaken: (name) => this.#models.find(name) !== undefined,
      count: this.#count,
      refuse: send,
    });
    this.#app = this.#routes();
    this.#streams = this.#openStreams();
  }

  /**
   * Listens.
   * @throws ERR_QUANTLANE_ARGUMENT, and errors of the system such as EADDRINUSE
   */
  static async listen(runtime: Runtime, options: ServerOptions = {}): Promise<QuantlaneServer> {
    const settings = settleServer(options);
    const server = new QuantlaneServer(runtime, settings);
    await server.#app.listen({ host: settings.host, port: settings.port });
    server.#health.start();
    return server;
  }

  /** Where it listens, such as `http://127.0.0.1:8000`. */
  get url(): string {
    const { address, port, family } = this.#app.server.address() as AddressInfo;
    const host = family === 'IPv6' ? `[${address}]` : address;
    return `${this.#settings.tls === undefined ? 'http' : 'https'}://${host}:${port}`;
  }

  /** Requests in work. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether it has a dashboard. */
  get hasDashboard(): boolean {
    return this.#watch !== undefined;
  }

  /** Batches that the dashboard's watch looked at; each is one more call of the runtime. */
  get looks(): number {
    return this.#watch?.looks ?? 0;
  }

  /** Takes no more requests, is not ready any more, and settles when those in work are answered. */
  async close(): Promise<void> {
    this.#isDraining = true;
    this.#streams.drain();
    await this.#app.close();
    await this.#watch?.settled();
    this.#health.stop();
  }

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #routes(): FastifyInstance {
    const { tls, timeout, token, metricsOpen, log } = this.#settings;
    const common = {
      requestTimeout: timeout,
      forceCloseConnections: 'idle' as const,
      routerOptions: { maxParamLength: 100 },
      // Each request has one line of its own, see `watchRequests`.
      logController: new LogController({ disableRequestLogging: true }),
      ...(log !== undefined && { logger: { stream: log } }),
    };
    const app = (tls === undefined ? Fastify(common) : Fastify({ ...common, https: { ...tls } })) as FastifyInstance;
    // Bodies go to where they belong as they come in.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    app.setNotFoundHandler((request, reply) =>
      send(reply, answer(404, `Expected a path of the protocol, got ${request.url}`)),
    );
    app.setErrorHandler((error, _request, reply) => send(reply, failureOf(error)));
    watchRequests(app, this.#models, this.#metrics);
    this.#metrics.register(app, metricsOpen);
    if (token !== undefined) app.addHook('onRequest', tokenCheck(tokenTest(token)));
    if (this.#watch !== undefined) dashboardRoutes(app, this.#sources(this.#watch));

    for (const path of ['/v2', '/v2/']) app.get(path, () => serverMetadata());
    app.get('/v2/health/live', () => ({ live: true }));
    app.get('/v2/health/ready', (_request, reply) => this.#sayReady(reply));
    for (const path of ['/v2/models/:name', '/v2/models/:name/versions/:version']) {
      app.get(path, (request, reply) =>
        this.#onName(request, reply, (name, model) =>
          reply.send(model === undefined ? this.#generation.metadata(name) : modelMetadata(model)),
        ),
      );
      app.get(`${path}/ready`, (request, reply) =>
        this.#onName(request, reply, (name) => this.#sayReady(reply, { name })),
      );
      this.#generation.register(app, path);
      app.post(`${path}/infer`, { config: { writesTrace: true } }, (request, reply) => {
        // What a handler returns is waited for as a promise.
        this.#onModel(request, reply, (model) => this.#infer(model, request, reply));
      });
    }
    return app;
  }

  #openStreams(): Streams {
    const { timeout, token, maxStreams, maxJson, maxTensor } = this.#settings;
    return new Streams(this.#app.server, {
      inference: this.#inference,
      timeout,
      count: this.#count,
      find: (name) => this.#models.find(name),
      isToken: token === undefined ? undefined : tokenTest(token),
      maxStreams,
      maxMessage: maxJson + maxTensor,
    });
  }

  #sources(watch: Watch): Sources {
    return { runtime: this.#runtime, watch, maxPending: this.#settings.maxPending, pending: () => this.#pending };
  }

  /** Why no more requests should come here; undefined where they may. */
  get problem(): string | undefined {
    return this.#isDraining ? 'the server closes' : this.#health.problem;
  }

  /** Lanes that do not answer, by index. */
  get wedged(): readonly number[] {
    return this.#health.wedged;
  }

  #sayReady(reply: FastifyReply, what: object = {}): FastifyReply {
    const { problem } = this;
    if (problem === undefined) return reply.send({ ...what, ready: true });
    return reply.code(503).send({ ...what, ready: false, error: problem });
  }

  /** As `onModel`, also for language models, which are no model here. */
  #onName<T>(
    request: FastifyRequest,
    reply: FastifyReply,
    then: (name: string, model: Model | undefined) => T,
  ): T | FastifyReply {
    const { name, version = '1' } = request.params as { name: string; version?: string };
    if (version === '1' && this.#generation.metadata(name) !== undefined) return then(name, undefined);
    return this.#onModel(request, reply, (model) => then(name, model));
  }

  #onModel<T>(request: FastifyRequest, reply: FastifyReply, then: (model: Model) => T): T | FastifyReply {
    const { name, version = '1' } = request.params as { name: string; version?: string };
    const model = version === '1' ? this.#models.find(name) : undefined;
    if (model !== undefined) return then(model);
    return send(reply, answer(404, `Expected the name of a model and version 1, got '${name}', version ${version}`));
  }

  #infer(model: Model, request: FastifyRequest, reply: FastifyReply): void {
    const { maxPending, timeout } = this.#settings;
    if (this.#pending >= maxPending) {
      send(reply, answer(429, `Expected at most ${maxPending} requests at a time, got one more`));
      return;
    }
    this.#pending++;
    // The answer is written to the response itself; errors go the way of every other route.
    new Exchange(model, request.raw, reply.raw, {
      inference: this.#inference,
      timeout,
      refuse: (error) => send(reply, failureOf(error)),
      over: () => {
        this.#pending--;
      },
    });
  }
}

function send(reply: FastifyReply, { status, body, retryAfter }: Failure): FastifyReply {
  writeTrace(reply.raw, traceOf(reply.request.raw));
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  // What is left of the body is not worth reading.
  if (status === 413 || status === 503) reply.header('connection', 'close');
  return reply.code(status).send(body);
}

/** Whether a header brings the token; the comparison takes as long for every other. */
function tokenTest(token: string): (authorization: string | undefined) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return (authorization) => timingSafeEqual(digest(authorization ?? ''), expected);
}

/** Refuses requests without the token. */
function tokenCheck(
  isToken: (authorization: string | undefined) => boolean,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) => {
    if (request.url.startsWith(HEALTH_PATH) || request.routeOptions.config?.isOpen === true) return undefined;
    if (isToken(request.headers.authorization)) return undefined;
    reply.header('www-authenticate', 'Bearer');
    return send(reply, answer(401, 'Expected the token of the server as Authorization: Bearer, got another or none'));
  };
}
