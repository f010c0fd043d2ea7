/** The page in a real browser: right numbers, drift, keyboard, accessibility, and what it does when the server is gone. */
import { open } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openTensors } from '#src/formats/index.js';
import { createRuntime, type StreamingRuntime } from '#src/index.js';
import { decibelText, rangeText, shareText, valueText } from '#src/server/dashboard/page/format.js';
import { type ModelSettings, QuantlaneServer, type ServerOptions } from '#src/server/index.js';
import { binaryRequest, infer, withServer } from '../client.js';
import { HAS_CHROMIUM, overflow, poll, useBrowser, violations, WHERE, withPage } from './browser.js';

interface Activations {
  readonly name: string;
  readonly shape: number[];
  readonly data: Float32Array;
}

/** The first activations of the example's model. */
async function activations(count: number): Promise<Activations[]> {
  await using file = await openTensors(
    fileURLToPath(new URL('../../../examples/activations.safetensors', import.meta.url)),
  );
  const handle = await open(file.path);
  const found: Activations[] = [];
  for (const { name, shape, byteLength, offset } of file.tensors.slice(0, count)) {
    const bytes = new Uint8Array(byteLength);
    await handle.read(bytes, 0, byteLength, offset);
    found.push({ name, shape: [...shape], data: new Float32Array(bytes.buffer) });
  }
  await handle.close();
  return found;
}

const tensors = await activations(4);
const ends = tensors.map(({ data }) => ({
  min: data.reduce((a, b) => Math.min(a, b)),
  max: data.reduce((a, b) => Math.max(a, b)),
}));

/** A model for each of the first two, calibrated by its smallest and largest value. */
const models: ModelSettings[] = tensors
  .slice(0, 2)
  .map(({ name }, at) => ({ name, scheme: 'onnx-dynamic', range: ends[at]! }));

/** Sends activations to a model, multiplied. */
async function send(url: string, model: string, { name, shape, data }: Activations, times = 1): Promise<void> {
  const request = binaryRequest('FP32', shape, times === 1 ? data : data.map((value) => value * times));
  const named = JSON.stringify({
    inputs: [{ name, datatype: 'FP32', shape, parameters: { binary_data_size: data.byteLength } }],
  });
  const bytes = request.body.subarray(-data.byteLength);
  const body = Buffer.concat([Buffer.from(named), bytes]);
  const headers = { ...request.headers, 'inference-header-content-length': String(named.length) };
  expect((await infer(url, model, { headers, body })).status).toBe(200);
}

/** Sends all of them: two to their models, two to presets. */
async function sendAll(url: string, times = 1): Promise<void> {
  for (const [at, tensor] of tensors.entries()) {
    // The watch looks at one batch each 5 ms.
    await new Promise((resolve) => setTimeout(resolve, 8));
    await send(
      url,
      at < 2 ? tensor.name : ['torchao-int8', 'vllm-int8-per-token'][at - 2]!,
      tensor,
      at === 1 ? times : 1,
    );
  }
}

/** Sends every so often while `body` runs. */
async function whileSending(url: string, times: () => number, body: () => Promise<void>): Promise<void> {
  let isOver = false;
  const sending = (async () => {
    while (!isOver) {
      await sendAll(url, times());
      await new Promise((resolve) => setTimeout(resolve, 110));
    }
  })();
  try {
    await body();
  } finally {
    isOver = true;
    await sending;
  }
}

const text = (page: Page, selector: string) => page.locator(selector).first().textContent();
const exact = (page: Page, selector: string) => page.locator(selector).getAttribute('value');
const choose = async (page: Page, id: string) => {
  await page.getByRole('radio', { name: id, exact: true }).check();
  await poll(() => text(page, '#detail-title')).toBe(id);
};
const live = (page: Page) => poll(() => text(page, '#connection-text')).toBe('Live');

useBrowser();

describe.skipIf(!HAS_CHROMIUM)(`the page ${WHERE}`, { timeout: 60_000 }, () => {
  it('says how to begin where nothing came in, and then shows what did', async () => {
    await withServer({}, async (url) => {
      await withPage(url, {}, async (page) => {
        await live(page);
        expect(await page.locator('.empty').textContent()).toContain('No activations yet.');
        // The command is one that works.
        const command = await page.locator('.empty pre').textContent();
        const [, address, body] = /^curl -sS (\S+) \\\n {2}-d '(.*)'$/.exec(command!)!;
        expect((await fetch(address!, { method: 'POST', body: body! })).status).toBe(200);
        await poll(() => text(page, '#detail-title')).toBe('torchao-int8/x');
        expect(await page.locator('.empty').count()).toBe(0);
        expect(await exact(page, '#tile-total')).toBe('1');
        expect(await exact(page, '#tile-total-1')).toBe('8');
      });
    });
  });

  it('shows the numbers of the library', async () => {
    await withServer({ models }, async (url, runtime) => {
      await sendAll(url);
      await withPage(url, {}, async (page) => {
        await live(page);
        for (const [at, tensor] of tensors.slice(0, 2).entries()) {
          await choose(page, tensor.name);
          const plain = { dtype: 'float32', shape: tensor.shape, data: tensor.data } as const;
          using expected = await runtime.quantize(plain, 'onnx-dynamic', { range: ends[at]!, stats: true });
          const { sqnr, saturated } = expected.stats!;
          const { min, max } = ends[at]!;
          const shown = await Promise.all(
            ['range', 'scale', 'zero', 'saturated', 'sqnr'].map((id) => text(page, `#detail-${id}`)),
          );
          expect(shown).toEqual([
            rangeText({ low: Math.min(0, min), high: Math.max(0, max) }),
            valueText(expected.scale![0]!),
            valueText(expected.zeroPoint![0]!),
            shareText(saturated / tensor.data.length),
            decibelText(sqnr),
          ]);
          expect(Math.fround(Number(await exact(page, '#detail-scale')))).toBe(expected.scale![0]);
          expect(Number(await exact(page, '#detail-sqnr'))).toBeCloseTo(sqnr, 6);
          expect(await text(page, '.verdict .badge')).toBe('As calibrated');
          // The histogram's table: every code that there is, as often as there is.
          const counts = new Map<string, number>();
          for (const code of expected.data) counts.set(String(code), (counts.get(String(code)) ?? 0) + 1);
          const codes = page.locator('figure', { hasText: 'Codes, share of each' });
          await codes.getByText('Table').click();
          // It is filled when it is open.
          await poll(() => codes.locator('tbody tr').count()).toBe(counts.size);
          const rows = await codes.locator('tbody tr').allTextContents();
          const cells = await codes.locator('tbody tr > :nth-child(-n+2)').allTextContents();
          const pairs = rows.map((_, row) => [cells[row * 2], Number(cells[row * 2 + 1]!.replaceAll(',', ''))]);
          expect(new Map(pairs as [string, number][])).toEqual(counts);
          await codes.getByText('Table').click();
          // The channels with the largest magnitudes.
          const columns = tensor.shape[1]!;
          const amax = Array.from({ length: columns }, (_, column) => {
            let most = 0;
            for (let index = column; index < tensor.data.length; index += columns)
              most = Math.max(most, Math.abs(tensor.data[index]!));
            return most;
          });
          const largest = [...amax.keys()].sort((a, b) => amax[b]! - amax[a]!).slice(0, 8);
          const channels = await page.locator('.channels tbody th').allTextContents();
          expect(channels).toEqual(largest.map(String));
        }
        const elements = tensors.reduce((sum, { data }) => sum + data.length, 0);
        expect([await exact(page, '#tile-total'), await exact(page, '#tile-total-1')]).toEqual(['4', String(elements)]);
        expect(await exact(page, '#tile-arena-1')).toBe(String(runtime.metrics().arena.capacity));
      });
    });
  });

  it('marks drift by word, sign and reason when activations are three times as large', async () => {
    await withServer({ models }, async (url) => {
      const { name } = tensors[1]!;
      let times = 1;
      await withPage(url, {}, async (page) => {
        await whileSending(
          url,
          () => times,
          async () => {
            await live(page);
            await poll(() => page.getByRole('radio').count()).toBe(4);
            await choose(page, name);
            expect(await text(page, '.verdict')).toBe('As calibrated ');
            times = 3;
            await poll(() => text(page, '.verdict .badge')).toBe('Drift');
            expect(await text(page, '.verdict .reasons')).toMatch(
              /values reach \d+ % beyond .*; [\d.]+ % more codes are saturated/,
            );
            const row = page.locator('.streams tr', { hasText: name });
            expect(await row.locator('.badge').textContent()).toBe('Drift');
            expect(await row.locator('svg').count()).toBe(1);
            expect(await text(page, '#streams-count')).toBe('4 · 1 with drift');
            expect(await text(page, '#announcer')).toBe(`${name}: Drift`);
            // The others are as they were.
            expect(await page.locator('.badge[data-state="drift"]').count()).toBe(2);
            await poll(async () => Number(await exact(page, '#tile-throughput'))).toBeGreaterThan(1);
            expect(Number(await exact(page, '#tile-latency'))).toBeGreaterThan(0);
            expect(Number(await exact(page, '#tile-latency-2'))).toBeGreaterThanOrEqual(
              Number(await exact(page, '#tile-latency')),
            );
          },
        );
      });
    });
  });

  describe.each([
    { width: 360, height: 740 },
    { width: 1280, height: 800 },
  ])('of $width × $height', (viewport) => {
    it.each(['light', 'dark'] as const)('is accessible and fits: %s', async (colorScheme) => {
      await withServer({ models }, async (url) => {
        await withPage(url, { viewport, colorScheme, reducedMotion: 'reduce' }, async (page) => {
          await live(page);
          expect([await violations(page), await overflow(page)]).toEqual([[], 0]);
          await sendAll(url, 3);
          await poll(() => page.getByRole('radio').count()).toBe(4);
          await choose(page, tensors[1]!.name);
          await poll(() => text(page, '.verdict .badge')).toBe('Drift');
          await page.locator('summary').first().click();
          expect([await violations(page), await overflow(page)]).toEqual([[], 0]);
          const [ground, ink] = await page.evaluate(() => {
            const style = getComputedStyle(document.body);
            return [style.backgroundColor, style.color].map((color) => Number(/\d+/.exec(color)![0]));
          });
          expect(ground! > ink!).toBe(colorScheme === 'light');
          // Plots are drawn, in the width that there is.
          const plots = await page.locator('#plots canvas').evaluateAll((all) =>
            (all as HTMLCanvasElement[])
              .filter((one) => one.offsetParent !== null)
              .map((one) => {
                const pixels = one.getContext('2d')!.getImageData(0, 0, one.width, one.height).data;
                return {
                  width: one.offsetWidth,
                  inked: pixels.filter((value, at) => at % 4 === 3 && value > 0).length,
                };
              }),
          );
          expect(plots.length).toBeGreaterThanOrEqual(5);
          for (const { width, inked } of plots) {
            expect(width).toBeLessThan(viewport.width);
            expect(inked).toBeGreaterThan(200);
          }
          const moving = await page.evaluate(() => document.getAnimations().length);
          expect(moving).toBe(0);
        });
      });
    });
  });

  it('can be used with the keyboard alone, and shows where it is', async () => {
    await withServer({ models }, async (url) => {
      await sendAll(url);
      await withPage(url, {}, async (page) => {
        await poll(() => page.getByRole('radio').count()).toBe(4);
        await poll(() => page.locator('.streams input:checked').count()).toBe(1);
        const focused = () =>
          page.evaluate(() => {
            const { activeElement: element } = document;
            const { outlineStyle, outlineWidth } = getComputedStyle(element!);
            const name = element!.id || element!.getAttribute('value') || element!.textContent;
            return { name, isVisible: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 };
          });
        const names: string[] = [];
        for (let press = 0; press < 6; press++) {
          await page.keyboard.press('Tab');
          const { name, isVisible } = await focused();
          expect({ name, isVisible }).toEqual({ name, isVisible: true });
          names.push(name!);
        }
        const first = await page.locator('.streams input').first().getAttribute('value');
        expect(names).toEqual(['Skip to the streams', 'theme', 'Table', 'Table', first, 'Table']);

        await page.locator('.streams input').first().focus();
        for (const at of [1, 2, 3]) {
          await page.keyboard.press('ArrowDown');
          const id = await page.locator('.streams input').nth(at).getAttribute('value');
          await poll(() => text(page, '#detail-title')).toBe(id);
          expect((await focused()).name).toBe(id);
        }
        await page.keyboard.press('ArrowUp');
        const second = await page.locator('.streams input').nth(2).getAttribute('value');
        await poll(() => text(page, '#detail-title')).toBe(second);

        await page.locator('#theme').focus();
        const theme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
        expect(await theme()).toBe('light dark');
        await page.keyboard.press('Enter');
        expect(await theme()).toBe('light');
        await page.keyboard.press('Enter');
        expect([await theme(), await text(page, '#theme')]).toEqual(['dark', 'Theme: dark']);
        await page.reload();
        expect(await theme()).toBe('dark');
      });
    });
  });

  it('asks for the token, keeps it for the tab, and never puts it in an address', async () => {
    await withServer({ token: 'open sesame' }, async (url) => {
      await withPage(
        url,
        {},
        async (page) => {
          const addresses: string[] = [];
          page.on('request', (request) => addresses.push(request.url()));
          await poll(() => page.locator('#token').isVisible()).toBe(true);
          expect(await page.locator('#board').isVisible()).toBe(false);
          expect(await violations(page)).toEqual([]);
          await page.keyboard.type('wrong');
          await page.keyboard.press('Enter');
          await poll(() => text(page, '#token-error')).toBe('This is not the token of this server.');
          await page.locator('#token').fill('open sesame');
          await page.keyboard.press('Enter');
          await live(page);
          expect([await page.locator('#token').isVisible(), await page.locator('#board').isVisible()]).toEqual([
            false,
            true,
          ]);
          expect(await page.locator('.empty pre').textContent()).toContain('-H "Authorization: Bearer $TOKEN"');
          await page.reload();
          await live(page);
          expect(addresses.length).toBeGreaterThan(3);
          expect(addresses.filter((address) => /sesame|token=/.test(address))).toEqual([]);
          expect(page.url()).toBe(`${url}/dashboard`);
        },
        /status of 401/,
      );
    });
  });

  it('says that the server is gone, and is live again when it is back', async () => {
    await using runtime = await createRuntime({ lanes: 0, memory: '32MiB' });
    const first = await QuantlaneServer.listen(runtime, { port: 0 });
    const { url } = first;
    await send(url, 'torchao-int8', tensors[0]!);
    await withPage(
      url,
      {},
      async (page) => {
        await live(page);
        await first.close();
        await poll(() => text(page, '#connection-text')).toMatch(/^Disconnected: .*Next try in \d+ s$/);
        expect(await text(page, '#announcer')).toBe('Disconnected');
        // What is known stays on the page, marked as old.
        expect(await exact(page, '#tile-total')).toBe('1');
        expect(await page.locator('#board.old').count()).toBe(1);
        expect(await violations(page)).toEqual([]);
        await using _second = await again(runtime, { port: Number(new URL(url).port) });
        await page.locator('#reconnect').click();
        await live(page);
        expect(await page.locator('#board.old').count()).toBe(0);
        await poll(() => exact(page, '#tile-total')).toBe('0');
      },
      /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE/,
    );
  });

  it('says that what it shows is old where the server sends nothing', async () => {
    await withServer({}, async (url) => {
      const between = await proxy(url);
      await withPage(between.url, {}, async (page) => {
        await live(page);
        between.hold();
        await poll(() => text(page, '#connection-text')).toMatch(/^Stale: nothing for \d+ s$/);
        expect(await page.locator('#board.old').count()).toBe(1);
        between.pass();
        await live(page);
        expect(await page.locator('#board.old').count()).toBe(0);
      });
      between.close();
    });
  });
});

/** Something between browser and server that can hold back what the server sends. */
async function proxy(url: string) {
  const pairs = new Set<readonly [Socket, Socket]>();
  const listener = createServer((near) => {
    const far = connect(Number(new URL(url).port), '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        for (const each of pair) each.destroy();
        pairs.delete(pair);
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    hold: () => {
      for (const [near, far] of pairs) far.unpipe(near);
    },
    pass: () => {
      for (const [near, far] of pairs) far.pipe(near);
    },
    close: () => {
      listener.close();
      for (const pair of pairs) for (const socket of pair) socket.destroy();
    },
  };
}

function again(runtime: StreamingRuntime, options: ServerOptions): Promise<QuantlaneServer> {
  return QuantlaneServer.listen(runtime, options);
}
