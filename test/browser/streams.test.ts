/** Streams in a real Chromium: order, bounded memory, and every way to end. */
import type { Page } from 'playwright-core';
import type * as Rxjs from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrowserRuntime, QuantizedTensor, TensorLease } from '#src/browser/index.js';
import { chromiumPath } from '../support/chromium.js';
import { TestBrowser } from './browser.js';

/** What a page has. */
interface Scope {
  quantlane: typeof import('#src/browser/index.js');
  rxjs: typeof Rxjs;
  runtime: BrowserRuntime;
  /** A batch of 16 rows whose values are all `index + 1`. */
  batchOf(index: number): Promise<TensorLease<'float32'>>;
  /** The number that a batch was made of, from its scale; gives it back. */
  indexOf(q: QuantizedTensor): number;
  /** How many leases are out. */
  left(): Promise<number>;
}

const HELPERS = `
  globalThis.batchOf = async (index) => {
    const batch = await runtime.acquire('float32', [16, 4096]);
    batch.data.fill(index + 1);
    return batch;
  };
  globalThis.indexOf = (q) => {
    const index = Math.round(q.scale[0] * 127) - 1;
    q.release();
    return index;
  };
  globalThis.left = async () => {
    // A generator that was asked for a batch brings it nevertheless.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await runtime.drain();
    return runtime.metrics().arena.leases;
  };
`;

const COUNT = 200;
const inOrder = Array.from({ length: COUNT }, (_, index) => index);

describe.skipIf(chromiumPath() === undefined)('in Chromium (skipped where none is installed)', () => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await TestBrowser.open();
  });
  afterAll(() => browser.close());

  describe.each([
    { name: 'two lanes', isIsolated: true, options: { lanes: 2, memory: '4MiB', inPlaceLimit: 0 } },
    { name: 'one thread', isIsolated: false, options: { memory: '4MiB' } },
  ])('$name', ({ isIsolated, options }) => {
    let page: Page;
    beforeAll(async () => {
      page = await browser.page(isIsolated, HELPERS);
      await page.addScriptTag({ url: '/rxjs/rxjs.umd.min.js' });
      await page.evaluate(async (settings) => {
        const scope = globalThis as unknown as Scope;
        scope.runtime = await scope.quantlane.createRuntime(settings);
      }, options);
    });
    afterAll(() => page.evaluate(() => (globalThis as unknown as Scope).runtime.close()));

    test('results come in order from an AsyncIterable that holds more than the memory', async () => {
      const found = await page.evaluate(async (count) => {
        const { runtime, batchOf, indexOf, left } = globalThis as unknown as Scope;
        let pulled = 0;
        let ahead = 0;
        async function* batches() {
          for (; pulled < count; pulled++) yield batchOf(pulled);
        }
        const seen: number[] = [];
        for await (const q of runtime.stream(batches(), 'vllm-int8-per-token', { concurrency: 4 })) {
          ahead = Math.max(ahead, pulled - seen.length);
          seen.push(indexOf(q));
        }
        return { seen, ahead, left: await left() };
      }, COUNT);
      expect(found.seen).toEqual(inOrder);
      expect(found.ahead).toBeLessThanOrEqual(5);
      expect(found.left).toBe(0);
    });

    test('from a ReadableStream, to who subscribes', async () => {
      const found = await page.evaluate(async (count) => {
        const { runtime, batchOf, indexOf, left } = globalThis as unknown as Scope;
        let pulled = 0;
        const source = new ReadableStream({
          async pull(controller) {
            if (pulled === count) controller.close();
            else controller.enqueue(await batchOf(pulled++));
          },
        });
        const seen: number[] = [];
        const stream = runtime.stream(source, 'vllm-int8-per-token');
        await new Promise<void>((complete, error) => {
          stream.subscribe({ next: (q) => seen.push(indexOf(q)), complete, error });
        });
        return { seen, left: await left(), isLocked: source.locked };
      }, COUNT);
      expect(found).toEqual({ seen: inOrder, left: 0, isLocked: false });
    });

    test('from an Observable of another copy of rxjs, by the operator', async () => {
      const found = await page.evaluate(async (count) => {
        const { quantlane, rxjs, runtime, indexOf, left } = globalThis as unknown as Scope;
        const plain = (index: number) => ({
          dtype: 'float32' as const,
          shape: [16, 256],
          data: new Float32Array(16 * 256).fill(index + 1),
        });
        const source = rxjs.range(0, count).pipe(rxjs.map(plain));
        const results = source.pipe(
          quantlane.quantize(runtime, 'vllm-int8-per-token', { concurrency: 4 }),
          rxjs.map(indexOf),
        );
        return { seen: await rxjs.lastValueFrom(results.pipe(rxjs.toArray())), left: await left() };
      }, COUNT);
      expect(found).toEqual({ seen: inOrder, left: 0 });
    });

    test('an error of the source, or of a batch, ends it after those before', async () => {
      const found = await page.evaluate(async () => {
        const { runtime, batchOf, indexOf, left } = globalThis as unknown as Scope;
        const ends: unknown[] = [];
        for (const kind of ['source', 'batch']) {
          async function* batches() {
            for (let index = 0; index < 9; index++) {
              if (index === 5 && kind === 'source') throw new RangeError('no more');
              const batch = await batchOf(index);
              if (index === 5) batch.data[7] = Number.POSITIVE_INFINITY;
              yield batch;
            }
          }
          const seen: number[] = [];
          try {
            for await (const q of runtime.stream(batches(), 'vllm-int8-per-token')) seen.push(indexOf(q));
          } catch (error) {
            ends.push([seen, (error as { code?: string }).code ?? (error as Error).message]);
          }
        }
        return { ends, left: await left() };
      });
      const before = [0, 1, 2, 3, 4];
      // The source fails while batches before are in work: it may be early.
      const [[seen, message], atBatch] = found.ends as [[number[], string], unknown];
      expect(before).toEqual(expect.arrayContaining(seen));
      expect(message).toBe('no more');
      expect(atBatch).toEqual([before, 'ERR_QUANTLANE_NON_FINITE']);
      expect(found.left).toBe(0);
    });

    test('leaving, a signal and the end of the runtime let go of the source', async () => {
      const found = await page.evaluate(async (settings) => {
        const scope = globalThis as unknown as Scope;
        const { batchOf, indexOf, left } = scope;
        let ended = 0;
        async function* endless() {
          try {
            for (let index = 0; ; index++) yield batchOf(index);
          } finally {
            ended++;
          }
        }
        for await (const q of scope.runtime.stream(endless(), 'vllm-int8-per-token')) if (indexOf(q) === 3) break;
        const abort = new AbortController();
        const codes: (string | undefined)[] = [];
        const take = async (stop: () => void, signal?: AbortSignal) => {
          try {
            const options = signal === undefined ? {} : { signal };
            for await (const q of scope.runtime.stream(endless(), 'vllm-int8-per-token', options))
              if (indexOf(q) === 3) stop();
          } catch (error) {
            codes.push((error as Error).name === 'AbortError' ? 'AbortError' : (error as { code: string }).code);
          }
        };
        await take(() => abort.abort(), abort.signal);
        const leases = [await left()];
        await take(() => void scope.runtime.close());
        leases.push(await left());
        scope.runtime = await scope.quantlane.createRuntime(settings);
        return { ended, codes, leases };
      }, options);
      expect(found).toEqual({ ended: 3, codes: ['AbortError', 'ERR_QUANTLANE_CLOSED'], leases: [0, 0] });
    });
  });

  test('nothing was complained of', () => {
    expect(browser.complaints).toEqual([]);
  });
});
