/**
 * `npm run bench [-- dynamic | places] [--json FILE]`: measures, prints tables, and writes the same as JSON.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type DynamicRow, dynamic } from './dynamic.js';
import { type PlaceRow, places } from './places.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const wanted = positionals.length === 0 ? ['dynamic', 'places'] : positionals;
const unknown = wanted.filter((name) => name !== 'dynamic' && name !== 'places');
if (unknown.length > 0) {
  process.stderr.write(`Expected dynamic or places, got ${unknown.join(', ')}\n`);
  process.exit(2);
}

const report = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

const machine = `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}`;
process.stdout.write(`${machine}\n`);
const answer: { machine: string; dynamic?: DynamicRow[]; places?: PlaceRow[] } = { machine };

if (wanted.includes('dynamic')) {
  answer.dynamic = await dynamic(report);
  report('');
  process.stdout.write('\nRange and uint8 codes of one tensor (DynamicQuantizeLinear), medians\n');
  process.stdout.write(
    `${'elements'.padStart(10)}  ${'contender'.padEnd(24)} 10⁹ elements/s  against ONNX Runtime, 1 thread\n`,
  );
  for (const { elements, name, rate, ratio } of answer.dynamic) {
    const columns = [elements.toLocaleString('en').padStart(10), ` ${name.padEnd(24)}`, rate.toFixed(2).padStart(14)];
    process.stdout.write(`${columns.join(' ')}  ${ratio.toFixed(2).padStart(6)} x\n`);
  }
}

if (wanted.includes('places')) {
  answer.places = await places(report);
  report('');
  process.stdout.write('\nRows of 1,024 values, per token, µs a call, medians\n');
  process.stdout.write(`${'elements'.padStart(10)} ${'in place'.padStart(10)} ${'one lane'.padStart(10)}\n`);
  for (const { elements, inPlace, lane } of answer.places) {
    const columns = [elements.toLocaleString('en'), inPlace.toFixed(1), lane.toFixed(1)];
    process.stdout.write(`${columns.map((text) => text.padStart(10)).join(' ')}\n`);
  }
}

if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(answer, null, 2)}\n`);
