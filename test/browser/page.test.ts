/** The example page in a real Chromium: files in, codes out, by pointer and by keyboard, for everyone. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Download, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npyHeader, parseNpyHeader, parseSafetensorsHeader } from '#src/formats/index.js';
import type { SchemeInput } from '#src/index.js';
import { pageRoutes } from '../../dist/examples/browser/routes.js';
import { listen, type StaticServer } from '../../dist/examples/browser/static-server.js';
import { copied, valuesOf } from '../runtime/helpers.js';
import { chromiumPath, launch } from '../support/chromium.js';
import { withRuntime } from '../support/runtime.js';
import { difference } from '../support/vectors.js';
import { SOON } from './browser.js';

const AXE = fileURLToPath(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url));

const SHAPE = [24, 512];
const VALUES = valuesOf(24 * 512, 5);

/** A .npy file of these values. */
function npyFile(values: Float32Array, shape: readonly number[]): Buffer {
  return Buffer.concat([npyHeader('float32', shape), new Uint8Array(values.buffer)]);
}

/** What the library makes of the values in Node.js. */
function expectedOf(scheme: SchemeInput) {
  return withRuntime({ lanes: 0 }, async (runtime) => {
    const q = await runtime.quantize({ dtype: 'float32', shape: SHAPE, data: VALUES }, scheme, { stats: true });
    const parts = { codes: copied(q.data), scale: copied(q.scale), zeroPoint: copied(q.zeroPoint), stats: q.stats! };
    q.release();
    return parts;
  });
}

/** Drops a file on the page. */
async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([text, title]) => {
      const made = new DataTransfer();
      const binary = atob(text);
      made.items.add(new File([Uint8Array.from(binary, (byte) => byte.charCodeAt(0))], title));
      return made;
    },
    [bytes.toString('base64'), name] as const,
  );
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer });
}

async function bytesOf(download: Download): Promise<Buffer> {
  return readFile(await download.path());
}

describe.skipIf(chromiumPath() === undefined)('in Chromium (skipped where none is installed)', () => {
  let browser: Browser;
  let servers: StaticServer[];
  const complaints: string[] = [];

  beforeAll(async () => {
    servers = await Promise.all([true, false].map((isIsolated) => listen({ routes: pageRoutes(), isIsolated })));
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all(servers.map((server) => server.close()));
  });

  /** The page, once its runtime is there. */
  async function open(options: { isIsolated?: boolean; dark?: boolean; width?: number } = {}): Promise<Page> {
    const { isIsolated = true, dark = false, width = 1200 } = options;
    const viewport = { width, height: 800 };
    const page = await browser.newPage({ viewport, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    await page.goto(`${servers[isIsolated ? 0 : 1]!.url}/`);
    await expect.poll(() => page.textContent('#place'), SOON).not.toContain('Starting');
    return page;
  }

  const status = (page: Page) => page.getByRole('status').textContent();
  const figure = (page: Page, term: string) =>
    page.locator('#figures div', { has: page.locator('dt', { hasText: term }) }).locator('dd');

  test.each([
    { preset: 'vllm-int8-per-token', isIsolated: true },
    { preset: 'torchao-int8-affine', isIsolated: false },
    { preset: 'ggml-q4_0', isIsolated: true },
    { preset: 'quarot-int4', isIsolated: false },
  ])('a file that is dropped becomes the bytes of $preset (isolated: $isIsolated)', async ({ preset, isIsolated }) => {
    const page = await open({ isIsolated });
    expect(await page.textContent('#place')).toContain(isIsolated ? 'over shared memory' : 'cross-origin isolated');
    await drop(page, 'acts.npy', npyFile(VALUES, SHAPE));
    await expect.poll(() => page.textContent('#facts'), SOON).toBe('acts.npy: 1 tensor, 49.28 kB');
    await page.getByLabel('Preset').selectOption(preset);
    await page.getByRole('button', { name: 'Quantize' }).click();
    await expect.poll(() => status(page), SOON).toBe(`Done: acts, float32 [24, 512], as ${preset}.`);
    const { codes, scale, zeroPoint, stats } = await expectedOf(preset);
    expect(await figure(page, 'Signal to noise').textContent()).toContain(`${Number(stats.sqnr.toPrecision(4))} dB`);
    expect(await figure(page, 'Saturated').textContent()).toContain(`${stats.saturated}`);
    expect(await page.locator('#histogram svg rect').count()).toBeGreaterThan(8);

    const [npy] = await Promise.all([page.waitForEvent('download'), page.getByText('Codes as .npy').click()]);
    expect(npy.suggestedFilename()).toBe(`acts.${preset}.npy`);
    const file = await bytesOf(npy);
    expect(difference(file.subarray(parseNpyHeader(file).dataOffset), codes)).toBe('');

    const all = page.getByText('Everything as .safetensors');
    const [safetensors] = await Promise.all([page.waitForEvent('download'), all.click()]);
    const bytes = await bytesOf(safetensors);
    const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE()));
    const { tensors, metadata } = parseSafetensorsHeader(header, bytes.length);
    const found = tensors.map(({ offset, byteLength }) => bytes.subarray(offset, offset + byteLength));
    const expected = [codes, scale, zeroPoint].filter((part) => part.length > 0);
    expect(found.map((part, at) => difference(part, expected[at]!))).toEqual(expected.map(() => ''));
    expect(metadata['quantlane.preset']).toBe(preset);
    await page.close();
  });

  test('the keyboard is enough', async () => {
    const page = await open();
    const focused = () => page.evaluate(() => document.activeElement?.id);
    const tabTo = async (id: string) => {
      for (let step = 0; step < 12 && (await focused()) !== id; step++) await page.keyboard.press('Tab');
      expect(await focused()).toBe(id);
    };
    await tabTo('file');
    await tabTo('bundled');
    await page.keyboard.press('Enter');
    await expect.poll(() => status(page), SOON).toContain('Opened activations.safetensors: 31 tensors');
    await tabTo('tensor');
    await page.keyboard.press('ArrowDown');
    await tabTo('preset');
    await page.keyboard.type('onnx-d');
    await tabTo('run');
    await page.keyboard.press('Enter');
    await expect.poll(() => status(page), SOON).toMatch(/^Done: .*as onnx-dynamic\.$/);
    // Where the result is, there the reader goes on.
    expect(await focused()).toBe('result');
    await page.close();
  });

  test('what cannot be done is said, and the page goes on', async () => {
    const page = await open();
    const alert = () => page.getByRole('alert').textContent();
    await drop(page, 'photo.png', Buffer.from('no tensor at all'));
    await expect.poll(alert, SOON).toBe('photo.png: Expected a .npy or .safetensors file, got other first bytes');
    expect(await page.getByRole('button', { name: 'Quantize' }).isDisabled()).toBe(true);
    await drop(page, 'cut.npy', npyFile(VALUES, SHAPE).subarray(0, 1000));
    await expect.poll(alert, SOON).toContain('the file is truncated');
    await drop(page, 'short.npy', npyFile(VALUES.slice(0, 30), [30]));
    await expect.poll(() => page.textContent('#facts'), SOON).toContain('short.npy');
    await page.getByLabel('Preset').selectOption('ggml-q8_0');
    await page.getByRole('button', { name: 'Quantize' }).click();
    await expect.poll(alert, SOON).toContain('32');
    const bad = VALUES.slice();
    bad[3] = Number.NaN;
    await drop(page, 'bad.npy', npyFile(bad, SHAPE));
    await expect.poll(() => page.textContent('#facts'), SOON).toContain('bad.npy');
    await page.getByRole('button', { name: 'Quantize' }).click();
    await expect.poll(alert, SOON).toContain('got 1 NaN or infinite, the first at 3');
    await drop(page, 'acts.npy', npyFile(VALUES, SHAPE));
    await expect.poll(() => page.textContent('#facts'), SOON).toContain('acts.npy');
    await page.getByRole('button', { name: 'Quantize' }).click();
    await expect.poll(() => status(page), SOON).toContain('Done');
    expect(await alert()).toBe('');
    await page.close();
  });

  test.each([
    { name: 'light', dark: false, width: 1200 },
    { name: 'dark', dark: true, width: 1200 },
    { name: 'phone', dark: false, width: 360 },
  ])('axe finds nothing to object to, before and after: $name', async ({ dark, width }) => {
    const page = await open({ dark, width });
    await page.addScriptTag({ path: AXE });
    const violations = () =>
      page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
        const { violations: all, passes } = await axe.run();
        return { passes: passes.length, all: all.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`) };
      });
    const before = await violations();
    expect(before.all).toEqual([]);
    expect(before.passes).toBeGreaterThan(15);
    await drop(page, 'acts.npy', npyFile(VALUES, SHAPE));
    await expect.poll(() => page.textContent('#facts'), SOON).toContain('acts.npy');
    await page.getByRole('button', { name: 'Quantize' }).click();
    await expect.poll(() => status(page), SOON).toContain('Done');
    expect((await violations()).all).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await page.close();
  });

  test('nothing was complained of', () => {
    expect(complaints).toEqual([]);
  });
});
