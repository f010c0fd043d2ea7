/**
 * What becomes of each request: told to the metrics, on `quantlane:server:request`, and as a line of the log.
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type RequestEvent, requestChannel } from '../channels.js';
import { METRICS_PATH, type ServerMetrics } from './metrics.js';
import type { Models } from './models.js';
import { traceOf, writeTrace } from './trace.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether answers carry their traces without being told: to set a header in advance takes longer. */
    writesTrace?: boolean;
  }
}

/** Paths that need no token, and that somebody asks for all the time. */
export const HEALTH_PATH = '/v2/health/';

/** The name of paths, and of models, that there are not: a client may ask for any. */
const OTHER = 'other';
/** The status of a request whose client was gone, or was cut off, before the last byte of its answer. */
const CUT_OFF = 499;

/** Watches the requests of an application from their heads on, and has their answers carry their traces. */
export function watchRequests(app: FastifyInstance, models: Models, metrics: ServerMetrics): void {
  app.addHook('onRequest', (request, { raw: answer }, done) => {
    const start = performance.now();
    const trace = traceOf(request.raw);
    const { socket } = request.raw;
    if (request.routeOptions.config?.writesTrace !== true) writeTrace(answer, trace);
    metrics.begin();
    // However it ends: with an answer, or without one.
    answer.once('close', () => {
      const event: RequestEvent = {
        method: request.method,
        route: request.routeOptions.url ?? OTHER,
        model: modelOf(request, models),
        status: answer.writableFinished ? answer.statusCode : CUT_OFF,
        milliseconds: performance.now() - start,
        trace,
      };
      metrics.end(event, socket);
      if (requestChannel.hasSubscribers) requestChannel.publish(event);
      log(app, event);
    });
    done();
  });
}

function modelOf({ params }: FastifyRequest, models: Models): string {
  const { name } = (params ?? {}) as { readonly name?: string };
  if (name === undefined) return '';
  return models.find(name) === undefined ? OTHER : name;
}

function log(app: FastifyInstance, { method, route, model, status, milliseconds, trace }: RequestEvent): void {
  if (app.log.level === undefined) return;
  const isAskedOften = route.startsWith(HEALTH_PATH) || route === METRICS_PATH;
  const line = { trace_id: trace.traceId, span_id: trace.spanId, method, route, model, status, milliseconds };
  app.log[isAskedOften ? 'debug' : 'info'](line, 'request');
}
