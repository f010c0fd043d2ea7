/** A real browser for tests of the page, which the tests are skipped without. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';

/** The browser: `QUANTLANE_CHROMIUM`, or where Debian puts it. */
export const CHROMIUM = process.env['QUANTLANE_CHROMIUM'] ?? '/usr/bin/chromium';

/** Whether there is one. */
export const HAS_CHROMIUM = existsSync(CHROMIUM);

/** For the name of a group of tests. */
export const WHERE = HAS_CHROMIUM
  ? 'in Chromium'
  : `in Chromium (skipped: none at ${CHROMIUM}, nor in QUANTLANE_CHROMIUM)`;

/** Asks until it is so, for longer than usual: a machine may be busy. */
export function poll<T>(ask: () => T | Promise<T>): ReturnType<typeof expect.poll<T>> {
  return expect.poll(ask, { timeout: 10_000 });
}

let browser: Browser;

/** Starts one browser for the tests of a file. */
export function useBrowser(): void {
  beforeAll(async () => {
    // A sandbox needs another user than root.
    if (HAS_CHROMIUM) browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  }, 60_000);
  afterAll(() => browser?.close());
}

/** What must not happen on a page. */
interface Faults {
  /** Messages of the console that are errors or warnings, and exceptions. */
  readonly errors: string[];
  /** Requests to another host. */
  readonly foreign: string[];
}

/**
 * Runs `body` on a new page of the server, in a profile of its own; then nothing may have gone wrong.
 * @param allowed errors of the console that are meant to be there
 */
export async function withPage(
  url: string,
  options: BrowserContextOptions,
  body: (page: Page) => Promise<void>,
  allowed: RegExp = /(?!)/,
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  try {
    const page = await context.newPage();
    const faults: Faults = { errors: [], foreign: [] };
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) faults.errors.push(message.text());
    });
    page.on('pageerror', (error) => faults.errors.push(String(error)));
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== url) faults.foreign.push(request.url());
    });
    await page.goto(`${url}/dashboard`);
    await body(page);
    expect(faults.foreign).toEqual([]);
    expect(faults.errors.filter((text) => !allowed.test(text))).toEqual([]);
  } finally {
    await context.close();
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the accessibility checker has to say of a page, rule by rule with the elements. */
export async function violations(page: Page): Promise<string[]> {
  // By the debugger, which the page's policy does not bind.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    // biome-ignore lint/suspicious/noExplicitAny: what the script has defined
    const { axe } = window as any;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations: found } = await axe.run(document, { runOnly: tags });
    return found.map((one: { id: string; nodes: { target: unknown }[] }) => {
      return `${one.id}: ${one.nodes.map(({ target }) => target).join(', ')}`;
    });
  });
}

/** Whether anything lies beyond the right edge. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
