/** The soak of a cluster finds nothing wrong in a short run, and finds what is wrong where something is. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clusterSoak, type Tamper } from '../../dist/bench/cluster/soak.js';
import { between } from '../../dist/bench/document.js';
import { HAS_NATS, NEEDS_NATS } from '../cluster/server.js';

describe.skipIf(!HAS_NATS)(`npm run soak:cluster${NEEDS_NATS}`, () => {
  const run = (batches: number, tamper?: Tamper) =>
    clusterSoak({ batches, keys: 10, columns: 64, pauseMs: 500 }, () => undefined, tamper);

  it('has no violation in a thousand batches', { timeout: 60_000 }, async () => {
    const { violations, results, reconnects } = await run(1_000);
    expect(violations).toEqual([]);
    expect({ results, reconnects }).toEqual({ results: 1_000, reconnects: 1 });
  });

  it('finds a result that is lost, one that comes twice, and one with a wrong bit', { timeout: 60_000 }, async () => {
    const { violations } = await run(200, (result, key, sequence) => {
      if (key === 1 && sequence === 19) return 'skip';
      if (key === 2 && sequence === 19) return 'twice';
      if (key === 3 && sequence === 5) result.data[0]! ^= 1;
      return undefined;
    });
    expect(violations.join('\n')).toMatch(/1\.19 has no result/);
    expect(violations.join('\n')).toMatch(/21 results of key 2, of 20 batches/);
    expect(violations.join('\n')).toMatch(/3\.5 has other bytes than the local result/);
  });
});

it('has a place for its table in the document', () => {
  const document = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
  expect(between(document, 'cluster', 'x')).toContain('\n\nx\n\n');
  expect(document.split('<!-- cluster -->')[1]!.split('<!--')[0]).toMatch(/\| violations +\| +0 \|/);
});
