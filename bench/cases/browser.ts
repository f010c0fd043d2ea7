/**
 * Question: is a page as fast as Node.js, where both do the same work in turns?
 * @module
 */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { listen, type StaticServer } from '../../examples/browser/static-server.js';
import { createRuntime } from '../../src/index.js';
import { faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { type Contender, measure, toldTimes } from '../rounds.js';
import { awaited, filled } from '../work.js';

const CHROMIUM = process.env['QUANTLANE_CHROMIUM'] ?? '/usr/bin/chromium';
/** Calls of a block: the clock of a page that is not isolated has steps of 0.1 ms. */
const CALLS = 8;
const SHAPE = [256, 4_096];
const PRESET = 'vllm-int8-per-token';
const OPTIONS = { memory: '16MiB', inPlaceLimit: 0 } as const;
const LIBRARY = '/dist/src/standalone/index.js';

/** Finds the answer, on a million values. */
export async function browser({ effort, report }: Context): Promise<Answer> {
  if (!existsSync(CHROMIUM)) return { bars: [], text: `no Chromium at ${CHROMIUM}: nothing was measured` };
  report('browser');
  const folder = new URL('../../../dist/src/', import.meta.url);
  const serve = (isIsolated: boolean) => listen({ routes: { '/dist/src/': folder }, isIsolated });
  const servers = await Promise.all([serve(true), serve(false)]);
  const chrome = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const runtimes = await Promise.all([
    createRuntime({ ...OPTIONS, lanes: 1 }),
    createRuntime({ ...OPTIONS, lanes: 0 }),
  ]);
  try {
    const [lane, slices] = runtimes;
    const times = await measure(
      [
        await paged('page, one lane', chrome, servers[0], 1),
        awaited('Node.js, one lane', lane, filled(lane, SHAPE), PRESET),
        await paged('page, one thread in slices', chrome, servers[1], 0),
        awaited('Node.js, one thread in slices', slices, filled(slices, SHAPE), PRESET),
      ],
      effort,
    );
    const work = `${SHAPE.join(' × ')} float32 as ${PRESET}`;
    const bars = ['one lane', 'one thread in slices'].map((place) =>
      faster(times, `${work}, ${place}`, `page, ${place}`, `Node.js, ${place}`, undefined),
    );
    return { bars, text: `${toldTimes(times)}\n\nChromium ${chrome.version()}` };
  } finally {
    await chrome.close();
    await Promise.all([...servers.map((server) => server.close()), ...runtimes.map((runtime) => runtime.close())]);
  }
}

/** Calls within a page, by its own clock. */
async function paged(name: string, chrome: Browser, server: StaticServer, lanes: number): Promise<Contender> {
  const page: Page = await chrome.newPage();
  // Any document of the server will do.
  await page.goto(`${server.url}${LIBRARY}`);
  await page.evaluate(`(async () => {
    const { createRuntime } = await import('${LIBRARY}');
    const runtime = await createRuntime({ ...${JSON.stringify({ ...OPTIONS, lanes })}, fallback: 'error' });
    const batch = runtime.lease('float32', [${SHAPE}]);
    for (let at = 0; at < batch.data.length; at++) batch.data[at] = Math.sin(at * 1.7) * (1 + (at % 5));
    globalThis.calls = async (runs) => {
      const start = performance.now();
      for (let run = 0; run < runs; run++) (await runtime.quantize(batch, '${PRESET}', { keep: true })).release();
      return (performance.now() - start) * 1e6;
    };
  })()`);
  return { name, runs: CALLS, time: (runs) => page.evaluate(`globalThis.calls(${runs})`) };
}
