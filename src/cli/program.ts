/**
 * The commands: finds the one that is meant, runs it, and says how it ended.
 * @module
 */
import { stripVTControlCharacters } from 'node:util';
import { type CommandDef, renderUsage, runCommand } from 'citty';
import { version } from '../version.js';
import { checkedArguments } from './arguments.js';
import type { Context } from './context.js';
import { examplesOf } from './examples.js';
import { exitCodeOf, lineOf, usage } from './failure.js';
import type { Report } from './report.js';

// biome-ignore lint/suspicious/noExplicitAny: each command has arguments of its own
type Command = CommandDef<any>;

/** The commands, loaded when they are needed. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  quantize: async () => (await import('./quantize.js')).quantizeCommand,
  dequantize: async () => (await import('./dequantize.js')).dequantizeCommand,
  calibrate: async () => (await import('./calibrate.js')).calibrateCommand,
  inspect: async () => (await import('./inspect.js')).inspectCommand,
  compare: async () => (await import('./compare.js')).compareCommand,
  recommend: async () => (await import('./recommend.js')).recommendCommand,
  serve: async () => (await import('./serve.js')).serveCommand,
  node: async () => (await import('./node.js')).nodeCommand,
  generate: async () => (await import('./generate.js')).generateCommand,
  presets: async () => (await import('./presets.js')).presetsCommand,
  completion: async () => (await import('./completion.js')).completionCommand(COMMANDS),
};

const PROGRAM: Command = {
  meta: { name: 'quantlane', description: 'Quantize tensors into the bytes that a consumer expects' },
  subCommands: COMMANDS,
};

/** What a command line comes to. */
export interface Ending {
  readonly exitCode: number;
  /** For standard output. */
  readonly out: string;
  /** One line for standard error; empty where nothing is wrong. */
  readonly problem: string;
}

/** Runs a command line; never rejects. */
export async function runProgram(words: readonly string[], context: Context): Promise<Ending> {
  const [first, ...rest] = words;
  const isCommand = first !== undefined && Object.hasOwn(COMMANDS, first);
  try {
    if (first === '--version') return success(version());
    if (first === '--help' || first === '-h') return success(await usageOf(PROGRAM));
    if (!isCommand) throw wrongCommand(first);
    const command = await COMMANDS[first]!();
    if (isHelp(rest)) return success((await usageOf(command, PROGRAM)) + examplesOf(first));
    const rawArgs = checkedArguments(rest, command.args);
    const { result } = await runCommand(command, { rawArgs, data: context });
    const { lines, json, problem } = result as Report;
    const ending = success(rawArgs.includes('--json') ? JSON.stringify(json) : lines.join('\n'));
    return problem === undefined ? ending : { ...ending, ...failure(first, problem) };
  } catch (error) {
    return { out: '', ...failure(isCommand ? first : undefined, error) };
  }
}

function failure(command: string | undefined, error: unknown): Omit<Ending, 'out'> {
  const name = command === undefined ? 'quantlane' : `quantlane ${command}`;
  return { exitCode: exitCodeOf(error), problem: `${name}: ${lineOf(error)}` };
}

function success(text: string): Ending {
  return { exitCode: 0, out: `${text}\n`, problem: '' };
}

/** Whether help is asked for, before `--`. */
function isHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? words.length : end).some((word) => word === '--help' || word === '-h');
}

function wrongCommand(word: string | undefined): Error {
  const names = Object.keys(COMMANDS).join(', ');
  if (word === undefined) return usage(`Expected a command (${names}), got none; see quantlane --help`);
  return usage(`Expected a command (${names}), got '${word}'`);
}

/** How a command is used: no colours, no spaces at the ends of lines. */
async function usageOf(command: Command, parent?: Command): Promise<string> {
  const text = stripVTControlCharacters(await renderUsage(command, parent));
  // The commands are listed below: all of them in one word would not fit a line.
  return text
    .replace(/^(USAGE quantlane) \S*\|\S*/m, '$1 COMMAND')
    .replace(/ +$/gm, '')
    .trimEnd();
}
