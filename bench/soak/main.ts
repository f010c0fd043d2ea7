/**
 * `npm run soak -- [--minutes N] [--lanes 2] [--seed S] [--json FILE] [--write]`: load with faults, every result checked.
 * `npm run soak -- overload [--minutes N]`: a source ten times too fast, N minutes for each overflow policy. Both end with
 * code 1 where anything was not as promised; `--write` puts the table into docs/reliability.md. `--sessions` is how many
 * streams and callers there are at a time, `--kill-ms` the mean time between two threads that are ended from outside.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { writeBetween } from '../document.js';
import { overload } from './overload.js';
import { soak } from './soak.js';
import { overloadTable, soakTable } from './table.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string' },
    lanes: { type: 'string', default: '2' },
    seed: { type: 'string' },
    sessions: { type: 'string', default: '6' },
    'kill-ms': { type: 'string', default: '1000' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

const [question = 'soak'] = positionals;
if (positionals.length > 1 || !['soak', 'overload'].includes(question)) {
  refuse(`Expected nothing or overload, got ${positionals.join(' ')}`);
}

function refuse(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

/** A number above 0 of the command line. */
function positive(name: 'minutes' | 'lanes' | 'seed' | 'sessions' | 'kill-ms', otherwise: number): number {
  const text = values[name];
  const value = text === undefined ? otherwise : Number(text);
  return value > 0 ? value : refuse(`Expected --${name} above 0, got ${text}`);
}

const report = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

const machine = `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}`;
const milliseconds = positive('minutes', question === 'soak' ? 1 : 0.25) * 60_000;
process.stdout.write(`${machine}\n`);

let table: string;
let violations: readonly string[];
let answer: object;
if (question === 'overload') {
  const rows = await overload(milliseconds, report);
  [table, violations, answer] = [overloadTable(rows), rows.flatMap((row) => row.violations), rows];
} else {
  const seed = positive('seed', 1 + Math.floor(Math.random() * 2 ** 31));
  const result = await soak(
    {
      milliseconds,
      lanes: positive('lanes', 2),
      seed,
      killMs: positive('kill-ms', 2_000),
      roundMs: 60_000,
      sessions: positive('sessions', 6),
    },
    report,
  );
  [table, violations, answer] = [soakTable(result), result.violations, result];
  process.stdout.write(`seed ${seed}\n`);
}
report('');
process.stdout.write(`\n${table}\n`);
for (const violation of violations) process.stdout.write(`VIOLATION ${violation}\n`);
// From dist/bench/soak.
if (values.write) await writeBetween(new URL('../../../docs/reliability.md', import.meta.url), question, table);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, answer }, null, 2)}\n`);
process.exitCode = violations.length > 0 ? 1 : 0;
