/**
 * Spans of OpenTelemetry from what quantlane tells on its channels: one for each request of a server, and one below it for
 * each of its batches. docs/observability.md shows it.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  context,
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { BatchEvent, RequestEvent, TraceContext } from '../src/index.js';

/** Numbers of spans for a provider (`idGenerator`): a server has told its own to its client before there is a span. */
export class Ids {
  /** Those of the span that is begun next; undefined for random ones. */
  next: TraceContext | undefined;

  generateTraceId(): string {
    return this.next?.traceId ?? randomBytes(16).toString('hex');
  }

  generateSpanId(): string {
    return this.next?.spanId ?? randomBytes(8).toString('hex');
  }
}

/** Makes spans from now on, until what it returns is called. */
export function makeSpans(tracer: Tracer, ids: Ids): () => void {
  const onRequest = (message: unknown): void => {
    const { method, route, model, status, milliseconds, trace: at } = message as RequestEvent;
    const attributes = {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      model,
    };
    const parent = at.parentId === undefined ? ROOT_CONTEXT : below(at, at.parentId);
    const now = Date.now();
    ids.next = at;
    const options = { kind: SpanKind.SERVER, startTime: now - milliseconds, attributes };
    const span = tracer.startSpan(`${method} ${route}`, options, parent);
    ids.next = undefined;
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(now);
  };
  const onBatch = (message: unknown): void => {
    const { operation, scheme = '', dtype, shape, place, milliseconds, error, trace: at } = message as BatchEvent;
    const parent = at === undefined ? context.active() : below(at, at.spanId);
    const attributes = { scheme, dtype, shape: [...shape], place };
    const now = Date.now();
    const span: Span = tracer.startSpan(operation, { startTime: now - milliseconds, attributes }, parent);
    if (error !== undefined) {
      span.recordException(error as Error);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end(now);
  };
  subscribe('quantlane:server:request', onRequest);
  subscribe('quantlane:batch', onBatch);
  return () => {
    unsubscribe('quantlane:server:request', onRequest);
    unsubscribe('quantlane:batch', onBatch);
  };
}

/** Where a span begins that is below `spanId`. */
function below({ traceId, flags, tracestate }: TraceContext, spanId: string) {
  const state = tracestate === undefined ? {} : { traceState: createTraceState(tracestate) };
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true, ...state });
}
