/**
 * What the command line asks for.
 * @module
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PRESETS } from '../src/index.js';

export const USAGE = `npm start -- [FILE] [options]

Streams the tensors of FILE (.npy or .safetensors; default: examples/activations.safetensors),
token by token, through a quantizing pipeline, and prints how large and how exact the codes are.

  --preset NAME   only this preset; may be repeated (default: all of them)
  --lanes N       worker threads; 0 runs everything in place
  --memory SIZE   shared memory, such as 64MiB (default: 256MiB)
  --json FILE     where the results go as JSON (default: results/activations.json)
  --help          this text`;

/** A command line that asks for what there is not. */
export class WrongUsage extends Error {}

/** What is asked for. */
export interface Arguments {
  readonly file: string;
  /** Names of presets. */
  readonly presets: readonly string[];
  readonly lanes: number | undefined;
  readonly memory: string | undefined;
  readonly json: string;
  readonly isHelp: boolean;
}

const OPTIONS = {
  preset: { type: 'string', multiple: true },
  lanes: { type: 'string' },
  memory: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Reads the command line. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) throw new WrongUsage(`Expected one file, got ${positionals.length}`);
  const names = PRESETS.map(({ name }) => name);
  for (const name of values.preset ?? []) {
    if (!names.includes(name)) throw new WrongUsage(`Expected --preset ${names.join(', ')}; got '${name}'`);
  }
  return {
    file: positionals[0] ?? inProject('examples/activations.safetensors'),
    presets: names.filter((name) => values.preset?.includes(name) ?? true),
    lanes: values.lanes === undefined ? undefined : count(values.lanes),
    memory: values.memory,
    json: values.json ?? inProject('results/activations.json'),
    isHelp: values.help === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // The first sentence says what is wrong; the others give advice.
    throw new WrongUsage((error as Error).message.split(/\.\s|\n/)[0]);
  }
}

function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new WrongUsage(`Expected a number of threads as --lanes, got '${text}'`);
}

/** A file of the project, as seen from the working directory. */
function inProject(path: string): string {
  return relative('', fileURLToPath(new URL(`../../${path}`, import.meta.url)));
}
