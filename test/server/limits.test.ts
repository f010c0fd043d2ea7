import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QuantlaneServer } from '#src/server/index.js';
import { ended, start, temporaryFolder } from '../cli/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { binaryRequest, infer, raw, withServer } from './client.js';

const folder = await temporaryFolder();
const good = binaryRequest('FP32', [1, 64], new Float32Array(64).fill(1));
const MODEL = 'torchao-int8';

/** A request whose body lacks its last bytes. */
function unfinished(url: string): { done: Promise<string> } {
  const { body, headers } = good;
  const lines = Object.entries({ ...headers, host: 'x', 'content-length': String(body.length), connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const bytes = Buffer.concat([
    Buffer.from(`POST /v2/models/${MODEL}/infer HTTP/1.1\r\n${head}\r\n`),
    body.subarray(0, -4),
  ]);
  return { done: raw(url, bytes, false) };
}

describe('limits', () => {
  it('refuses a request too many, with the time to wait, and loses none', async () => {
    await withServer({ maxPending: 2, timeout: 500 }, async (url, _runtime, server) => {
      const slow = [unfinished(url), unfinished(url)];
      await expect.poll(() => server.pending).toBe(2);
      const refused = await infer(url, MODEL, good);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
      expect(refused.json).toEqual({ error: 'Expected at most 2 requests at a time, got one more' });
      for (const { done } of slow) expect(await done).toMatch(/^HTTP\/1\.1 503 /);
      expect((await infer(url, MODEL, good)).status).toBe(200);
    });
  });

  it('wants its token, but for health', async () => {
    await withServer({ token: 'secret' }, async (url) => {
      for (const authorization of [undefined, 'Bearer nope', 'secret']) {
        const headers = { ...good.headers, ...(authorization !== undefined && { authorization }) };
        const answer = await infer(url, MODEL, { ...good, headers });
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      }
      expect(
        (await infer(url, MODEL, { ...good, headers: { ...good.headers, authorization: 'Bearer secret' } })).status,
      ).toBe(200);
      expect((await fetch(`${url}/v2/health/live`)).status).toBe(200);
    });
  });

  it('speaks TLS', async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, '-days', '1', ...subject], {
      stdio: 'ignore',
    });
    const tls = { key: readFileSync(key), cert: readFileSync(cert) };
    await withServer({ tls }, async (url) => {
      expect(url).toMatch(/^https:/);
      const status = await new Promise((resolve, reject) => {
        request(`${url}/v2/health/ready`, { ca: tls.cert }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
      expect(status).toBe(200);
    });
  });

  it('answers what it has begun before it closes, and takes nothing new meanwhile', async () => {
    await withRuntime({ lanes: 0 }, async (runtime) => {
      const server = await QuantlaneServer.listen(runtime, { port: 0, timeout: 300 });
      const { url } = server;
      const slow = unfinished(url);
      await expect.poll(() => server.pending).toBe(1);
      const closed = server.close();
      const knock = () =>
        fetch(`${url}/v2/health/ready`).then(
          ({ status }) => status,
          () => 'refused',
        );
      await expect.poll(knock).toBe('refused');
      expect(await slow.done).toMatch(/^HTTP\/1\.1 503 /);
      await closed;
      expect(server.pending).toBe(0);
    });
  });

  it.each([
    [{ port: -1 }, 'port'],
    [{ host: '' }, 'host'],
    [{ token: '' }, 'token'],
    [{ maxPending: 0 }, 'maxPending'],
    [{ timeout: 0 }, 'timeout'],
    [{ maxTensor: 'much' }, 'size'],
  ])('refuses wrong options: %o', async (options, word) => {
    await expect(withServer(options as object, async () => undefined)).rejects.toMatchObject({
      code: 'ERR_QUANTLANE_ARGUMENT',
      message: expect.stringContaining(word),
    });
  });
});

describe('quantlane serve', () => {
  it('listens until SIGTERM, and then says what it did', { timeout: 20_000 }, async () => {
    const child = start(['serve', '--port', '0', '--lanes', '0']);
    const url = await new Promise<string>((resolve) => {
      child.stderr!.on('data', (part) => {
        const found = /http:\S+/.exec(String(part));
        if (found) resolve(found[0]);
      });
    });
    const done = ended(child);
    expect((await infer(url, MODEL, good)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await done).toMatchObject({ code: 0, out: '1 batches, 0 failed, 64 elements\n' });
  });

  it('says what is wrong with its options', async () => {
    for (const [words, text] of [
      [['--port', 'x'], 'integer for --port'],
      [['--port', '70000'], 'port: 0 to 65535'],
      [['--cert', '/none', '--key', '/none'], "Expected a file for --cert, got '/none' (ENOENT)"],
    ] as const) {
      const { code, err, out } = await ended(start(['serve', ...words]));
      expect([code, out, err]).toEqual([2, '', expect.stringContaining(text)]);
    }
  });
});
