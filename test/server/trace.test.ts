import type { IncomingMessage } from 'node:http';
import { describe, expect, it, test } from 'vitest';
import type { BatchEvent, RequestEvent } from '#src/index.js';
import { traceOf } from '#src/server/trace.js';
import { ended, start } from '../cli/helpers.js';
import { watching } from '../support/watch.js';
import { binaryRequest, infer, withServer } from './client.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const good = binaryRequest('FP32', [1, 64], new Float32Array(64).fill(0.5));
const MODEL = 'vllm-int8-per-token';
/** A dashboard looks at some batches, and each look is a call too. */
const ALONE = { dashboard: false };

function traced(traceparent: string | undefined, tracestate?: string) {
  return traceOf({ headers: { traceparent, tracestate } } as unknown as IncomingMessage);
}

describe('traceparent', () => {
  test.each([
    ['sampled', `00-${TRACE}-${PARENT}-01`, 1],
    ['not sampled', `00-${TRACE}-${PARENT}-00`, 0],
    ['of a random number', `00-${TRACE}-${PARENT}-03`, 3],
    ['with flags that are not known', `00-${TRACE}-${PARENT}-ff`, 3],
    ['of a version to come', `cc-${TRACE}-${PARENT}-01`, 1],
    ['of a version to come, with more', `cc-${TRACE}-${PARENT}-01-what-the-future-brings`, 1],
    ['of a version to come, with nothing more', `cc-${TRACE}-${PARENT}-01-`, 1],
  ])('is taken: %s', (_, header, flags) => {
    const trace = traced(header);
    expect(trace).toMatchObject({ traceId: TRACE, parentId: PARENT, flags, tracestate: undefined });
    expect(trace.spanId).toMatch(/^[\da-f]{16}$/);
    expect(trace.spanId).not.toBe(PARENT);
  });

  test.each([
    ['none', undefined],
    ['empty', ''],
    ['a version that is forbidden', `ff-${TRACE}-${PARENT}-01`],
    ['more than version 00 has', `00-${TRACE}-${PARENT}-01-x`],
    ['a dash more than version 00 has', `00-${TRACE}-${PARENT}-01-`],
    ['more of a version to come without a dash', `cc-${TRACE}-${PARENT}-01.x`],
    ['no trace', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['upper case of the version', `0A-${TRACE}-${PARENT}-01`],
    ['a short trace', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['a long trace', `00-${TRACE}0-${PARENT}-01`],
    ['no digits', `00-${TRACE}-${PARENT.replace('b', 'g')}-01`],
    ['short flags', `00-${TRACE}-${PARENT}-1`],
    ['long flags', `00-${TRACE}-${PARENT}-001`],
    ['a version of one digit', `0-${TRACE}-${PARENT}-01`],
    ['two of them', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
    ['other separators', `00_${TRACE}_${PARENT}_01`],
    ['a line break', `00-${TRACE}-${PARENT}-01\n`],
  ])('begins a trace: %s', (_, header) => {
    const trace = traced(header, 'a=1');
    expect(trace).toMatchObject({ parentId: undefined, flags: 0, tracestate: undefined });
    expect(trace.traceId).toMatch(/^[\da-f]{32}$/);
    expect(trace.traceId).not.toBe(TRACE);
    expect(traced(header).traceId).not.toBe(trace.traceId);
  });
});

describe('tracestate', () => {
  const state = (text: string) => traced(`00-${TRACE}-${PARENT}-01`, text).tracestate;
  const many = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=v`).join(',');

  test.each([
    'foo=1',
    'foo=1,bar=2',
    'foo=1 , \t bar=2',
    'foo=1,,bar=2,',
    'fw529a3039@dt=FfffffB,0@a=b',
    'a_-*/9=1',
    `${'z'.repeat(256)}=1`,
    `${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
    'foo=a b!"~',
    `foo=${'v'.repeat(256)}`,
    many(32),
  ])('passes: %s', (text) => expect(state(text)).toBe(text));

  test.each([
    '',
    ',',
    'foo',
    'foo=',
    'foo =1',
    'Foo=1',
    '0foo=1',
    '@foo=1',
    'foo@=1',
    'foo@@bar=1',
    'foo@bar@baz=1',
    'foo=1=2',
    'foo=1,foo=2',
    'foo=1;bar=2',
    'foo=ä',
    'foo.bar=1',
    `${'z'.repeat(257)}=1`,
    `${'t'.repeat(242)}@v=1`,
    `t@${'v'.repeat(15)}=1`,
    `foo=${'v'.repeat(257)}`,
    many(33),
  ])('is left out, and the trace goes on: %s', (text) => {
    expect(state(text)).toBeUndefined();
    expect(traced(`00-${TRACE}-${PARENT}-01`, text).traceId).toBe(TRACE);
  });
});

describe('a request', () => {
  const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'foo=1, bar=2' };

  it('has its trace in its answer, in what is told of it, and of the batches it made', async () => {
    await withServer(ALONE, async (url) => {
      let answered: Headers | undefined;
      const batches = await watching<BatchEvent>('quantlane:batch', async () => {
        const requests = await watching<RequestEvent>('quantlane:server:request', async (events) => {
          answered = (await infer(url, MODEL, { ...good, headers: { ...good.headers, ...headers } })).headers;
          await expect.poll(() => events.length).toBe(1);
        });
        expect(requests).toEqual([
          {
            method: 'POST',
            route: '/v2/models/:name/infer',
            model: MODEL,
            status: 200,
            milliseconds: expect.any(Number),
            trace: {
              traceId: TRACE,
              parentId: PARENT,
              flags: 1,
              tracestate: 'foo=1, bar=2',
              spanId: expect.any(String),
            },
          },
        ]);
        const { trace } = requests[0]!;
        expect(answered!.get('traceparent')).toBe(`00-${TRACE}-${trace.spanId}-01`);
        expect(answered!.get('tracestate')).toBe('foo=1, bar=2');
      });
      expect(batches).toHaveLength(1);
      expect(batches[0]).toMatchObject({ operation: 'quantize', scheme: MODEL, shape: [1, 64], error: undefined });
      const span = answered!.get('traceparent')!.split('-')[2];
      expect(batches[0]!.trace).toMatchObject({ traceId: TRACE, spanId: span });
    });
  });

  it('has a trace of its own where it brings none, whatever becomes of it', async () => {
    await withServer({ token: 'secret' }, async (url) => {
      const seen = new Set<string>();
      for (const path of ['/v2', '/v2/health/live', '/nope', '/metrics', '/v2/models/nope']) {
        const header = (await fetch(url + path)).headers.get('traceparent')!;
        expect(header).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
        seen.add(header);
      }
      expect(seen.size).toBe(5);
    });
  });

  it('does not mix its trace with that of another at the same time', async () => {
    await withServer(ALONE, async (url) => {
      const ids = Array.from({ length: 20 }, (_, index) => `${index}`.padStart(32, '1'));
      const batches = await watching<BatchEvent>('quantlane:batch', async () => {
        const answers = ids.map((id, index) => {
          const request = binaryRequest('FP32', [1, index + 1], new Float32Array(index + 1).fill(1));
          const own = { ...request.headers, traceparent: `00-${id}-${PARENT}-01` };
          return infer(url, MODEL, { ...request, headers: own });
        });
        for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
      });
      const found = batches.map(({ shape, trace }) => [shape[1], trace!.traceId]);
      expect(found.sort(([a], [b]) => Number(a) - Number(b))).toEqual(ids.map((id, index) => [index + 1, id]));
    });
  });

  it('is told of when its client goes', async () => {
    await withServer({ timeout: 200 }, async (url) => {
      const events = await watching<RequestEvent>('quantlane:server:request', async (events) => {
        const abort = new AbortController();
        const body = new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(1)) });
        const init = { method: 'POST', body, duplex: 'half', signal: abort.signal } as RequestInit;
        const gone = fetch(`${url}/v2/models/${MODEL}/infer`, init).catch(() => 'gone');
        await new Promise((resolve) => setTimeout(resolve, 50));
        abort.abort();
        expect(await gone).toBe('gone');
        await expect.poll(() => events.length).toBe(1);
      });
      expect(events[0]).toMatchObject({ model: MODEL, status: 499 });
    });
  });
});

describe('the log', () => {
  it('has a line for each request, with its trace, but for those that are asked for all the time', async () => {
    const lines: string[] = [];
    await withServer({ log: { write: (line) => void lines.push(line) } }, async (url) => {
      await fetch(`${url}/v2/health/ready`);
      await fetch(`${url}/metrics`);
      await infer(url, MODEL, { ...good, headers: { ...good.headers, traceparent: `00-${TRACE}-${PARENT}-01` } });
      await infer(url, MODEL, { body: 'nope' });
      await expect.poll(() => lines.filter((line) => line.includes('trace_id')).length).toBe(2);
    });
    const [first, second] = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
    expect(first).toMatchObject({ trace_id: TRACE, model: MODEL, method: 'POST', status: 200, level: 30 });
    expect(first.span_id).toMatch(/^[\da-f]{16}$/);
    expect(second).toMatchObject({ status: 400, route: '/v2/models/:name/infer' });
    expect(lines.join('')).not.toContain('authorization');
  });

  it('goes to standard error of the command line', { timeout: 20_000 }, async () => {
    const child = start(['serve', '--port', '0', '--lanes', '0', '--log']);
    const url = await new Promise<string>((resolve) => {
      child.stderr!.on('data', (part) => {
        const found = /listening on (http:\S+)/.exec(String(part));
        if (found?.[1] !== undefined) resolve(found[1]);
      });
    });
    const done = ended(child);
    const answer = await infer(url, MODEL, good);
    child.kill('SIGTERM');
    const { code, out, err } = await done;
    expect([code, out]).toEqual([0, '1 batches, 0 failed, 64 elements\n']);
    const [line = ''] = err.split('\n').filter((text) => text.includes('"msg":"request"'));
    const { trace_id, span_id, status } = JSON.parse(line);
    expect(`00-${trace_id}-${span_id}-00`).toBe(answer.headers.get('traceparent'));
    expect(status).toBe(200);
  });
});
