/** Completion in real shells: commands, options, presets and other values, files. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '#src/index.js';
import { problem, run, temporaryFolder } from './helpers.js';

const folder = await temporaryFolder();
writeFileSync(join(folder, 'codes.safetensors'), '');
mkdirSync(join(folder, 'collection'));

const scripts = new Map<string, string>();
for (const shell of ['bash', 'zsh', 'fish']) {
  scripts.set(shell, join(folder, `words.${shell}`));
  writeFileSync(scripts.get(shell)!, (await run(['completion', shell])).out);
}

/** Runs a shell in the folder. */
function shell(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 30_000 });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

const isMissing = (command: string): boolean => spawnSync(command, ['--version']).error !== undefined;
const named = (command: string): string =>
  isMissing(command) ? `${command} (skipped: there is no ${command})` : command;

const presets = PRESETS.map(({ name }) => name);

/** What is typed, and what may follow: all of it in any order, or a word that must be among much. */
const WORDS: readonly (readonly [string, readonly string[]])[] = [
  ['quantlane quan', ['quantize']],
  ['quantlane quantize --pre', ['--preset']],
  ['quantlane quantize --preset ', presets],
  ['quantlane quantize x.npy --preset qdrant-', presets.filter((name) => name.startsWith('qdrant-'))],
  ['quantlane quantize --scale-rule r', ['rceil']],
  ['quantlane calibrate --method m', ['minmax', 'moving-average', 'mse']],
  ['quantlane generate --kv rot', ['rotated-int4']],
  ['quantlane generate --scheme no', ['none']],
  ['quantlane completion ', ['bash', 'zsh', 'fish']],
  ['quantlane presets --js', ['--json']],
];

describe.skipIf(isMissing('bash'))(named('bash'), () => {
  /** What the function leaves in COMPREPLY, for words that bash has split. */
  function completed(line: string): string[] {
    const words = line.split(/ |(?==)|(?<==)/);
    const list = words.map((word) => `'${word}'`).join(' ');
    const script = `source '${scripts.get('bash')}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _quantlane; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return shell('bash', ['--norc', '-c', script]).split('\n').filter(Boolean);
  }

  it.each(WORDS)('%s', (line, expected) => {
    expect(completed(line).sort()).toEqual([...expected].sort());
  });

  it('completes after = too', () => {
    expect(completed('quantlane quantize --preset=usearch-')).toEqual(['usearch-b1', 'usearch-i8']);
    expect(completed('quantlane quantize --non-finite=')).toEqual(['error', 'saturate', 'propagate']);
  });

  it('lists every command, and every option of one', () => {
    expect(completed('quantlane ')).toEqual(expect.arrayContaining(['serve', 'completion', '--version']));
    expect(completed('quantlane serve --')).toEqual(expect.arrayContaining(['--token-file', '--port', '--help']));
    expect(completed('quantlane serve --')).not.toContain('--preset');
  });

  it('leaves files to readline', () => {
    for (const line of ['quantlane quantize co', 'quantlane quantize --out co']) expect(completed(line)).toEqual([]);
    const asked = shell('bash', ['--norc', '-c', `source '${scripts.get('bash')}'; complete -p quantlane`]);
    expect(asked).toContain('-o default');
  });

  it('evaluates nothing that was typed', () => {
    completed('quantlane quantize $(>evaluated) ');
    expect(shell('bash', ['-c', 'ls'])).not.toContain('evaluated');
  });
});

describe.skipIf(isMissing('fish'))(named('fish'), () => {
  const completed = (line: string): string[] =>
    shell('fish', ['--no-config', '-c', `source '${scripts.get('fish')}'; complete --do-complete '${line}'`])
      .split('\n')
      .filter(Boolean)
      .map((row) => row.split('\t')[0]!);

  it.each(WORDS)('%s', (line, expected) => {
    expect(completed(line).sort()).toEqual([...expected].sort());
  });

  it('completes files and folders where they belong', () => {
    expect(completed('quantlane quantize --out co')).toContain('codes.safetensors');
    expect(completed('quantlane generate --model co')).toEqual(['collection/']);
    expect(completed('quantlane quantize co')).toContain('codes.safetensors');
    expect(completed('quantlane serve --port co')).toEqual([]);
  });
});

describe.skipIf(isMissing('zsh'))(named('zsh'), () => {
  /** The line that an interactive zsh makes of what was typed and a press of Tab. */
  function completed(typed: string, until: string): string {
    const script = `
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z 'PS1=; autoload -U compinit; compinit -u -D; source ${scripts.get('zsh')}; bindkey "^I" complete-word; echo RE""ADY'
      while zpty -r z line; do [[ $line == *READY* ]] && break; done
      zpty -w -n z "$1"$'\\t'
      all=
      for (( i = 0; i < 200; i++ )); do
        zpty -r -t z line && all+=$line || sleep 0.05
        [[ $all == *$2* ]] && break
      done
      print -r -- $all
      zpty -d z`;
    return shell('zsh', ['-f', '-c', script, 'zsh', typed, until]);
  }

  it.each([
    ['quantlane quan', 'quantlane quantize'],
    ['quantlane quantize --pre', 'quantize --preset'],
    ['quantlane quantize --preset qdrant-b', '--preset qdrant-binary'],
    ['quantlane calibrate --method min', '--method minmax'],
    ['quantlane quantize --out cod', '--out codes.safetensors'],
    ['quantlane generate --model col', '--model collection'],
    ['quantlane completion fi', 'completion fish'],
  ])('%s', (typed, expected) => {
    expect(completed(typed, expected)).toContain(expected);
  });
});

describe('the words', () => {
  it('say of every option that takes a value what that is', async () => {
    const { commands } = JSON.parse((await run(['completion', 'bash', '--json'])).out) as {
      commands: { name: string; options: { name: string; values?: string | string[] }[] }[];
    };
    const all = commands.flatMap(({ name, options }) =>
      options.map((option) => ({ ...option, name: `${name} --${option.name}` })),
    );
    const of = (kind: string): string[] => all.filter(({ values }) => values === kind).map(({ name }) => name);
    expect(of('folder')).toEqual(['generate --model']);
    expect(of('file')).toEqual(
      expect.arrayContaining(['quantize --out', 'quantize --scale', 'serve --token-file', 'serve --cert']),
    );
    // Numbers, sizes, names and texts: nothing that a shell could know.
    const anything = new Set(of('any').map((name) => name.replace(/.* --/, '')));
    const unknown = [...anything].filter((name) =>
      /preset|method|dtype|rule|file|calibration|kernels|format/.test(name),
    );
    expect(unknown).toEqual([]);
  });

  it('are for shells that there are', async () => {
    expect(await problem(['completion', 'csh'], 2)).toContain("Expected bash, zsh, fish, got 'csh'");
    expect(await problem(['completion'], 2)).toContain('Expected SHELL, got none');
  });
});
