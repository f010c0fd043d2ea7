#!/usr/bin/env node
/**
 * The entry of the command line: the streams and signals of the process.
 * @module
 */
import { addAbortSignal } from 'node:stream';
import type { Context } from './context.js';
import { Interrupted } from './failure.js';
import { runProgram } from './program.js';

const { stdin, stdout, stderr } = process;
const stop = new AbortController();

// The first signal lets a command delete what it has begun; a second one ends the process as it always does.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Interrupted(name)));

// Whoever reads may stop reading, as `head` does: that is no failure. Nothing else may be lost silently.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = 1;
  });
}

const context: Context = {
  // Only a command that reads standard input touches it.
  input: { [Symbol.asyncIterator]: () => addAbortSignal(stop.signal, stdin)[Symbol.asyncIterator]() },
  show: stderr.isTTY ? (line) => stderr.write(`\r\u001b[K${line.slice(0, stderr.columns - 1)}`) : undefined,
  say: (line) => void stderr.write(`${line}\n`),
  write: (text) => stdout.write(text),
  signal: stop.signal,
};

const { exitCode, out, problem } = await runProgram(process.argv.slice(2), context);
if (stderr.isTTY) stderr.write('\r\u001b[K');
if (problem !== '') stderr.write(`${problem}\n`);
if (out !== '') stdout.write(out);
process.exitCode = exitCode;
