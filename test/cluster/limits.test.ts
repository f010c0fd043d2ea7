/** Calls that are given up, clients that close, limits, credentials, and what a cluster costs where there is none. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AckPolicy } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from '#src/cluster/connection.js';
import { ClusterNode } from '#src/cluster/index.js';
import { settleCluster } from '#src/cluster/options.js';
import {
  createRuntime,
  type PlainTensor,
  type QuantizingRuntime,
  type RemoteOptions,
  remote,
  runtime,
} from '#src/index.js';
import { problem } from '../cli/helpers.js';
import { expectIdle } from '../support/runtime.js';
import { ended, expectEmpty, host, hostProcess, leftIn, withRemote } from './helpers.js';
import { HAS_NATS, NatsServer, NEEDS_NATS } from './server.js';

const SMALL: PlainTensor = { dtype: 'float32', shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) };
const LARGE: PlainTensor = { dtype: 'float32', shape: [600, 1_000], data: new Float32Array(600_000).fill(0.5) };

const code = (name: string): object => expect.objectContaining({ code: `ERR_QUANTLANE_${name}` });

describe.skipIf(!HAS_NATS)(`a remote runtime${NEEDS_NATS}`, () => {
  let server: NatsServer;

  beforeAll(async () => {
    server = await NatsServer.start();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  it.each([
    ['a small batch', SMALL],
    ['one of many messages', LARGE],
  ])('takes back what is aborted before a host has it: %s', async (_, tensor) => {
    // Nobody works here.
    const stream = 'idle';
    await withRemote({ servers: server.url, stream }, async (far) => {
      const stop = new AbortController();
      const lease = far.lease('float32', tensor.shape);
      lease.data.set(tensor.data);
      const calls = [lease, tensor].map((each) =>
        far.quantize(each, 'torchao-int8', { signal: stop.signal, key: 'k' }),
      );
      const late = far.quantize(tensor, 'torchao-int8', { key: 'k', timeout: 400 });
      setTimeout(() => stop.abort(new Error('changed my mind')), 200);
      for (const call of calls) await expect(call).rejects.toThrow('changed my mind');
      await expect(late).rejects.toEqual(code('TIMEOUT'));
      expect(lease.released).toBe(true);
      const before = AbortSignal.abort(new Error('too early'));
      await expect(far.quantize(tensor, 'torchao-int8', { signal: before })).rejects.toThrow('too early');
      await far.drain();
      expect(far.metrics().cluster).toMatchObject({ abandoned: 3, received: 0 });
      expect(await leftIn(server.url, stream)).toMatchObject({ idle: [0, 0], 'idle-parts': [0, 0] });
    });
  });

  it('leaves nothing behind of what is aborted while a host has it, or when it closes with work in flight', async () => {
    const stream = 'aborting';
    const { end } = await host({ servers: server.url, stream });
    await withRemote({ servers: server.url, stream }, async (far) => {
      const calls = Array.from({ length: 60 }, async (_, at) => {
        const signal = AbortSignal.timeout(1 + at);
        const tensor = at % 3 === 0 ? LARGE : SMALL;
        return far.quantize(tensor, 'torchao-int8', { signal }).then(
          (result) => result.release(),
          (error) => expect(error.name).toBe('TimeoutError'),
        );
      });
      await Promise.all(calls);
      expect(far.metrics().cluster.abandoned).toBeGreaterThan(0);
    });
    const far = await remote({ servers: server.url, stream });
    const calls = Array.from({ length: 20 }, (_, at) => far.quantize(at % 2 ? LARGE : SMALL, 'torchao-int8'));
    await far.close();
    for (const call of calls) (await call).release();
    await expectIdle(far);
    const cut = await remote({ servers: server.url, stream });
    const lost = Promise.allSettled(Array.from({ length: 20 }, () => cut.quantize(LARGE, 'torchao-int8')));
    await delay(50);
    await cut.destroy();
    for (const settled of await lost) {
      if (settled.status === 'fulfilled') settled.value.release();
      else expect(settled.reason).toEqual(code('CLOSED'));
    }
    await expectIdle(cut);
    await expect(cut.quantize(SMALL, 'torchao-int8')).rejects.toEqual(code('CLOSED'));
    await end();
    await expectEmpty(server.url, stream);
  });

  it('streams in order, with as many batches in flight as there are credits', async () => {
    const stream = 'streaming';
    const hosts = [await host({ servers: server.url, stream }), await host({ servers: server.url, stream })];
    await withRemote({ servers: server.url, stream, maxInFlight: 5, memory: '1MiB' }, async (far) => {
      let pulled = 0;
      let most = 0;
      async function* source() {
        for (; pulled < 300; pulled++) {
          most = Math.max(most, far.metrics().cluster.inFlight);
          const batch = await far.acquire('float32', [1, 512]);
          batch.data.fill(pulled + 1);
          yield batch;
        }
      }
      let taken = 0;
      for await (const result of far.stream(source(), 'vllm-int8-per-token', { concurrency: 16, key: 'one' })) {
        taken++;
        expect(result.scale![0]).toBe(Math.fround(taken / 127));
        result.release();
        // A slow consumer: what it has not taken is bounded.
        if (taken % 100 === 0) await delay(50);
        expect(pulled - taken).toBeLessThanOrEqual(17);
      }
      expect(taken).toBe(300);
      expect(most).toBeLessThanOrEqual(5);
    });
    for (const { end } of hosts) await end();
    await expectEmpty(server.url, stream);
  });

  it('says while a batch is long that it works on it, and takes the settings of hosts that come later', async () => {
    const stream = 'slow';
    const { end } = await host({ servers: server.url, stream, ackWait: 30_000 });
    await end();
    const own = await createRuntime({ lanes: 0, memory: '16MiB' });
    let times = 0;
    const slow = new Proxy(own, {
      get(target, name) {
        if (name !== 'quantize') {
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return async (...args: Parameters<typeof own.quantize>) => {
          times++;
          await delay(1_500);
          return target.quantize(...args);
        };
      },
    });
    const nodes = [];
    for (let at = 0; at < 2; at++)
      nodes.push(await ClusterNode.join(slow, { servers: server.url, stream, ackWait: 400 }));
    await withRemote({ servers: server.url, stream }, async (far) => {
      (await far.quantize(SMALL, 'torchao-int8')).release();
      expect(far.metrics().cluster).toMatchObject({ received: 1, unwanted: 0 });
    });
    for (const node of nodes) await node.leave();
    expect(times).toBe(1);
    expect(nodes.reduce((sum, node) => sum + node.metrics().redelivered, 0)).toBe(0);
    await expectIdle(own);
    await own.close();
    await expectEmpty(server.url, stream);
  });

  it('refuses what is too large, here and on the host', async () => {
    const stream = 'large';
    const { end } = await host({ servers: server.url, stream, maxTensor: '1MiB' });
    await withRemote({ servers: server.url, stream }, async (far) => {
      await expect(far.quantize(LARGE, 'torchao-int8')).rejects.toEqual(code('TOO_LARGE'));
      (await far.quantize(SMALL, 'torchao-int8')).release();
    });
    await withRemote({ servers: server.url, stream, maxTensor: '1MiB' }, async (far) => {
      await expect(far.quantize(LARGE, 'torchao-int8')).rejects.toEqual(code('TOO_LARGE'));
      expect(far.metrics().cluster.sent).toBe(0);
    });
    await end();
    await expectEmpty(server.url, stream);
  });

  it('answers a message that is no batch with an error, and drops one that nobody sent', async () => {
    const stream = 'hostile';
    const { node, end } = await host({ servers: server.url, stream });
    const connection = await Connection.open(settleCluster({ servers: server.url, stream }));
    const { js, jsm, names } = connection;
    const client = '0123456789abcdef';
    await jsm.consumers.add(names.results, {
      durable_name: client,
      filter_subject: names.resultsOf(client),
      ack_policy: AckPolicy.Explicit,
    });
    const bytes = (text: string) => new TextEncoder().encode(text);
    await connection.publish(names.workOf(client), `${client}.0`, bytes('no batch at all, but long enough'));
    await connection.publish(names.workOf(client), `${client}.1`, new Uint8Array(0));
    const parts = { 'Quantlane-Parts': '3', 'Quantlane-Bytes': '1000' };
    await connection.publish(names.workOf(client), `${client}.2`, new Uint8Array(0), parts);
    const huge = { 'Quantlane-Parts': '3', 'Quantlane-Bytes': '1000000000000' };
    await connection.publish(names.workOf(client), `${client}.3`, new Uint8Array(0), huge);
    await js.publish(names.workOf('nobody'), bytes('x'), { headers: headers() });
    const results = await (await js.consumers.get(names.results, client)).fetch({ max_messages: 4, expires: 5_000 });
    const found: string[] = [];
    for await (const message of results) {
      const [, name] = /"code":"ERR_QUANTLANE_(\w+)"/.exec(Buffer.from(message.data).toString('latin1'))!;
      found.push(`${message.headers!.get('Nats-Msg-Id')} ${name}`);
      await message.ackAck();
    }
    expect(found.sort()).toEqual([
      `${client}.0 FORMAT`,
      `${client}.1 FORMAT`,
      `${client}.2 FORMAT`,
      `${client}.3 TOO_LARGE`,
    ]);
    expect(node.metrics()).toMatchObject({ taken: 5, failed: 4 });
    await jsm.consumers.delete(names.results, client);
    await connection.close();
    await end();
    await expectEmpty(server.url, stream);
  });

  it('gives up where the server stays away', async () => {
    await using own = await NatsServer.start();
    const far = await remote({ servers: own.url, reconnectFor: 300 });
    const { node } = await host({ servers: own.url, reconnectFor: 300 });
    const call = far.quantize(SMALL, 'torchao-int8', { timeout: 20_000 });
    (await call).release();
    await own.stop('SIGKILL');
    await expect(far.quantize(SMALL, 'torchao-int8')).rejects.toEqual(code('CONNECTION_LOST'));
    await expect(node.left).rejects.toEqual(code('CONNECTION_LOST'));
    await expect(far.quantize(SMALL, 'torchao-int8')).rejects.toEqual(code('CONNECTION_LOST'));
    await expectIdle(far);
    await far.close();
  });

  it('passes credentials on, and tells nobody', async () => {
    const secret = 'a-secret-that-nobody-may-see';
    await using own = await NatsServer.start(['--auth', secret]);
    const wrong = await remote({ servers: own.url, token: `${secret}-not` }).catch((error: unknown) => error);
    expect(wrong).toEqual(code('UNREACHABLE'));
    expect(`${wrong} ${JSON.stringify(wrong)} ${(wrong as Error).stack}`).not.toContain(secret);
    await expect(remote({ servers: own.url })).rejects.toEqual(code('UNREACHABLE'));
    const folder = await mkdtemp(join(tmpdir(), 'quantlane-token-'));
    await writeFile(join(folder, 'token'), `${secret}\n`);
    const child = await hostProcess(own.url, ['--token-file', join(folder, 'token')]);
    const said: string[] = [];
    child.stderr!.on('data', (part) => said.push(String(part)));
    const far = await remote({ servers: own.url, token: secret });
    (await far.quantize(SMALL, 'torchao-int8')).release();
    expect(JSON.stringify(far.metrics())).not.toContain(secret);
    await far.close();
    const { code: exit, out } = await ended(child);
    expect(exit).toBe(0);
    expect(out + said.join('')).not.toContain(secret);
    await rm(folder, { recursive: true });
  });
});

/** What hosts and senders need, as docs/cluster.md says. */
const PERMISSIONS = `
authorization {
  users = [
    { user: host, password: secret-of-host, permissions: {
      publish: ["$JS.API.>", "$JS.ACK.>", "narrow.results.>", "narrow.parts.>"], subscribe: "_INBOX.>" } }
    { user: sender, password: secret-of-sender, permissions: {
      publish: ["$JS.API.>", "$JS.ACK.>", "narrow.work.>", "narrow.parts.>"], subscribe: "_INBOX.>" } }
  ]
}
`;

describe.skipIf(!HAS_NATS)(`permissions${NEEDS_NATS}`, () => {
  it('are enough as they are documented', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quantlane-users-'));
    await writeFile(join(folder, 'nats.conf'), PERMISSIONS);
    await writeFile(join(folder, 'password'), 'secret-of-host\n');
    await using own = await NatsServer.start(['-c', join(folder, 'nats.conf')]);
    const words = ['--stream', 'narrow', '--user', 'host', '--password-file', join(folder, 'password')];
    const child = await hostProcess(own.url, words);
    const sender = { servers: own.url, stream: 'narrow', user: 'sender', password: 'secret-of-sender' };
    await withRemote(sender, async (far) => {
      for (const tensor of [SMALL, LARGE]) (await far.quantize(tensor, 'torchao-int8')).release();
      await expect(far.quantize(LARGE, 'torchao-int8', { signal: AbortSignal.timeout(5) })).rejects.toThrow(/timeout/);
    });
    expect((await ended(child)).code).toBe(0);
    await rm(folder, { recursive: true });
  });
});

describe('without a server', () => {
  it('says that none can be reached', async () => {
    await expect(remote({ servers: 'nats://127.0.0.1:1', connectTimeout: 500 })).rejects.toEqual(code('UNREACHABLE'));
    expect(await problem(['node', '--servers', 'nats://127.0.0.1:1', '--lanes', '0'], 1)).toMatch(
      /^quantlane node: ERR_QUANTLANE_UNREACHABLE: Expected a NATS server with JetStream at nats:\/\/127.0.0.1:1/,
    );
  });

  it.each<[string, RemoteOptions]>([
    ['a name that no stream can have', { stream: 'a.b' }],
    ['no server', { servers: [] }],
    ['credentials in an address', { servers: 'nats://me:secret@127.0.0.1:4222' }],
    ['a user without a password', { user: 'me' }],
    ['no credits', { maxInFlight: 0 }],
    ['no time', { timeout: 0 }],
    ['a storage that is none', { storage: 'tape' as 'file' }],
  ])('refuses %s', async (_, options) => {
    const error = await remote(options).catch((error: Error) => error);
    expect(error).toEqual(code('ARGUMENT'));
    expect(String(error)).not.toContain('secret');
  });

  it('refuses wrong words of the command line, with exit code 2', async () => {
    expect(await problem(['node', '--stream', 'a.b'], 2)).toMatch(/Expected a stream of letters/);
    expect(await problem(['node', '--credits', '0'], 2)).toMatch(/credits: a whole number from 1/);
    expect(await problem(['node', '--creds', 'no-such-file'], 2)).toMatch(/Expected a file for --creds/);
  });

  it('costs nothing: NATS is not loaded', async () => {
    const program = `
      import { createRequire } from 'node:module';
      const { createRuntime, runtime } = await import('quantlane');
      const local = await createRuntime({ lanes: 0 });
      await local.close();
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('@nats-io')).length;
      const before = loaded();
      await runtime.remote({ servers: 'nats://127.0.0.1:1' }).catch(() => undefined);
      console.log(before, loaded() > 0);`;
    const args = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: new URL('../..', import.meta.url) });
    expect(stdout.trim()).toBe('0 true');
  });

  it('is a runtime by the same type', async () => {
    expect(runtime.remote).toBe(remote);
    expect(runtime.create).toBe(createRuntime);
    // What the types say, compiled: each way gives what this takes.
    const ways: readonly (() => Promise<QuantizingRuntime>)[] = [
      () => runtime.create({ lanes: 0 }),
      () => runtime.remote({ servers: 'nats://127.0.0.1:1' }),
    ];
    await using local = await ways[0]!();
    using result = await local.quantize(SMALL, 'torchao-int8');
    expect(result.data).toHaveLength(4);
  });
});
