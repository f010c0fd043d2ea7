/** The spans that OpenTelemetry's own SDK collects from the example. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Ids, makeSpans } from '../../dist/examples/opentelemetry.js';
import { binaryRequest, infer, withServer } from '../server/client.js';
import { withRuntime } from '../support/runtime.js';

const ids = new Ids();
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ idGenerator: ids, spanProcessors: [new SimpleSpanProcessor(exporter)] });
const stop = makeSpans(provider.getTracer('quantlane'), ids);

const MODEL = 'torchao-int8';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

beforeEach(() => exporter.reset());
afterAll(() => {
  stop();
  return provider.shutdown();
});

async function spans(count: number) {
  await expect.poll(() => exporter.getFinishedSpans().length).toBe(count);
  return exporter.getFinishedSpans();
}

describe('spans', () => {
  it('are one below the other: of the client, the request and its batch', async () => {
    await withServer({ dashboard: false }, async (url) => {
      const good = binaryRequest('FP32', [2, 32], new Float32Array(64).fill(1));
      const headers = { ...good.headers, traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'foo=1' };
      const answer = await infer(url, MODEL, { ...good, headers });
      const [batch, request] = await spans(2);
      expect(request).toMatchObject({ name: 'POST /v2/models/:name/infer', kind: SpanKind.SERVER });
      expect(request!.attributes).toMatchObject({ model: MODEL, 'http.response.status_code': 200 });
      expect(request!.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: PARENT });
      const { traceId, spanId } = request!.spanContext();
      expect(answer.headers.get('traceparent')).toBe(`00-${traceId}-${spanId}-01`);
      expect(traceId).toBe(TRACE);
      expect(batch).toMatchObject({ name: 'quantize', parentSpanContext: { traceId, spanId } });
      expect(batch!.attributes).toEqual({ scheme: MODEL, dtype: 'float32', shape: [2, 32], place: 'in-place' });
      expect(batch!.spanContext().traceState?.get('foo')).toBe('1');
    });
  });

  it('begin a trace where the client has none, and are left out where it does not record', async () => {
    await withServer({}, async (url) => {
      const header = (await fetch(`${url}/v2`)).headers.get('traceparent')!;
      const [request] = await spans(1);
      expect(header).toBe(`00-${request!.spanContext().traceId}-${request!.spanContext().spanId}-00`);
      expect(request!.parentSpanContext).toBeUndefined();
      await fetch(`${url}/v2`, { headers: { traceparent: `00-${TRACE}-${PARENT}-00` } });
      await fetch(`${url}/v2`, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } });
      const [, last] = await spans(2);
      expect(last!.spanContext().traceId).toBe(TRACE);
    });
  });

  it('tell of calls without a server, and of why they failed', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const bad = { dtype: 'float32', shape: [1], data: Float32Array.of(Number.NaN) } as const;
      await expect(runtime.quantize(bad, MODEL)).rejects.toThrow('NaN');
      const [span] = await spans(1);
      expect(span!.status.code).toBe(SpanStatusCode.ERROR);
      expect(span!.events[0]!.attributes!['exception.message']).toContain('NaN');
    });
  });
});
