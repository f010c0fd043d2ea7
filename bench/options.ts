/**
 * What the command line of the benchmarks asks for.
 * @module
 */
import { parseArgs } from 'node:util';

/** What is asked for. */
export interface Options {
  /** Names of the cases, at least one. */
  readonly cases: readonly string[];
  readonly isHelp: boolean;
  readonly isQuick: boolean;
  /** Whether documents are written. */
  readonly isWriting: boolean;
  /** File for all that was measured. */
  readonly json: string | undefined;
}

/** Wrong usage; the message is one line. */
export class UsageError extends Error {}

/**
 * Reads the arguments. No case means all of them.
 * @throws UsageError
 */
export function readOptions(args: readonly string[], known: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`Expected cases of ${known.join(', ')}; got ${unknown.join(', ')}`);
  const { help = false, quick = false, write = false, json } = values;
  if (quick && write)
    throw new UsageError('Expected --write without --quick, whose figures are worth nothing; got both');
  const cases = positionals.length === 0 ? known : known.filter((name) => positionals.includes(name));
  return { cases, isHelp: help, isQuick: quick, isWriting: write, json };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'string' },
        quick: { type: 'boolean' },
        write: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]);
  }
}

/** How it is used. */
export function usage(cases: readonly { readonly name: string; readonly question: string }[]): string {
  const width = Math.max(...cases.map(({ name }) => name.length));
  return `Usage: npm run bench -- [CASE…] [--json FILE] [--write] [--quick]

Measures each case against its rival, both in turns in the same run, and prints medians with 95 % intervals.

  --json FILE  also writes all that was measured to FILE
  --write      also writes the tables into docs/performance.md and docs/quality.md
  --quick      only tries whether everything works: the figures are worth nothing
  --help       prints this

Cases, all of them by default:
${cases.map(({ name, question }) => `  ${name.padEnd(width)}  ${question}`).join('\n')}
`;
}
