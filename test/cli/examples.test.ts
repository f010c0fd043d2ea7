/** The examples of each command's help: there, and commands that run. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFile, cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkedArguments } from '#src/cli/arguments.js';
import { EXAMPLES } from '#src/cli/examples.js';
import { nodeCommand } from '#src/cli/node.js';
import { serveCommand } from '#src/cli/serve.js';
import { ended, MAIN, normal, putNpy, run, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
const commands = /Expected a command \((.*)\)/.exec((await run([])).err)![1]!.split(', ');
const all = Object.entries(EXAMPLES).flatMap(([command, examples]) =>
  examples.map((example) => ({ command, ...example })),
);

/** The example as it is typed. */
const typed = (line: string): string => line.replaceAll('\n', ' \\\n');

/** The shell that an example is for. */
const shellOf = (line: string): string => /completion (zsh|fish)/.exec(line)?.[1] ?? 'bash';

const DEFINITION: Readonly<Record<string, string>> = {
  bash: `quantlane() { exec '${process.execPath}' '${MAIN}' "$@"; }\n`,
  zsh: `autoload -U compinit; compinit -u -D; quantlane() { '${process.execPath}' '${MAIN}' "$@"; }\n`,
  fish: `function quantlane; '${process.execPath}' '${MAIN}' $argv; end\n`,
};

const isMissing = (command: string): boolean => spawnSync(command, ['--version']).error !== undefined;

beforeAll(async () => {
  const file = (name: string): string => join(folder, name);
  await putNpy(file('x.npy'), 'float32', [8, 64], normal(512));
  for (const name of ['a.npy', 'b.npy']) await copyFile(file('x.npy'), file(name));
  await copyFile(
    fileURLToPath(new URL('../../examples/activations.safetensors', import.meta.url)),
    file('model.safetensors'),
  );
  await cp(fileURLToPath(new URL('../../examples/model', import.meta.url)), file('model'), { recursive: true });
  await writeFile(file('token'), 'secret\n');
  const calibrate = ['calibrate', file('model.safetensors'), '--method', 'minmax', '--preset', 'onnx-static'];
  await run([...calibrate, '--out', file('ranges.json')]);
  await run(['quantize', file('x.npy'), '--preset', 'vllm-int8-per-token', '--out', file('codes.safetensors')]);
});

describe('help', () => {
  it.each(commands)('has a section of examples: %s', async (command) => {
    const { out } = await run([command, '--help']);
    const section = out.split('\nEXAMPLES\n\n')[1] ?? '';
    const lines = section.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('  # '))).toHaveLength(EXAMPLES[command]!.length);
    for (const { line } of EXAMPLES[command]!) {
      expect(section.replaceAll('\n  ', '\n')).toContain(typed(line));
      expect(line).toContain(`quantlane ${command}`);
    }
  });

  it('has no examples of commands that are not there', () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual([...commands].sort());
  });
});

describe('examples', () => {
  const closed = all
    .filter(({ command, line }) => command !== 'node' && !line.includes('0.0.0.0'))
    .map((example) => ({ ...example, shell: shellOf(example.line) }));
  const lacking = (shell: string): string => (isMissing(shell) ? ` (skipped: there is no ${shell})` : '');

  for (const { command, line, shell } of closed)
    it.skipIf(isMissing(shell))(`run: ${line}${lacking(shell)}`, { timeout: 60_000 }, async () => {
      const child = spawn(shell, ['-c', DEFINITION[shell] + typed(line)], { cwd: folder });
      if (command === 'serve')
        child.stderr.on('data', (text) => String(text).includes('listening') && child.kill('SIGTERM'));
      const { code, out, err } = await ended(child);
      expect({ code, err }).toEqual({ code: 0, err: command === 'serve' ? expect.stringContaining('listening') : '' });
      expect(out !== '').toBe(command !== 'completion');
    });

  it.each(EXAMPLES['node']!.map(({ line }) => line))('that need a cluster are what node takes: %s', (line) => {
    const [, , ...words] = line.split(/\s+/);
    expect(checkedArguments(words, nodeCommand.args as never).at(-1)).toBe('--');
  });

  it('that listen for others are what serve takes', () => {
    const open = all.filter(({ line }) => line.includes('0.0.0.0'));
    expect(open).toHaveLength(1);
    const [, , ...words] = open[0]!.line.split(/\s+/);
    expect(checkedArguments(words, serveCommand.args as never)).toContain('--token-file=token');
  });
});
