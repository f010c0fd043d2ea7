/** The soak finds nothing wrong in a short run, and finds what is wrong where something is. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { map, of, skip, takeLast } from 'rxjs';
import { expect, it } from 'vitest';
import { between } from '../../dist/bench/document.js';
import { Ledger } from '../../dist/bench/soak/ledger.js';
import type { OverloadRow } from '../../dist/bench/soak/overload.js';
import { Random } from '../../dist/bench/soak/random.js';
import { Scene } from '../../dist/bench/soak/scene.js';
import { soak } from '../../dist/bench/soak/soak.js';
import { Specimens } from '../../dist/bench/soak/specimen.js';
import { streamSession } from '../../dist/bench/soak/streams.js';
import { createRuntime, QuantizedStream } from '../../dist/src/index.js';

it('runs for ten seconds without a violation', { timeout: 120_000 }, async () => {
  const options = { milliseconds: 10_000, lanes: 2, killMs: 500, roundMs: 10_000, sessions: 4 };
  const { violations, ...counts } = await soak({ ...options, seed: 1 }, () => undefined);
  expect(violations).toEqual([]);
  expect(counts.delivered).toBeGreaterThan(100);
  expect(counts.streams).toBeGreaterThan(2);
  expect(counts.restarts).toBeGreaterThan(0);
});

it('keeps within its memory under overload, for a moment', { timeout: 60_000 }, async () => {
  // In a process of its own: resident memory is that of all that a process has loaded.
  const program = fileURLToPath(new URL('../../dist/bench/soak/main.js', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'quantlane-soak-'));
  let rows: OverloadRow[];
  try {
    const json = join(folder, 'overload.json');
    // It ends with code 1 where it finds a violation.
    await promisify(execFile)(process.execPath, [program, 'overload', '--minutes', '0.015', '--json', json]);
    rows = JSON.parse(readFileSync(json, 'utf8')).answer;
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(rows.map(({ dropped, overflows }) => [dropped > 0, overflows > 0])).toEqual([
    [false, true],
    [true, false],
    [true, false],
    [false, true],
    [false, false],
  ]);
});

/** What the sessions of a soak find where each stream is tampered with. */
async function findings(tamper: (stream: QuantizedStream) => unknown): Promise<string[]> {
  const ledger = new Ledger();
  const twin = await createRuntime({ lanes: 0, kernels: 'scalar' });
  const runtime = await createRuntime({ lanes: 0 });
  const specimens = new Specimens(twin);
  const tampered = new Proxy(runtime, {
    get(target, key) {
      if (key === 'stream') return (...args: [never, never, never]) => tamper(new QuantizedStream(target, ...args));
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const stage = { runtime: tampered, specimens, ledger, kills: () => 0, poisonRate: 0 };
  const random = new Random(11);
  for (let round = 0; round < 5; round++) await streamSession(new Scene(stage, random, 12));
  await runtime.destroy();
  await twin.close();
  return ledger.violations;
}

it('accepts a stream that is left alone', async () => {
  expect(await findings((stream) => stream)).toEqual([]);
});

it.each([
  ['a result that is lost at the start', (stream: QuantizedStream) => stream.pipe(skip(1)), /other bytes/],
  ['results that are lost before the end', (stream: QuantizedStream) => stream.pipe(takeLast(0)), /results missing/],
  [
    'a bit that is wrong',
    (stream: QuantizedStream) =>
      stream.pipe(
        map((result) => {
          result.data[0]! ^= 1;
          return result;
        }),
      ),
    /other bytes/,
  ],
  ['an end before the end', () => of(), /results missing/],
])('finds %s', async (_, tamper, finding) => {
  expect((await findings(tamper)).join('\n')).toMatch(finding);
});

it.each(['soak', 'overload'])('the document has a place for the table of %s', (name) => {
  const document = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
  expect(between(document, name, 'x')).toContain('\n\nx\n\n');
  expect(document.split(`<!-- ${name} -->`)[1]!.split('<!--')[0]).toMatch(/\| [-]+ \|/);
});
