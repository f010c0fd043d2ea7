import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { expectConventions, exposition, seriesOf } from '../support/exposition.js';
import { binaryRequest, infer, raw, withServer } from './client.js';

const good = binaryRequest('FP32', [1, 64], new Float32Array(64).fill(0.5));
const MODEL = 'vllm-int8-per-token';
const INFER = '/v2/models/:name/infer';

async function scrape(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/metrics`, { headers });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  const families = exposition(text);
  expectConventions(text);
  return (name: string, labels?: Record<string, string>) => seriesOf(families, `quantlane_${name}`, labels);
}

it('counts what was done, by model and status', async () => {
  // A dashboard looks at some batches, and each look is a call too.
  await withServer({ dashboard: false }, async (url, runtime) => {
    for (let time = 0; time < 3; time++) expect((await infer(url, MODEL, good)).status).toBe(200);
    expect((await infer(url, 'onnx-dynamic', { body: 'nope' })).status).toBe(400);
    await fetch(`${url}/v2/health/live`);
    const of = await scrape(url);
    const requests = (route: string, model: string, status: string) =>
      of('server_requests_total', { route, model, status });
    expect(requests(INFER, MODEL, '200')).toBe(3);
    expect(requests(INFER, 'onnx-dynamic', '400')).toBe(1);
    expect(requests('/v2/health/live', '', '200')).toBe(1);
    expect(of('server_request_duration_seconds_count', { route: INFER, model: MODEL })).toBe(3);
    expect(of('server_requests_in_flight')).toBe(1);
    expect(of('server_inferences_in_work')).toBe(0);
    expect(of('server_ready')).toBe(1);
    const { calls, elements } = runtime.metrics();
    expect([of('batches_total'), of('elements_total')]).toEqual([calls, elements]);
    expect([calls, elements]).toEqual([3, 3 * 64]);
    expect((await scrape(url))('server_requests_total', { route: '/metrics', model: '', status: '200' })).toBe(1);
  });
});

it('has one label for all models and paths that there are not', async () => {
  await withServer({}, async (url) => {
    for (let time = 0; time < 50; time++) await infer(url, `nope-${time}`, good);
    for (let time = 0; time < 50; time++) await fetch(`${url}/nope/${time}`);
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).not.toContain('nope');
    const of = (labels: Record<string, string>) =>
      seriesOf(exposition(text), 'quantlane_server_requests_total', labels);
    expect(of({ route: INFER, model: 'other', status: '404' })).toBe(50);
    expect(of({ route: 'other', model: '', status: '404' })).toBe(50);
  });
});

it('counts buckets up to all requests, and seconds', async () => {
  await withServer({}, async (url) => {
    for (let time = 0; time < 4; time++) await infer(url, MODEL, good);
    const text = await (await fetch(`${url}/metrics`)).text();
    const counts = [
      ...text.matchAll(
        /^quantlane_server_request_duration_seconds_bucket\{le="([^"]+)",route="[^"]+infer".*\} (\d+)$/gm,
      ),
    ];
    expect(counts.length).toBe(16);
    expect(counts.at(-1)!.slice(1)).toEqual(['+Inf', '4']);
    const numbers = counts.map(([, , count]) => Number(count));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    const sum = Number(/^quantlane_server_request_duration_seconds_sum\{route="[^"]+infer".*\} (\S+)$/m.exec(text)![1]);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(60);
  });
});

it('counts requests that were refused, and clients that went', async () => {
  await withServer({ maxPending: 1, timeout: 1_000 }, async (url, _runtime, server) => {
    const head = `POST /v2/models/${MODEL}/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n`;
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(head));
    await expect.poll(() => server.pending).toBe(1);
    expect((await infer(url, MODEL, good)).status).toBe(429);
    expect((await scrape(url))('server_inferences_in_work')).toBe(1);
    socket.destroy();
    await expect.poll(() => server.pending).toBe(0);
    const of = await scrape(url);
    expect(of('server_refused_total', { reason: 'limit' })).toBe(1);
    expect(of('server_refused_total', { reason: 'token' })).toBe(0);
    const labels = { route: INFER, model: MODEL };
    expect(of('server_requests_total', { ...labels, status: '429' })).toBe(1);
    expect(of('server_requests_total', { ...labels, status: '499' })).toBe(1);
    expect(of('server_requests_in_flight')).toBe(1);
  });
});

it('counts the bytes that went through its connections', async () => {
  await withServer({}, async (url) => {
    const lines = Object.entries({ ...good.headers, host: 'x', 'content-length': String(good.body.length) });
    const one = (connection: string) =>
      Buffer.concat([
        Buffer.from(`POST /v2/models/${MODEL}/infer HTTP/1.1\r\n`),
        Buffer.from([...lines, ['connection', connection]].map(([name, value]) => `${name}: ${value}\r\n`).join('')),
        Buffer.from('\r\n'),
        good.body,
      ]);
    // Three requests of one connection, without waiting for answers.
    const sent = Buffer.concat([one('keep-alive'), one('keep-alive'), one('close')]);
    const answers = await raw(url, sent, false);
    expect(answers.match(/HTTP\/1\.1 200 /g)).toHaveLength(3);
    const of = await scrape(url);
    expect(of('server_received_bytes_total')).toBe(sent.length);
    expect(of('server_sent_bytes_total')).toBe(answers.length);
  });
});

it('wants the token for metrics, unless they are open', async () => {
  await withServer({ token: 'secret' }, async (url) => {
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const of = await scrape(url, { authorization: 'Bearer secret' });
    expect(of('server_refused_total', { reason: 'token' })).toBe(1);
  });
  await withServer({ token: 'secret', metricsOpen: true }, async (url) => {
    expect((await scrape(url))('server_ready')).toBe(1);
    expect((await fetch(`${url}/v2`)).status).toBe(401);
  });
});

it('counts for each server alone', async () => {
  await withServer({}, async (one) => {
    await withServer({}, async (other) => {
      await infer(one, MODEL, good);
      const labels = { route: INFER, model: MODEL, status: '200' };
      expect((await scrape(one))('server_requests_total', labels)).toBe(1);
      expect((await scrape(other))('server_requests_total', labels)).toBeUndefined();
    });
  });
});
