/** What the README says and a machine can check: its first example, its tables and its commands. */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import * as library from '#src/index.js';

const root = new URL('..', import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const readme = text('README.md');

/** The first example; `quantlane` in it is this package, which may refer to itself by name. */
const example = /^```js\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? '';

/** The rows of the table whose first column is called `head`. */
function table(head: string): string[][] {
  const rows = readme.split('\n').map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const first = rows.findIndex((cells) => cells[1] === head) + 2;
  const end = rows.findIndex((cells, index) => index >= first && cells.length < 2);
  return rows.slice(first, end).map((cells) => cells.slice(1, -1));
}

it('begins with an example of at most 12 lines that prints what its last comment says', async () => {
  const lines = example.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(12);
  const code = lines.findLastIndex((line) => !line.startsWith('// '));
  const expected = lines.slice(code + 1).map((line) => line.slice(3));
  expect(expected.length).toBeGreaterThan(0);

  const args = ['--input-type=module', '--eval', example];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(root),
    timeout: 20_000,
  });
  expect(stderr).toBe('');
  expect(stdout.trimEnd().split('\n')).toEqual(expected);
});

it('imports what is there', () => {
  const names = [...readme.matchAll(/^import \{([^}]*)\} from 'quantlane';$/gm)].flatMap(([, list]) =>
    list!.split(',').map((name) => name.trim()),
  );
  expect(names).toContain('createRuntime');
  expect(names.filter((name) => !(name in library))).toEqual([]);
});

it('lists every error code with its class', () => {
  const classes = text('src/errors.ts').matchAll(/^ {2}(ERR_QUANTLANE_\w+): (\w+Error),$/gm);
  const rows = [...classes].map(([, code, name]) => [code, name]);
  expect(rows.length).toBeGreaterThan(10);
  expect(table('Code').map((cells) => cells.slice(0, 2))).toEqual(rows);
});

it('names scripts and files that are there', () => {
  const scripts = JSON.parse(text('package.json')).scripts as Record<string, string>;
  const named = [...readme.matchAll(/\bnpm (?:run )?(start|test|(?<=run )[\w:]+)/g)].map(([, name]) => name!);
  expect(named).toEqual(expect.arrayContaining(['start', 'test', 'bench']));
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path!);
  expect(links.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});
