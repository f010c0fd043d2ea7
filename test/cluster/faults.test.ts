/** Hosts that die, pause, join and leave, and a server that is started again: each result comes once, and in order. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRuntime, type PlainTensor, type RemoteRuntime, type StreamingRuntime } from '#src/index.js';
import { contentOf, ended, expectEmpty, host, hostProcess, leftIn, withRemote } from './helpers.js';
import { HAS_NATS, NatsServer, NEEDS_NATS } from './server.js';

/** What hosts of these tests are told: a batch goes to another host after half a second. */
const QUICK = ['--ack-wait', '500', '--max-deliver', '20'];

describe.skipIf(!HAS_NATS)(`under faults${NEEDS_NATS}`, () => {
  let server: NatsServer;
  let near: StreamingRuntime;

  beforeAll(async () => {
    server = await NatsServer.start();
    near = await createRuntime({ lanes: 0 });
  });

  afterAll(async () => {
    await using _ending = server;
    await near.close();
  });

  /** Sends so many batches of each key, and asserts that each result is that of its batch, in order for each key. */
  async function work(
    far: RemoteRuntime,
    keys: number,
    batches: number,
    faults: (at: number) => unknown,
  ): Promise<void> {
    const orders = new Map<string, number[]>();
    let at = 0;
    const one = async (key: string, sequence: number): Promise<void> => {
      const data = Float32Array.from({ length: 64 }, (_, index) => Math.sin(sequence + index) * (1 + index));
      const tensor = { dtype: 'float32', shape: [2, 32], data } as const;
      using result = await far.quantize(tensor, 'torchao-int8', { key });
      orders.set(key, [...(orders.get(key) ?? []), sequence]);
      using expected = near.quantizeSync(tensor, 'torchao-int8');
      if (sequence % 16 === 0) expect(contentOf(result)).toEqual(contentOf(expected));
      else expect(Buffer.compare(bytesOf(result.data), bytesOf(expected.data))).toBe(0);
      await faults(at++);
    };
    const all: Promise<void>[] = [];
    for (let sequence = 0; sequence < batches; sequence++) {
      for (let key = 0; key < keys; key++) all.push(one(`key ${key}`, sequence));
      if (sequence % 8 === 7) await delay(5);
    }
    await Promise.all(all);
    expect(at).toBe(keys * batches);
    const inOrder = Array.from({ length: batches }, (_, sequence) => sequence);
    for (const order of orders.values()) expect(order).toEqual(inOrder);
    expect(orders.size).toBe(keys);
  }

  it('a host that is killed, one that is paused, and a server that is started again', { timeout: 60_000 }, async () => {
    const names = ['one', 'two', 'three'];
    const hosts = await Promise.all(names.map((name) => hostProcess(server.url, [...QUICK, '--name', name])));
    const [killed, paused, steady] = hosts as [ChildProcess, ChildProcess, ChildProcess];
    await withRemote({ servers: server.url, maxInFlight: 48 }, async (far) => {
      let restart: Promise<void> | undefined;
      await work(far, 20, 120, (at) => {
        if (at === 300) killed.kill('SIGKILL');
        if (at === 600) paused.kill('SIGSTOP');
        if (at === 900) restart = server.stop('SIGKILL').then(() => server.start());
        if (at === 1_800) paused.kill('SIGCONT');
      });
      await restart;
      expect(far.metrics().cluster).toMatchObject({ received: 2_400, abandoned: 0, reconnects: 1 });
      // What the paused host had in hand comes late, and does no harm.
      await delay(1_200);
    });
    for (const child of [paused, steady]) expect((await ended(child)).code).toBe(0);
    await expectEmpty(server.url);
  });

  it('a server that loses batches which it said it has', { timeout: 60_000 }, async () => {
    const stream = 'forgetful';
    await using own = await NatsServer.start();
    const nc = await connect({ servers: own.url });
    const jsm = await jetstreamManager(nc);
    await withRemote({ servers: own.url, stream, timeout: 40_000 }, async (far) => {
      const large = { ...tensorOf(0), shape: [600, 1_000], data: new Float32Array(600_000).fill(0.5) };
      const calls = [tensorOf(1), large, tensorOf(2)].map((tensor) =>
        far.quantize(tensor, 'torchao-int8', { key: 'k' }),
      );
      const settled = Promise.all(calls.map(async (call) => (await call).release()));
      while ((await leftIn(own.url, stream))[stream]![0] < 3) await delay(20);
      for (const name of [stream, `${stream}-parts`]) await jsm.streams.purge(name);
      await own.stop();
      await own.start();
      const { end } = await host({ servers: own.url, stream });
      await settled;
      expect(far.metrics().cluster).toMatchObject({ received: 3, repeated: 3, reconnects: 1 });
      await far.drain();
      await end();
    });
    await nc.close();
    await expectEmpty(own.url, stream);
  });

  it('hosts that join and leave under load', { timeout: 60_000 }, async () => {
    let current = await host({ servers: server.url, stream: 'moving', ackWait: 30_000 });
    let moving: Promise<void> = Promise.resolve();
    await withRemote({ servers: server.url, stream: 'moving' }, async (far) => {
      await work(far, 5, 200, (at) => {
        if (at % 200 !== 199) return;
        moving = moving.then(async () => {
          const before = current;
          current = await host({ servers: server.url, stream: 'moving' });
          await before.end();
        });
      });
      await moving;
    });
    await current.end();
    await expectEmpty(server.url, 'moving');
  });

  it('SIGTERM: a host finishes what it has in hand, and says what it did', async () => {
    const child = await hostProcess(server.url, ['--stream', 'leaving', '--ack-wait', '30000']);
    await withRemote({ servers: server.url, stream: 'leaving' }, async (far) => {
      await work(far, 1, 50, () => undefined);
      const { code, out } = await ended(child);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ command: 'node', taken: 50, done: 50, redelivered: 0, failed: 0 });
    });
    await expectEmpty(server.url, 'leaving');
  });

  it('a batch that ends every host comes back as poison, and those beside it are not lost', {
    timeout: 40_000,
  }, async () => {
    const stream = 'poison';
    const deaths: (number | null)[] = [];
    let current: ChildProcess | undefined;
    const live = (): void => {
      current = spawn(process.execPath, [MORTAL, server.url, stream, '3'], { stdio: 'ignore' });
      current.once('exit', (code) => {
        deaths.push(code);
        if (code === 9) live();
      });
    };
    await withRemote({ servers: server.url, stream }, async (far) => {
      live();
      const batch = (first: number) => far.quantize(tensorOf(first), 'torchao-int8').then((result) => result.release());
      const sound = Array.from({ length: 10 }, (_, first) => batch(first));
      const poison = expect(batch(9001)).rejects.toMatchObject({
        name: 'LaneError',
        code: 'ERR_QUANTLANE_POISON_BATCH',
        details: { deliveries: 4 },
      });
      await Promise.all([poison, ...sound]);
      await batch(1);
    });
    current!.kill('SIGKILL');
    await until(() => deaths.at(-1) === null);
    expect(deaths).toEqual([9, 9, 9, null]);
    await expectEmpty(server.url, stream);
  });
});

/** The host that some batches end. */
const MORTAL = fileURLToPath(new URL('mortal-host.mjs', import.meta.url));

function tensorOf(first: number): PlainTensor {
  return { dtype: 'float32', shape: [1, 4], data: Float32Array.of(first, 2, 3, 4) };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(10);
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
