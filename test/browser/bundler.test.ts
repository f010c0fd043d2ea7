/** An application that imports `quantlane/browser`, put together by a bundler: worker, kernels and all. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { expect, test } from 'vitest';
import { listen } from '../../dist/examples/browser/static-server.js';
import { chromiumPath, launch } from '../support/chromium.js';

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

test.skipIf(chromiumPath() === undefined)(
  'Vite finds the worker and the kernels (skipped without Chromium)',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quantlane-bundle-'));
    const server = await listen({ routes: { '/': pathToFileURL(`${folder}/`) }, isIsolated: true });
    const browser = await launch();
    try {
      await build({
        configFile: false,
        logLevel: 'error',
        root: pathOf('app/'),
        resolve: { alias: { 'quantlane/browser': pathOf('../../dist/src/browser/index.js') } },
        build: { outDir: folder, target: 'es2022', emptyOutDir: false },
        worker: { format: 'es' },
      });
      // The other kernels are so few that they become a part of the code.
      const assets = await readdir(join(folder, 'assets'));
      expect(assets.filter((name) => name.endsWith('.wasm'))).toHaveLength(1);
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(`${server.url}/index.html`);
      await page
        .waitForFunction('globalThis.found !== undefined', undefined, { timeout: 10_000 })
        .catch(() => undefined);
      expect(complaints).toEqual([]);
      const found = { scales: ['1.0000', '2.0000', '3.0000'], lanes: ['simd', 'simd'] };
      expect(await page.evaluate('globalThis.found')).toEqual(found);
    } finally {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    }
  },
);
