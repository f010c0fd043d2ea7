/** The paths of the dashboard without a browser: what is open, the token, the feed and its limits. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npyHeader } from '#src/formats/index.js';
import { createRuntime, preset } from '#src/index.js';
import { QuantlaneServer, type ServerOptions } from '#src/server/index.js';
import { ended, spawned, start } from '../../cli/helpers.js';
import { binaryRequest, infer, withServer } from '../client.js';
import { poll } from './browser.js';

const data = Float32Array.from({ length: 512 }, (_, at) => Math.sin(at * 1.7) * (at % 64 === 5 ? 40 : 1));
const request = (more: object = {}) => binaryRequest('FP32', [8, 64], data, more);

/** What the feed sent so far, event by event. */
interface Viewer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of events
  next(): Promise<any>;
  leave(): void;
}

async function view(url: string, stream?: string, headers: Record<string, string> = {}): Promise<Viewer> {
  const gone = new AbortController();
  const query = stream === undefined ? '' : `?stream=${encodeURIComponent(stream)}`;
  const response = await fetch(`${url}/dashboard/feed${query}`, { headers, signal: gone.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const next = async () => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        expect(event).toMatch(/^data: \{.*\}$/);
        return JSON.parse(event.slice('data: '.length));
      }
      const { done, value } = await reader.read();
      if (done) return undefined;
      text += value;
    }
  };
  return { status: response.status, next, leave: () => gone.abort() };
}

describe('the page', () => {
  it('is whole, runs nothing but its own files, and is open', async () => {
    await withServer({ token: 'secret' }, async (url) => {
      const page = await fetch(`${url}/dashboard`);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      const policy = page.headers.get('content-security-policy')!;
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      const html = await page.text();
      expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|https?:\/\//);
      const files = [...html.matchAll(/(?:href|src)="(dashboard\/[^"]+)"/g)].map(([, path]) => path!);
      expect(files).toContain('dashboard/main.js');
      // Every module that is imported, from the first on.
      const seen = new Set<string>();
      for (const path of files.filter((path) => path !== 'dashboard/state')) {
        const queue = [path];
        for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
          if (seen.has(next)) continue;
          seen.add(next);
          const file = await fetch(`${url}/${next}`);
          expect([next, file.status]).toEqual([next, 200]);
          expect(file.headers.get('content-security-policy')).toBe(policy);
          const text = await file.text();
          if (!next.endsWith('.js') || next.endsWith('uplot.js')) continue;
          for (const [, from] of text.matchAll(/^(?:import|export)\b(?:[^'"\n]*\bfrom)? ['"]([^'"]+)['"]/gm)) {
            expect(from).toMatch(/^\.\/[\w-]+\.js$/);
            queue.push(`dashboard/${from!.slice(2)}`);
          }
        }
      }
      expect(seen.size).toBeGreaterThan(15);
      const again = await fetch(`${url}/dashboard/`);
      expect([again.status, again.url]).toEqual([200, `${url}/dashboard`]);
      expect((await fetch(`${url}/dashboard/nope.js`)).status).toBe(401);
      expect((await fetch(`${url}/dashboard/..%2freporter.js`)).status).not.toBe(200);
    });
  });

  it('shows nothing without the token', async () => {
    await withServer({ token: 'secret' }, async (url) => {
      for (const path of ['state', 'feed', 'state?token=secret', 'feed?token=secret']) {
        expect((await fetch(`${url}/dashboard/${path}`)).status).toBe(401);
      }
      const headers = { authorization: 'Bearer secret' };
      const state = await fetch(`${url}/dashboard/state`, { headers });
      expect([state.status, state.headers.get('cache-control')]).toEqual([200, 'no-store']);
      const viewer = await view(url, undefined, headers);
      expect(await viewer.next()).toMatchObject({ state: { streams: [] }, stream: null });
      viewer.leave();
    });
  });

  it.each([
    [{}, 200],
    [{ dashboard: false }, 404],
    [{ host: '::1' }, 200],
    [{ host: 'localhost' }, 200],
    [{ host: '0.0.0.0' }, 404],
    [{ host: '0.0.0.0', dashboard: true }, 200],
    [{ host: '0.0.0.0', token: 'secret' }, 200],
  ] as [ServerOptions, number][])(
    'is there where only this machine or who has the token sees it: %o',
    async (options, status) => {
      await withServer(options, async (url, runtime) => {
        const { port } = new URL(url);
        const at = options.host === '0.0.0.0' ? `http://127.0.0.1:${port}` : url;
        expect((await fetch(`${at}/dashboard`)).status).toBe(status);
        const headers = {
          ...request().headers,
          ...(options.token !== undefined && { authorization: 'Bearer secret' }),
        };
        expect((await infer(at, 'torchao-int8', { ...request(), headers })).status).toBe(200);
        // Without a page nothing is looked at either.
        const { calls } = runtime.metrics();
        expect(calls).toBe(status === 200 ? 2 : 1);
      });
    },
  );
});

describe('the state', () => {
  it('tells what the library says of a stream, by model or by preset and input', async () => {
    const range = { min: -40, max: 40 };
    const models = [{ name: 'layer.3', scheme: 'onnx-dynamic', range }];
    await withServer({ models }, async (url, runtime) => {
      await infer(url, 'layer.3', request());
      await new Promise((resolve) => setTimeout(resolve, 10));
      await infer(url, 'torchao-int8', request());
      await infer(url, 'torchao-int8', { body: '{' });
      const names = ['layer.3', 'torchao-int8/x'];
      await poll(async () => {
        const { state } = await (await fetch(`${url}/dashboard/state`)).json();
        return state.streams.map(
          ({ id, minute }: { id: string; minute: { range: unknown } | null }) => minute?.range && id,
        );
      }).toEqual(names);
      const plain = { dtype: 'float32', shape: [8, 64], data } as const;
      using expected = await runtime.quantize(plain, 'onnx-dynamic', { range, stats: true });
      const { min, max } = await runtime.range(plain, 'onnx-dynamic');
      const { state, stream } = await (await fetch(`${url}/dashboard/state?stream=layer.3`)).json();
      expect(stream).toMatchObject({
        id: 'layer.3',
        scheme: 'onnx-dynamic',
        codes: 'uint8',
        shape: [8, 64],
        reference: { ...range, seenMin: -40, seenMax: 40, cut: 0 },
        total: { batches: 1, elements: 512, bytes: 2048, failed: 0 },
        minute: { saturated: expected.stats!.saturated / 512, looks: 1 },
      });
      expect(stream.minute.sqnr).toBeCloseTo(expected.stats!.sqnr, 6);
      for (const [found, wanted] of [
        [stream.minute.range.low, min[0]],
        [stream.minute.range.high, max[0]],
        [stream.minute.scale.high, expected.scale![0]],
        [stream.minute.zeroPoint.high, expected.zeroPoint![0]],
      ]) {
        expect(Math.fround(found)).toBe(wanted);
      }
      const counts = new Float64Array(256);
      for (const code of expected.data) counts[code]!++;
      expect(stream.codeCounts.counts).toEqual([...counts]);
      expect(state.total).toMatchObject({ batches: 2, elements: 1024 });
      expect(state.runtime.arena.capacity).toBe(runtime.metrics().arena.capacity);
      const other = await (await fetch(`${url}/dashboard/state?stream=nope`)).json();
      expect(other.stream).toBeNull();
    });
  });

  it('has no more streams than it may, whatever inputs are called', async () => {
    await withServer({}, async (url) => {
      const body = (name: string) =>
        JSON.stringify({ inputs: [{ name, datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
      for (let at = 0; at < 100; at++) await infer(url, 'torchao-int8', { body: body(`${'y'.repeat(5000)}${at}`) });
      for (let at = 0; at < 100; at++) await infer(url, 'torchao-int8', { body: body(`x${at}`) });
      const text = await (await fetch(`${url}/dashboard/state`)).text();
      const { state } = JSON.parse(text);
      // Those with long names are one.
      expect([state.streams.length, state.forgotten]).toEqual([64, 37]);
      expect(text.length).toBeLessThan(100_000);
    });
  });
});

describe('the feed', () => {
  it('sends an update at once and each second, the same to all who look at the same', async () => {
    await withServer({}, async (url) => {
      await infer(url, 'torchao-int8', request());
      const viewers = await Promise.all([view(url, 'torchao-int8/x'), view(url, 'torchao-int8/x'), view(url)]);
      for (const viewer of viewers) expect((await viewer.next()).state.total.batches).toBe(1);
      await infer(url, 'torchao-int8', request());
      const [a, b, c] = await Promise.all(viewers.map((viewer) => viewer.next()));
      expect(a).toEqual(b);
      expect(a.stream.total.batches).toBe(2);
      expect([c.state, c.stream]).toEqual([a.state, null]);
      for (const viewer of viewers) viewer.leave();
    });
  });

  it('takes so many viewers, and others when some have left', async () => {
    await withServer({}, async (url) => {
      const viewers = await Promise.all(Array.from({ length: 16 }, () => view(url)));
      expect(viewers.map(({ status }) => status)).toEqual(Array(16).fill(200));
      const refused = await fetch(`${url}/dashboard/feed`);
      expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
        503,
        '10',
        { error: 'Expected at most 16 viewers at a time, got one more' },
      ]);
      viewers.pop()!.leave();
      await poll(async () => {
        viewers.push(await view(url));
        return viewers.at(-1)!.status;
      }).toBe(200);
      for (const viewer of viewers) viewer.leave();
    });
  });

  it('ends when the server closes, which waits for nobody who looks', async () => {
    await using runtime = await createRuntime({ lanes: 0, memory: '16MiB' });
    const server = await QuantlaneServer.listen(runtime, { port: 0 });
    const viewer = await view(server.url);
    expect(await viewer.next()).toBeDefined();
    const began = performance.now();
    await server.close();
    expect(await viewer.next()).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

it('changes no byte of an answer, whether it looks or not', async () => {
  const answers = async (dashboard: boolean) => {
    const found: string[] = [];
    await withServer({ dashboard }, async (url) => {
      for (const name of ['onnx-dynamic', 'ggml-q8_0', 'quarot-int4', 'bnb-int8', preset('nvfp4-torchao').name]) {
        const answer = await infer(url, name, request({ parameters: { binary_data_output: true } }));
        found.push(...[...answer.outputs.values()].map(({ bytes }) => `${name} ${bytes!.toString('hex')}`));
        await new Promise((resolve) => setTimeout(resolve, 6));
      }
    });
    return found;
  };
  const looked = await answers(true);
  expect(looked.length).toBeGreaterThan(5);
  expect(looked).toEqual(await answers(false));
});

describe('quantlane serve', () => {
  it('says where the page is, and judges streams by the values of their calibration', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quantlane-dashboard-'));
    let child: ReturnType<typeof start> | undefined;
    try {
      const path = join(folder, 'layer.npy');
      await writeFile(path, Buffer.concat([npyHeader('float32', [8, 64]), Buffer.from(data.buffer)]));
      const file = join(folder, 'calibration.json');
      const words = [
        'calibrate',
        path,
        '--method',
        'percentile',
        '--percentile',
        '99',
        '--preset',
        'onnx-dynamic',
        '--out',
        file,
      ];
      expect((await spawned(words)).code).toBe(0);
      child = start(['serve', '--port', '0', '--lanes', '0', '--calibration', file]);
      const url = await new Promise<string>((resolve) => {
        let said = '';
        child!.stderr!.on('data', (part) => {
          said += part;
          const found = /(http:\S+)\/dashboard shows what it does\n/.exec(said);
          if (found) resolve(found[1]!);
        });
      });
      const done = ended(child);
      await infer(url, 'layer', request());
      const { stream } = await (await fetch(`${url}/dashboard/state?stream=layer`)).json();
      const { reference, drift, minute } = stream;
      const [min, max] = [data.reduce((a, b) => Math.min(a, b)), data.reduce((a, b) => Math.max(a, b))];
      expect(reference.min).toBeGreaterThan(min);
      expect(reference.max).toBeLessThan(max);
      // What is seen again is no drift, though some of it is cut off.
      expect(minute.saturated).toBeGreaterThan(0.005);
      expect(reference.cut).toBeCloseTo(minute.saturated, 2);
      // The method counts magnitudes.
      const amax = Math.max(max, -min);
      expect([reference.seenMin / amax, reference.seenMax / amax]).toEqual([
        expect.closeTo(-1, 1),
        expect.closeTo(1, 1),
      ]);
      expect(drift.state).not.toBe('drift');
      child.kill('SIGTERM');
      expect(await done).toMatchObject({ code: 0, out: '1 batches, 0 failed, 512 elements\n' });
    } finally {
      child?.kill('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('has no page where it is not wanted', async () => {
    const child = start(['serve', '--port', '0', '--lanes', '0', '--no-dashboard']);
    const done = ended(child);
    const url = await new Promise<string>((resolve) => {
      child.stderr!.on('data', (part) => {
        const found = /http:\S+/.exec(String(part));
        if (found) resolve(found[0]);
      });
    });
    expect((await fetch(`${url}/dashboard`)).status).toBe(404);
    child.kill('SIGTERM');
    expect((await done).err).not.toContain('dashboard');
  });
});
