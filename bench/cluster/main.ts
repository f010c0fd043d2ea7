/**
 * `npm run soak:cluster -- [--batches 100000] [--keys 100] [--columns 512] [--json FILE] [--write]`: three hosts and a NATS
 * server of this machine under faults, every result checked. It ends with code 1 where anything was not as promised;
 * `--write` puts the table into docs/reliability.md.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { table, writeBetween } from '../document.js';
import { type ClusterSoakOptions, type ClusterSoakResult, clusterSoak } from './soak.js';

const { values } = parseArgs({
  options: {
    batches: { type: 'string', default: '100000' },
    keys: { type: 'string', default: '100' },
    columns: { type: 'string', default: '512' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

function refuse(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

function whole(name: 'batches' | 'keys' | 'columns'): number {
  const value = Number(values[name]);
  return Number.isSafeInteger(value) && value > 0 ? value : refuse(`Expected --${name} from 1, got ${values[name]}`);
}

/** What the soak did and found, as a table. */
function tableOf(options: ClusterSoakOptions, result: ClusterSoakResult): string {
  const count = (value: number) => value.toLocaleString('en');
  return table(
    ['', 'count'],
    [
      ['batches', count(options.batches)],
      ['keys', count(options.keys)],
      ['results, each compared with the local one', count(result.results)],
      ['values of those', count(result.values)],
      ['batches that a second host got', count(result.redelivered)],
      ['results that came again or too late, and were dropped', count(result.unwanted)],
      ['batches that were sent anew, for the server may have lost them', count(result.repeated)],
      ['messages and questions of the sender that were sent again', count(result.resent)],
      ['times that the sender connected again', count(result.reconnects)],
      ['batches by the host that was paused, and by the third', result.done.map(count).join(' + ')],
      ['seconds', result.seconds.toFixed(0)],
      ['batches a second', count(Math.round(result.results / result.seconds))],
      ['longest wait for a result, s', (result.longestMs / 1000).toFixed(1)],
      ['peak resident memory of the sender, MiB', count(Math.round(result.peakRss / 2 ** 20))],
      ['violations', count(result.violations.length)],
    ],
  );
}

if (spawnSync('nats-server', ['--version']).status !== 0) refuse('Expected nats-server on the path, got none');
const options = { batches: whole('batches'), keys: whole('keys'), columns: whole('columns'), pauseMs: 10_000 };
const machine = `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}`;
const version = spawnSync('nats-server', ['--version'], { encoding: 'utf8' }).stdout.trim();
process.stdout.write(`${machine}, ${version}\n`);
const result = await clusterSoak(options, (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
});
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
const text = tableOf(options, result);
process.stdout.write(`\n${text}\n`);
for (const violation of result.violations.slice(0, 50)) process.stdout.write(`VIOLATION ${violation}\n`);
// From dist/bench/cluster.
if (values.write) await writeBetween(new URL('../../../docs/reliability.md', import.meta.url), 'cluster', text);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, options, result }, null, 2)}\n`);
process.exitCode = result.violations.length > 0 ? 1 : 0;
