/**
 * `npm run bench`: measures, prints tables, and writes the same into documents and as JSON; `--help` says more.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { barTable } from './bars.js';
import type { Answer, Case } from './case.js';
import { CASES } from './cases.js';
import { writeBetween } from './document.js';
import { Limits } from './limits.js';
import { type Options, readOptions, UsageError, usage } from './options.js';
import { FULL, QUICK } from './rounds.js';

const MACHINE = `${cpus()[0]?.model.trim() || process.arch}, ${availableParallelism()} cores, Node ${process.versions.node}`;

const report = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

/** Runs the cases that are asked for, one after the other. */
async function main(options: Options): Promise<void> {
  const effort = options.isQuick ? QUICK : FULL;
  const limits = await Limits.start();
  process.stdout.write(`${MACHINE}\n`);
  process.stdout.write(limits === undefined ? 'no C compiler: limits are left out\n' : `${limits.compiler}\n`);
  const answers: Record<string, Answer> = {};
  try {
    for (const each of CASES.filter(({ name }) => options.cases.includes(name))) {
      const answer = await each.run({ effort, limits, report });
      report('');
      answers[each.name] = answer;
      process.stdout.write(`\n${each.name}: ${each.question}\n\n${tables(answer)}\n`);
      if (options.isWriting) await write(each, answer);
    }
  } finally {
    await limits?.close();
  }
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ machine: MACHINE, effort, answers }, null, 2)}\n`);
  }
}

function tables({ bars, text }: Answer): string {
  return [...(bars.length > 0 ? [barTable(bars)] : []), ...(text === undefined ? [] : [text])].join('\n\n');
}

/** Writes an answer where it belongs: by default to its own place in the page of what this machine can do. */
async function write(each: Case, answer: Answer): Promise<void> {
  const measured = `Measured with \`npm run bench -- ${each.name} --write\` on ${MACHINE}.`;
  const { document, marker, text } = answer.section ?? {
    document: 'performance',
    marker: `bench:${each.name}`,
    text: `${tables(answer)}\n\n${measured}`,
  };
  // From dist/bench.
  await writeBetween(new URL(`../../docs/${document}.md`, import.meta.url), marker, text);
}

try {
  const options = readOptions(
    process.argv.slice(2),
    CASES.map(({ name }) => name),
  );
  if (options.isHelp) process.stdout.write(usage(CASES));
  else await main(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
