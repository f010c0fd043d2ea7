/** Pages of a real Chromium that have the library loaded, isolated from other origins or not. */
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { PresetOptions, QuantizeOptions, RuntimeMetrics, RuntimeOptions } from '#src/index.js';
import { listen, type StaticServer } from '../../dist/examples/browser/static-server.js';
import { launch } from '../support/chromium.js';

const at = (path: string) => new URL(`../../${path}`, import.meta.url);

/** The built package, the pages of these tests, and rxjs as a script that needs no bundler. */
const ROUTES = {
  '/dist/': at('dist/'),
  '/test/': at('test/browser/'),
  '/rxjs/': at('node_modules/rxjs/dist/bundles/'),
};

/** A call of `quantize`, and of `dequantize` of its result. */
export interface Call {
  readonly tensor: { readonly dtype: string; readonly shape: readonly number[]; readonly data: ArrayBufferView };
  readonly preset: string;
  readonly options: PresetOptions;
  readonly call: QuantizeOptions;
}

/** Codes, scales, zero points, outliers and their values, and the values that codes stand for. */
export type Parts = readonly Uint8Array[];

/** What a page answered. */
export interface Answer extends Pick<RuntimeMetrics, 'jobs' | 'lanes'> {
  readonly results: readonly Parts[];
  readonly inUse: number;
  readonly fallback: string | null;
}

/** Chromium, and servers of both kinds. */
export class TestBrowser {
  readonly #browser: Browser;
  readonly #servers: readonly [isolated: StaticServer, plain: StaticServer];
  /** What pages complained of. */
  readonly complaints: string[] = [];

  private constructor(browser: Browser, servers: readonly [StaticServer, StaticServer]) {
    this.#browser = browser;
    this.#servers = servers;
  }

  static async open(): Promise<TestBrowser> {
    const servers = [true, false].map((isIsolated) => listen({ routes: ROUTES, isIsolated }));
    const [isolated, plain] = await Promise.all(servers);
    return new TestBrowser(await launch(), [isolated!, plain!]);
  }

  /** A page with the library as `globalThis.quantlane`; `before` is a script that is run first. */
  async page(isIsolated: boolean, before = ''): Promise<Page> {
    const page = await this.#browser.newPage();
    this.watch(page);
    if (before !== '') await page.addInitScript(before);
    await page.goto(`${this.#servers[isIsolated ? 0 : 1].url}/test/blank.html`);
    await page.waitForFunction('globalThis.carryOut !== undefined');
    return page;
  }

  /** Collects the complaints of a page. */
  watch(page: Page): void {
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

/** How long a page may take, on a machine that others keep busy too. */
export const SOON = { timeout: 15_000 } as const;

/** Has a page carry out calls with a runtime of these options, of which nothing may be left in use. */
export async function carryOut(page: Page, options: RuntimeOptions, calls: readonly Call[]): Promise<Answer> {
  const text = JSON.stringify(calls, (_key, value) => {
    if (!ArrayBuffer.isView(value)) return value;
    const { buffer, byteOffset, byteLength } = value;
    return { $: value.constructor.name, bytes: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
  });
  const answer = await page.evaluate(([settings, sent]) => (globalThis as unknown as Window).carryOut(settings, sent), [
    options,
    text,
  ] as const);
  expect(answer.inUse).toBe(0);
  const results = answer.results.map((parts) => parts.map((part) => Uint8Array.from(Buffer.from(part, 'base64'))));
  return { ...answer, results };
}

interface Window {
  carryOut(options: RuntimeOptions, text: string): Promise<Omit<Answer, 'results'> & { results: string[][] }>;
}
