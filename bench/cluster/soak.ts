/**
 * The soak of a cluster: many keys at a time through three hosts, of which one is killed and one paused, and a server that
 * is killed and started again; every result is compared with that of the local runtime.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NodeCounts } from '../../src/cluster/index.js';
import {
  createRuntime,
  type PlainTensor,
  type QuantizedTensor,
  type RemoteRuntime,
  remote,
  type StreamingRuntime,
} from '../../src/index.js';
import { Random } from '../soak/random.js';
import { Host } from './host.js';
import { NatsServer } from './nats-server.js';

/** How much, and how wide. */
export interface ClusterSoakOptions {
  readonly batches: number;
  readonly keys: number;
  readonly columns: number;
  /** Milliseconds that a host is paused. */
  readonly pauseMs: number;
}

/** What a soak did and found. */
export interface ClusterSoakResult {
  readonly seconds: number;
  readonly results: number;
  readonly values: number;
  /** Longest time from the call to its result. */
  readonly longestMs: number;
  /** Batches that a host had which another one had before, as far as hosts lived to tell. */
  readonly redelivered: number;
  /** Batches by host; those of the one that was killed nobody counts. */
  readonly done: readonly number[];
  /** Results that came although they were there or nobody waited for them, and were dropped. */
  readonly unwanted: number;
  /** Batches that were sent anew, for the server may have lost them. */
  readonly repeated: number;
  readonly resent: number;
  readonly reconnects: number;
  readonly peakRss: number;
  readonly violations: readonly string[];
}

/** One preset for each key: ranges of rows and tensors, integers, floats and blocks. */
const PRESETS = ['torchao-int8', 'onnx-dynamic', 'ggml-q4_0', 'vllm-fp8-per-token', 'torch-per-token-affine'] as const;

/** What a caller may do to a result before it is looked at, so that a test can see that it is found. */
export type Tamper = (result: QuantizedTensor, key: number, sequence: number) => 'skip' | 'twice' | undefined;

/** Sends the batches and checks what comes; `report` is told how it goes. */
export async function clusterSoak(
  options: ClusterSoakOptions,
  report: (text: string) => void,
  tamper: Tamper = () => undefined,
): Promise<ClusterSoakResult> {
  const violations: string[] = [];
  await using server = await NatsServer.start();
  const words = ['--ack-wait', '2000', '--max-deliver', '20'];
  const hosts = await Promise.all(['one', 'two', 'three'].map((name) => Host.start(name, server.url, words)));
  await using near = await createRuntime({ lanes: 0, memory: '16MiB' });
  const far = await remote({ servers: server.url, memory: '64MiB', maxInFlight: 128, timeout: 120_000 });
  const faults = new Faults(options, server, hosts);
  const check = new Check(options, near, violations, tamper);
  const began = performance.now();
  let peakRss = 0;
  const ticker = setInterval(() => {
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
    report(`${check.results} of ${options.batches} results, ${violations.length} violations; ${faults.last}`);
  }, 500);
  try {
    const onResult = () => faults.at(check.results);
    const all = Array.from({ length: options.keys }, (_, key) => keyed(far, key, options, check, onResult));
    for (const settled of await Promise.allSettled(all)) {
      if (settled.status === 'rejected') violations.push(String(settled.reason));
    }
    const seconds = (performance.now() - began) / 1000;
    await faults.over();
    check.end();
    const { cluster, arena } = far.metrics();
    if (arena.leases + arena.leaked > 0) violations.push(`${arena.leases} leases and ${arena.leaked} leaks at the end`);
    await far.close();
    const [, ...living] = hosts;
    const counts: NodeCounts[] = await Promise.all(living.map((host) => host.leave()));
    violations.push(...(await leftovers(server.url)));
    return {
      seconds,
      results: check.results,
      values: check.results * options.columns,
      longestMs: check.longestMs,
      redelivered: counts.reduce((sum, { redelivered }) => sum + redelivered, 0),
      done: counts.map(({ done }) => done),
      unwanted: cluster.unwanted,
      repeated: cluster.repeated,
      resent: cluster.resent,
      reconnects: cluster.reconnects,
      peakRss,
      violations,
    };
  } finally {
    clearInterval(ticker);
    for (const host of hosts) host.end();
    await far.destroy();
  }
}

/** Batches of one key, as a stream. */
async function keyed(
  far: RemoteRuntime,
  key: number,
  options: ClusterSoakOptions,
  check: Check,
  onResult: () => void,
): Promise<void> {
  const count = batchesOf(options, key);
  async function* source() {
    for (let sequence = 0; sequence < count; sequence++) {
      check.begin(key, sequence);
      yield tensorOf(options, key, sequence);
    }
  }
  const scheme = PRESETS[key % PRESETS.length]!;
  for await (const result of far.stream(source(), scheme, { key: `key ${key}`, concurrency: 4 })) {
    using own = result;
    check.take(own, key, scheme);
    onResult();
  }
}

/** Compares what comes with what the local runtime makes of the same values. */
class Check {
  results = 0;
  longestMs = 0;
  readonly #options: ClusterSoakOptions;
  readonly #near: StreamingRuntime;
  readonly #violations: string[];
  readonly #tamper: Tamper;
  readonly #next: number[];
  /** When each batch was sent whose result did not come yet. */
  readonly #begun = new Map<string, number>();

  constructor(options: ClusterSoakOptions, near: StreamingRuntime, violations: string[], tamper: Tamper) {
    this.#options = options;
    this.#near = near;
    this.#violations = violations;
    this.#tamper = tamper;
    this.#next = new Array<number>(options.keys).fill(0);
  }

  begin(key: number, sequence: number): void {
    this.#begun.set(`${key}.${sequence}`, performance.now());
  }

  /** Takes the next result of a key: its bytes say whether it is that of the batch whose turn it is. */
  take(result: QuantizedTensor, key: number, scheme: string): void {
    const tampered = this.#tamper(result, key, this.#next[key]!);
    if (tampered === 'skip') return;
    for (let time = tampered === 'twice' ? 2 : 1; time > 0; time--) {
      const sequence = this.#next[key]!++;
      const id = `${key}.${sequence}`;
      const begun = this.#begun.get(id);
      this.results++;
      if (begun === undefined) this.#violations.push(`${id} came although it was not sent, or came before`);
      else this.longestMs = Math.max(this.longestMs, performance.now() - begun);
      this.#begun.delete(id);
      using expected = this.#near.quantizeSync(tensorOf(this.#options, key, sequence), scheme);
      if (!isSame(result, expected)) this.#violations.push(`${id} has other bytes than the local result`);
    }
  }

  end(): void {
    for (const id of this.#begun.keys()) this.#violations.push(`${id} has no result`);
    for (const [key, next] of this.#next.entries()) {
      const wanted = batchesOf(this.#options, key);
      if (next !== wanted) this.#violations.push(`${next} results of key ${key}, of ${wanted} batches`);
    }
  }
}

/** What happens when so many results are there. */
class Faults {
  last = 'three hosts';
  readonly #due: { readonly at: number; readonly text: string; readonly act: () => unknown }[];
  readonly #acting: unknown[] = [];

  constructor({ batches, pauseMs }: ClusterSoakOptions, server: NatsServer, [killed, paused]: readonly Host[]) {
    const pause = async (): Promise<void> => {
      paused!.signal('SIGSTOP');
      await delay(pauseMs);
      paused!.signal('SIGCONT');
    };
    const restart = async (): Promise<void> => {
      await server.stop('SIGKILL');
      await server.start();
    };
    this.#due = [
      { at: batches * 0.2, text: 'one host killed', act: () => killed!.signal('SIGKILL') },
      { at: batches * 0.4, text: `a second one paused for ${pauseMs} ms`, act: pause },
      { at: batches * 0.75, text: 'the server killed and started again', act: restart },
    ];
  }

  at(results: number): void {
    while (this.#due.length > 0 && results >= this.#due[0]!.at) {
      const { text, act } = this.#due.shift()!;
      this.last = text;
      this.#acting.push(act());
    }
  }

  /** Settles when all of it has happened. */
  async over(): Promise<void> {
    await Promise.all(this.#acting);
    if (this.#due.length > 0) throw new Error(`Expected every fault to happen, got ${this.#due.length} left`);
  }
}

function batchesOf({ batches, keys }: ClusterSoakOptions, key: number): number {
  return Math.floor(batches / keys) + (key < batches % keys ? 1 : 0);
}

/** The values of a batch: the same every time that it is asked for, and those of no other. */
function tensorOf({ columns }: ClusterSoakOptions, key: number, sequence: number): PlainTensor {
  const random = new Random(key * 1_000_003 + sequence * 7 + 1);
  const data = Float32Array.from({ length: columns }, () => (random.bits() / 2 ** 31 - 1) * (1 + (sequence % 9)));
  return { dtype: 'float32', shape: [1, columns], data };
}

function isSame(a: QuantizedTensor, b: QuantizedTensor): boolean {
  const parts = ({ data, scale, zeroPoint }: QuantizedTensor) => [data, scale, zeroPoint];
  return parts(a).every((view, index) => {
    const other = parts(b)[index]!;
    if (view === null || other === null || view === undefined) return view === other;
    return Buffer.compare(bytesOf(view), bytesOf(other)) === 0;
  });
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

/** What is left in the streams, as violations. */
async function leftovers(url: string): Promise<string[]> {
  const nc = await connect({ servers: url });
  const jsm = await jetstreamManager(nc);
  const found: string[] = [];
  for await (const { config, state } of jsm.streams.list()) {
    if (state.messages > 0) found.push(`${state.messages} messages left in ${config.name}`);
  }
  await nc.close();
  return found;
}
