/** The Dockerfile: right by its linter, and made of what the project has. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { checkedArguments } from '#src/cli/arguments.js';
import { serveCommand } from '#src/cli/serve.js';
import { withServer } from '../server/client.js';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('Dockerfile', root), 'utf8');

/** The instructions, each on one line, without comments. */
const instructions = text
  .replace(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line.trim() !== '');

const of = (name: string): string[] =>
  instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim());

const messages = (source: string): string[] => validate(source).map(({ message }) => String(message));

describe('the linter', () => {
  it('finds nothing wrong', () => {
    expect(messages(text)).toEqual([]);
  });

  it.each([
    ['EXPOSE 8000', 'EXPOSE web', 'Invalid containerPort'],
    ['RUN npm run build', 'RUNN npm run build', 'Unknown instruction'],
    ['--timeout=3s', '--timeouts=3s', 'Unknown flag'],
    ['WORKDIR /app', 'WORKDIR app', 'WORKDIR paths should be absolute'],
    ['--interval=10s', '--interval=10', 'missing unit'],
  ])('refuses %s as %s', (from, to, message) => {
    expect(text).toContain(from);
    expect(messages(text.replace(from, to)).join('\n')).toContain(message);
  });
});

describe('the image', () => {
  it('is of one Node, pinned, which the package takes', () => {
    const images = of('FROM').map((line) => line.split(' ')[0]!);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(/^node:22\.\d+\.\d+-bookworm-slim$/);
  });

  it('copies what is there and what .dockerignore lets through', () => {
    const allowed = readFileSync(new URL('.dockerignore', root), 'utf8')
      .match(/^!(.+)$/gm)!
      .map((line) => line.slice(1));
    const copied = of('COPY')
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(/\s+/).slice(0, -1));
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect(existsSync(new URL(path, root))).toBe(true);
      expect(allowed).toContain(path);
    }
    expect(allowed.filter((path) => !copied.includes(path))).toEqual([]);
  });

  it('builds with every file that the scripts of the build name', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const words = Object.entries(scripts).flatMap(([name, script]) =>
      name.startsWith('build') ? script.split(/\s+/) : [],
    );
    const files = words.filter((word) => existsSync(new URL(word, root)) && word !== '.');
    expect(files).toContain('src/kernels/assembly/index.ts');
    const copied = of('COPY').flatMap((line) => line.split(/\s+/).slice(0, -1));
    expect(files.filter((file) => !copied.some((path) => file === path || file.startsWith(`${path}/`)))).toEqual([]);
  });

  it('runs the program of the package, without rights, with words that it takes', () => {
    const { bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
    expect(`./${JSON.parse(of('ENTRYPOINT')[0]!)[1]}`).toBe(bin.quantlane);
    expect(of('USER')).toEqual(['node']);
    const [command, ...words] = JSON.parse(of('CMD').at(-1)!) as string[];
    expect(command).toBe('serve');
    expect(checkedArguments(words, serveCommand.args as never)).toEqual(['--host=0.0.0.0', '--']);
  });

  it('is healthy while the server answers, and only then', async () => {
    const [, ...words] = JSON.parse(/CMD (\[.*\])/.exec(of('HEALTHCHECK')[0]!)![1]!) as string[];
    const check = async (url: string): Promise<number | null> => {
      const child = spawn(process.execPath, words, { env: { ...process.env, HEALTH_URL: url } });
      return new Promise((resolve) => child.once('exit', resolve));
    };
    const path = new URL(
      of('ENV')
        .find((line) => line.startsWith('HEALTH_URL='))!
        .slice(11),
    ).pathname;
    const gone = await withServer({ token: 'x' }, async (url) => {
      expect(await check(`${url}${path}`)).toBe(0);
      expect(await check(`${url}/v2`)).toBe(1);
      return url;
    });
    expect(await check(`${gone}${path}`)).toBe(1);
  });
});

it('the service of systemd is one that systemd takes', ({ skip }) => {
  const args = ['verify', fileURLToPath(new URL('deploy/systemd/quantlane.service', root))];
  const { status, stderr, error } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  if (error !== undefined) return skip('there is no systemd-analyze');
  expect([status, stderr]).toEqual([0, '']);
});
