/** Lanes of a real Chromium: how they start and end, what they do for the page, and what happens where there are none. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrowserOptions, BrowserRuntime, TensorInput } from '#src/browser/index.js';
import { chromiumPath } from '../support/chromium.js';
import { SOON, TestBrowser } from './browser.js';

/** What a page has: the library, and helpers of these tests. */
interface Scope {
  quantlane: typeof import('#src/browser/index.js');
  /** Code, message and details of what is thrown. */
  failureOf(body: () => unknown): Promise<string>;
  /** A tensor of rows of 768 values. */
  tensorOf(rows: number): TensorInput & { data: Float32Array };
}

/** Helpers of the page. */
const HELPERS = `
  globalThis.failureOf = async (body) => {
    try { await body(); } catch (error) { return error.name === 'AbortError' ? error.name : error.code; }
    return 'none';
  };
  globalThis.tensorOf = (rows) => {
    const data = Float32Array.from({ length: rows * 768 }, (_, at) => Math.sin(at) * (1 + (at % 7)));
    return { dtype: 'float32', shape: [rows, 768], data };
  };
`;

describe.skipIf(chromiumPath() === undefined)('in Chromium (skipped where none is installed)', () => {
  let browser: TestBrowser;
  let isolated: Page;
  let plain: Page;

  beforeAll(async () => {
    browser = await TestBrowser.open();
    [isolated, plain] = await Promise.all([browser.page(true, HELPERS), browser.page(false, HELPERS)]);
  });
  afterAll(() => browser.close());

  test('lanes answer over Comlink, test themselves, and end with the runtime', async () => {
    const workers = () => isolated.workers().length;
    expect(workers()).toBe(0);
    await isolated.evaluate(async () => {
      const { quantlane } = globalThis as unknown as Scope;
      (globalThis as unknown as { kept: unknown }).kept = await quantlane.createRuntime({ lanes: 2, memory: '8MiB' });
    });
    expect(workers()).toBe(2);
    const found = await isolated.evaluate(async () => {
      const runtime = (globalThis as unknown as { kept: BrowserRuntime }).kept;
      const reports = await Promise.all(runtime.lanes.map((lane) => lane.selfTest()));
      const stats = await Promise.all(runtime.lanes.map((lane) => lane.stats()));
      await runtime.close();
      return { reports, stats };
    });
    expect(found.reports).toMatchObject([
      { ok: true, failed: [] },
      { ok: true, failed: [] },
    ]);
    expect(found.reports[0]!.presets.length).toBeGreaterThan(40);
    expect(found.stats).toMatchObject([
      { lane: 0, kernels: 'simd', threadId: 0 },
      { lane: 1, kernels: 'simd' },
    ]);
    await expect.poll(workers, SOON).toBe(0);
  });

  test('lanes share one large tensor, to the same bytes as one thread', async () => {
    const found = await isolated.evaluate(async () => {
      const { quantlane, tensorOf } = globalThis as unknown as Scope;
      const presets = ['onnx-dynamic', 'torchao-int8', 'ggml-q4_0', 'nvfp4-torchao', 'torch-int8-per-channel'];
      const copies: string[][] = [];
      const batches: number[] = [];
      for (const lanes of [0, 2]) {
        const runtime = await quantlane.createRuntime({ lanes, memory: '64MiB' });
        const sums: string[] = [];
        for (const preset of presets) {
          const tensor = tensorOf(2000);
          const q = await runtime.quantize(tensor, preset, { stats: true });
          const digest = await crypto.subtle.digest(
            'SHA-256',
            Uint8Array.from(new Uint8Array(q.data.buffer, q.data.byteOffset, q.data.byteLength)),
          );
          sums.push(`${[...new Uint8Array(digest)].join()} ${JSON.stringify(q.stats)}`);
          q.release();
        }
        copies.push(sums);
        for (const lane of runtime.lanes) batches.push((await lane.stats()).batches);
        await runtime.close();
      }
      return { copies, batches };
    });
    expect(found.copies[0]).toHaveLength(5);
    expect(found.copies[1]).toEqual(found.copies[0]);
    // 24 descriptors each, or twice as many, of which any lane takes what it can, on a busy machine perhaps all.
    expect(found.batches.reduce((sum, count) => sum + count)).toBeGreaterThan(5 * 20);
  });

  test('the page has its turns meanwhile, on lanes or in slices', async () => {
    const turnsOf = (page: Page, options: BrowserOptions) =>
      page.evaluate(async (settings) => {
        const { quantlane } = globalThis as unknown as Scope;
        const runtime = await quantlane.createRuntime(settings);
        const batch = await runtime.acquire('float32', [4096, 4096]);
        batch.data.fill(1.5);
        // Somebody else of the page, who wants every turn that there is.
        const { port1, port2 } = new MessageChannel();
        let turns = 0;
        port1.onmessage = () => {
          turns++;
          port2.postMessage(null);
        };
        port2.postMessage(null);
        (await runtime.quantize(batch, 'onnx-dynamic')).release();
        port1.close();
        const { jobs } = runtime.metrics();
        await runtime.close();
        return { turns, lanes: jobs.lanes, sliced: jobs.sliced };
      }, options);
    const onLanes = await turnsOf(isolated, { lanes: 1, memory: '96MiB' });
    const inSlices = await turnsOf(plain, { memory: '96MiB' });
    expect([onLanes, inSlices]).toMatchObject([
      { lanes: 1, sliced: 0 },
      { lanes: 0, sliced: 1 },
    ]);
    // Two passes over 16 million values are work of ten milliseconds at the least, of which a turn takes 0.4.
    expect(Math.min(onLanes.turns, inSlices.turns)).toBeGreaterThan(10);
  });

  test('a page that is not isolated works on one thread, or refuses where it is told to', async () => {
    const found = await plain.evaluate(async () => {
      const { quantlane, failureOf, tensorOf } = globalThis as unknown as Scope;
      const runtime = await quantlane.createRuntime({ memory: '8MiB' });
      const q = await runtime.quantize(tensorOf(4), 'torchao-int8');
      const atOnce = runtime.quantizeSync(tensorOf(4), 'torchao-int8');
      const isSame = q.data.join() === atOnce.data.join();
      const facts = { code: runtime.fallback?.code, lanes: runtime.lanes.length, isSame, first: q.data[1] };
      q.release();
      atOnce.release();
      await runtime.close();
      const none = await quantlane.createRuntime({ lanes: 0, memory: '1MiB' });
      await none.close();
      const refused = await failureOf(() => quantlane.createRuntime({ fallback: 'error' }));
      return {
        ...facts,
        refused,
        asked: none.fallback,
        wrong: await failureOf(() => quantlane.createRuntime({ fallback: 'x' as 'error' })),
      };
    });
    expect(found).toEqual({
      code: 'ERR_QUANTLANE_LANE_START',
      lanes: 0,
      isSame: true,
      first: expect.any(Number),
      refused: 'ERR_QUANTLANE_LANE_START',
      asked: null,
      wrong: 'ERR_QUANTLANE_ARGUMENT',
    });
    expect(found.first).not.toBe(0);
  });

  test('a worker that does not load is found out, by its error or by the deadline', async () => {
    const start = (url: string, fallback: 'error' | 'one-thread', startDeadline = 20_000) =>
      isolated.evaluate(
        async ([path, choice, deadline]) => {
          const { quantlane } = globalThis as unknown as Scope;
          const workerUrl = new URL(path, location.href);
          const options = { lanes: 2, memory: '1MiB', workerUrl, startDeadline: deadline, fallback: choice } as const;
          try {
            const runtime = await quantlane.createRuntime(options);
            const facts = { message: runtime.fallback?.message, lanes: runtime.lanes.length };
            await runtime.close();
            return facts;
          } catch (error) {
            const { code, message } = error as { code: string; message: string };
            return { code, message };
          }
        },
        [url, fallback, startDeadline] as const,
      );
    browser.complaints.splice(0);
    const missing = await start('/test/missing.js', 'error');
    expect(missing).toMatchObject({
      code: 'ERR_QUANTLANE_LANE_START',
      message: expect.stringContaining('did not start'),
    });
    expect(missing.message).not.toContain('no answer');
    // Chromium itself tells of a file that is not there.
    expect(browser.complaints.splice(0).filter((text) => !text.includes('404'))).toEqual([]);
    expect(await start('/test/silent.js', 'error', 1500)).toMatchObject({
      message: expect.stringContaining('no answer within 1500 ms'),
    });
    expect(await start('/test/throws.js', 'one-thread')).toMatchObject({
      lanes: 0,
      message: expect.stringContaining('thrown on purpose'),
    });
    await expect.poll(() => isolated.workers().length, SOON).toBe(0);
  });

  test('kernels that cannot be loaded are an error of their own, which leaves no worker behind', async () => {
    const page = await browser.page(true, HELPERS);
    await page.route('**/*.wasm', (route) => route.fulfill({ status: 404 }));
    const code = await page.evaluate(() => {
      const { quantlane, failureOf } = globalThis as unknown as Scope;
      return failureOf(() => quantlane.createRuntime({ lanes: 2, memory: '1MiB' }));
    });
    expect(code).toBe('ERR_QUANTLANE_KERNEL');
    await expect.poll(() => page.workers().length, SOON).toBe(0);
    await page.close();
    expect(browser.complaints.splice(0).filter((text) => !text.includes('404'))).toEqual([]);
  });

  test('a lane that dies is started again, and takes work', async () => {
    const found = await isolated.evaluate(async () => {
      const { quantlane, tensorOf } = globalThis as unknown as Scope;
      const options = {
        lanes: 1,
        memory: '32MiB',
        inPlaceLimit: 0,
        workerUrl: new URL('/test/mortal.js', location.href),
      };
      const runtime = await quantlane.createRuntime(options);
      const q = await runtime.quantize(tensorOf(3), 'torchao-int8');
      const codes = q.data.join();
      q.release();
      const death = new BroadcastChannel('mortal');
      death.postMessage('die');
      while (runtime.metrics().lanes.restarts === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      const again = await runtime.quantize(tensorOf(3), 'torchao-int8');
      const isSame = again.data.join() === codes;
      again.release();
      const { lanes } = runtime.metrics();
      death.close();
      await runtime.close();
      return { lanes, isSame };
    });
    expect(found).toEqual({ isSame: true, lanes: { configured: 1, alive: 1, restarts: 1, stalls: 0, gone: 0 } });
    browser.complaints.splice(0);
  });

  test('a lane that loops endlessly is ended, and what it held is run again', async () => {
    const found = await isolated.evaluate(async () => {
      const { quantlane, tensorOf } = globalThis as unknown as Scope;
      const workerUrl = new URL('/test/stuck.js', location.href);
      const options = { lanes: 1, memory: '8MiB', inPlaceLimit: 0, stallDeadline: 200, workerUrl };
      const runtime = await quantlane.createRuntime(options);
      const q = await runtime.quantize(tensorOf(3), 'torchao-int8');
      const atOnce = runtime.quantizeSync(tensorOf(3), 'torchao-int8');
      const isSame = q.data.join() === atOnce.data.join();
      q.release();
      atOnce.release();
      const { lanes, jobs } = runtime.metrics();
      await runtime.close();
      return { lanes, replayed: jobs.replayed, isSame };
    });
    expect(found).toEqual({
      isSame: true,
      replayed: 1,
      lanes: { configured: 1, alive: 1, restarts: 1, stalls: 1, gone: 0 },
    });
  });

  test('errors have their codes; the end ends everything', async () => {
    const found = await isolated.evaluate(async () => {
      const { quantlane, failureOf, tensorOf } = globalThis as unknown as Scope;
      const runtime = await quantlane.createRuntime({ lanes: 1, memory: '4MiB', inPlaceLimit: 0 });
      const bad = tensorOf(1);
      bad.data[5] = Number.NaN;
      const codes = [
        await failureOf(() => runtime.quantize(bad, 'torchao-int8')),
        await failureOf(() => runtime.quantize(tensorOf(1), 'nothing')),
        await failureOf(() => runtime.quantize(tensorOf(4000), 'torchao-int8')),
        await failureOf(() => runtime.quantize(tensorOf(1), 'torchao-int8', { signal: AbortSignal.abort() })),
        await failureOf(() => runtime.connect()),
      ];
      await runtime.close();
      codes.push(await failureOf(() => runtime.quantize(tensorOf(1), 'torchao-int8')));
      return codes;
    });
    expect(found).toEqual([
      'ERR_QUANTLANE_NON_FINITE',
      'ERR_QUANTLANE_PRESET',
      'ERR_QUANTLANE_ARENA_TOO_SMALL',
      'AbortError',
      'ERR_QUANTLANE_ARGUMENT',
      'ERR_QUANTLANE_CLOSED',
    ]);
  });

  test('nothing else was complained of', () => {
    expect(browser.complaints).toEqual([]);
  });
});
