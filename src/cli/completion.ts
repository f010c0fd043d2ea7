/**
 * `quantlane completion`: a script that teaches a shell the commands, options, presets and other words.
 * @module
 */
import { type ArgsDef, type CommandDef, defineCommand } from 'citty';
import { SHELLS, wordsOfCommand } from './command-words.js';
import { usage } from './failure.js';
import type { Report } from './report.js';
import { JSON_ARG } from './runtime-options.js';
import { SCRIPTS } from './shells.js';

const args = {
  shell: { type: 'positional', description: 'bash, zsh or fish' },
  ...JSON_ARG,
} as const satisfies ArgsDef;

// biome-ignore lint/suspicious/noExplicitAny: each command has arguments of its own
type Commands = Readonly<Record<string, () => Promise<CommandDef<any>>>>;

/** The command, for these commands. */
export function completionCommand(commands: Commands) {
  return defineCommand({
    meta: { name: 'completion', description: 'Print what teaches a shell the words of the command line' },
    args,
    run: ({ args }) => completion(args._[0]!, commands),
  });
}

async function completion(name: string, commands: Commands): Promise<Report> {
  const shell = SHELLS.find((each) => each === name);
  if (shell === undefined) throw usage(`Expected ${SHELLS.join(', ')}, got '${name}'`);
  const words = await Promise.all(
    Object.entries(commands).map(async ([command, load]) => wordsOfCommand(command, await load())),
  );
  return { lines: [SCRIPTS[shell](words)], json: { command: 'completion', shell, commands: words } };
}
