/** The server of the example's page, as a command. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const SERVE = fileURLToPath(new URL('../../dist/examples/browser/serve.js', import.meta.url));
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill();
});

/** Starts the server; the URL that it prints, and what it says behind it. */
async function start(...args: string[]): Promise<{ url: string; rest: string }> {
  const child = spawn(process.execPath, [SERVE, '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  const [url = '', ...rest] = line.split(' ');
  return { url, rest: rest.join(' ') };
}

/** The status of a path as it is written, which `fetch` would tidy up. */
async function statusOf(url: string, path: string): Promise<number | undefined> {
  const sent = request(url, { path }).end();
  const [answer] = await once(sent, 'response');
  answer.resume();
  return answer.statusCode;
}

describe('serve', () => {
  it('serves the page, the library and the activations, isolated', async () => {
    const { url, rest } = await start();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(rest).toBe('');
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(await page.text()).toContain('<title>quantlane in a browser</title>');
    const paths = [
      'page.css',
      'activations.safetensors',
      'dist/examples/browser/page.js',
      'dist/src/kernels/kernels.wasm',
    ];
    for (const path of paths) expect((await fetch(url + path, { method: 'HEAD' })).status, path).toBe(200);
    const lane = await fetch(`${url}dist/src/standalone/lane.js`);
    expect(lane.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  });

  it('leaves the headers out where it is told to', async () => {
    const { url, rest } = await start('--no-isolation');
    expect(rest).toContain('one thread');
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('cross-origin-opener-policy')).toBeNull();
  });

  it('serves nothing else', async () => {
    const { url } = await start();
    const paths = ['/nothing', '/page.css/x', '/dist/src/', '/dist/src/../../package.json', '/package.json'];
    const hidden = [
      '/dist/src/%2e%2e/%2e%2e/package.json',
      '/dist/src/..%2f..%2fpackage.json',
      '/dist/src//etc/passwd',
    ];
    for (const path of [...paths, ...hidden]) expect(await statusOf(url, path), path).toBe(404);
  });

  it('says what was wrong', () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [SERVE, ...args], { encoding: 'utf8' });
    expect(run('--port', 'x')).toMatchObject({ status: 2, stderr: expect.stringContaining('Expected a port, got x') });
    expect(run('--what')).toMatchObject({ status: 2, stderr: expect.stringContaining('--no-isolation') });
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('npm run browser') });
  });
});
