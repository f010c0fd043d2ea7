/** docs/observability.md tells of every metric that there is, and of no other. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withServer } from '../server/client.js';

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
