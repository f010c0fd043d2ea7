/** docs/observability.md tells of every metric that there is, and of no other. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { ArenaEvent, BatchEvent, LaneEvent, RequestEvent } from '#src/index.js';
import { binaryRequest, infer, withServer } from '../server/client.js';
import { withRuntime } from '../support/runtime.js';
import { watching } from '../support/watch.js';

const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8');

it('has every metric with its kind, and none that there is not', async () => {
  const rows = [...page.matchAll(/^\| `(quantlane_\w+)` +\| (\w+) +\|/gm)].map(([, name, kind]) => `${name} ${kind}`);
  await withServer({}, async (url) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const types = [...text.matchAll(/^# TYPE (quantlane_\w+) (\w+)$/gm)].map(([, name, kind]) => `${name} ${kind}`);
    expect(rows.sort()).toEqual(types.sort());
    for (const name of page.match(/\b(?:process|nodejs)_\w+/g)!) expect(text).toContain(`# TYPE ${name} `);
  });
});

it('asks in its alerts for metrics that there are', () => {
  const alerts = page.slice(page.indexOf('## Alerts'));
  const asked = alerts.match(/quantlane_\w+/g)!.map((name) => name.replace(/_bucket$/, ''));
  expect(asked.length).toBeGreaterThan(4);
  for (const name of asked) expect(page).toContain(`| \`${name}\` `);
});

/** What the table of a payload names. */
function fieldsOf(payload: string): string[] {
  const table = new RegExp(`^\\| Of an? \`${payload}\`[^]*?(?=\\n\\n)`, 'm').exec(page)![0];
  const rows = table.split('\n').slice(2);
  return rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!)).sort();
}

const sorted = (event: object) => Object.keys(event).sort();

it('has every field of what is told, and no other', async () => {
  const requests = await watching<RequestEvent>('quantlane:server:request', async (events) => {
    const batches = await watching<BatchEvent>('quantlane:batch', () =>
      withServer({}, async (url) => {
        await infer(url, 'torchao-int8', binaryRequest('FP32', [1, 64], new Float32Array(64)));
        await expect.poll(() => events.length).toBe(1);
      }),
    );
    expect(fieldsOf('BatchEvent')).toEqual(sorted(batches[0]!));
  });
  expect(fieldsOf('RequestEvent')).toEqual(sorted(requests[0]!));
  expect(fieldsOf('TraceContext')).toEqual(sorted(requests[0]!.trace));
  const lanes = await watching<LaneEvent>('quantlane:lane', () => withRuntime({ lanes: 1 }, () => undefined));
  expect(fieldsOf('LaneEvent')).toEqual(sorted(lanes[0]!));
  const arenas = await watching<ArenaEvent>('quantlane:arena', () =>
    withRuntime({ memory: '1KiB' }, async (runtime) => {
      const held = runtime.lease('float32', [256]);
      const waiting = runtime.acquire('float32', [1]);
      held.release();
      (await waiting).release();
    }),
  );
  expect(fieldsOf('ArenaEvent')).toEqual(sorted(arenas[0]!));
});
