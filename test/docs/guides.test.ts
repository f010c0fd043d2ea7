/** The guides show code that runs, and what it prints. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guidePage, outputOf } from '../../dist/docs/generate/guides.js';

const folder = new URL('../../docs/guides/', import.meta.url);
const folderOfExamples = new URL('../../examples/guides/', import.meta.url);
const examples = readdirSync(folderOfExamples);
const guides = readdirSync(folder).map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));

/** What examples need besides bash. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'serve.sh': ['curl', 'openssl'],
  'hosts.sh': ['nats-server', 'openssl'],
};

/** A command of the shell that an example needs and this machine does not have. */
function missing(file: string): string | undefined {
  if (!file.endsWith('.sh')) return undefined;
  return ['bash', ...(NEEDED[basename(file)] ?? [])].find(
    (command) => spawnSync(command, ['--version']).error !== undefined || process.platform === 'win32',
  );
}

describe.each(guides)('docs/guides/$name', ({ text }) => {
  const files = new Set([...text.matchAll(/^<!-- (?:output )?(examples\/guides\/[^\s#]+)/gm)].map(([, file]) => file!));
  const absent = [...files].map(missing).find((command) => command !== undefined);
  const reason = absent === undefined ? '' : ` (skipped: there is no ${absent})`;

  it.skipIf(absent !== undefined)(
    `shows its example and what that prints now${reason}`,
    { timeout: 180_000 },
    async () => {
      expect(files.size).toBeGreaterThan(0);
      expect(await guidePage(text)).toBe(text);
    },
  );

  it('has no code of a program that does not run', () => {
    const loose = text.replace(/^<!-- (\S.*) -->$[\s\S]*?^<!-- \/\1 -->$/gm, '');
    expect(loose).not.toMatch(/^```(?:ts|js)/m);
  });
});

it('shows every example', () => {
  const all = guides.map(({ text }) => text).join('\n');
  const printed = examples.filter((name) => all.includes(`<!-- output examples/guides/${name} -->`));
  // What one of these runs, is printed with it.
  const run = printed.map((name) => readFileSync(new URL(name, folderOfExamples), 'utf8')).join('\n');
  const isShown = (name: string) => printed.includes(name) || run.includes(`guides/${name.replace(/\.ts$/, '.js')}`);
  expect(examples.filter((name) => !isShown(name))).toEqual([]);
});

it('notices a place, a region and an example that are not there', async () => {
  const place = (name: string): string => `<!-- ${name} -->\n\n<!-- /${name} -->\n`;
  await expect(guidePage(place('examples/guides/gone.ts#x'))).rejects.toThrow('ENOENT');
  await expect(guidePage(place('examples/guides/serve.ts#gone'))).rejects.toThrow('Expected #region gone');
  await expect(guidePage('<!-- examples/guides/serve.ts#end -->\n')).rejects.toThrow('Expected <!-- ');
  await expect(outputOf('examples/guides/gone.ts')).rejects.toThrow('Cannot find module');
});
