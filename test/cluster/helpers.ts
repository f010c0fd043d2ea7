/** Hosts and remote runtimes for tests, and what may be left of them: nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect } from 'vitest';
import { ClusterNode, type NodeOptions } from '#src/cluster/index.js';
import {
  createRuntime,
  type PlainTensor,
  type QuantizedTensor,
  type QuantizeOptions,
  type RemoteOptions,
  type RemoteRuntime,
  type RuntimeOptions,
  remote,
  type SchemeInput,
  type StreamingRuntime,
} from '#src/index.js';
import { MAIN } from '../cli/helpers.js';
import { expectIdle } from '../support/runtime.js';

/** A host of this process. */
export async function host(
  options: NodeOptions,
  runtimeOptions: RuntimeOptions = {},
): Promise<{ readonly node: ClusterNode; end(): Promise<void> }> {
  const runtime = await createRuntime({ lanes: 0, memory: '64MiB', ...runtimeOptions });
  const node = await ClusterNode.join(runtime, options);
  return {
    node,
    end: async () => {
      await node.leave();
      await expectIdle(runtime);
      await runtime.close();
    },
  };
}

/** A host that is a process: `quantlane node`, which has joined. */
export async function hostProcess(url: string, words: readonly string[] = []): Promise<ChildProcess> {
  const all = [MAIN, 'node', '--servers', url, '--lanes', '0', '--memory', '64MiB', '--json', ...words];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [line] = await once(createInterface(child.stderr!), 'line');
  expect(line).toMatch(/takes batches of/);
  return child;
}

/** Ends a process, and says what it printed and with what code it ended. */
export async function ended(
  child: ChildProcess,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<{ readonly code: number | null; readonly out: string }> {
  const parts: Buffer[] = [];
  child.stdout!.on('data', (part) => parts.push(part));
  const closed = once(child, 'close');
  child.kill(signal);
  const [code] = await closed;
  return { code, out: Buffer.concat(parts).toString() };
}

/** Runs `body` with a remote runtime, after which nothing is leased here and nothing lies in the streams. */
export async function withRemote<T>(options: RemoteOptions, body: (runtime: RemoteRuntime) => Promise<T>): Promise<T> {
  const runtime = await remote({ memory: '64MiB', timeout: 20_000, ...options });
  try {
    const result = await body(runtime);
    await expectIdle(runtime);
    expect(runtime.metrics().cluster).toMatchObject({ inFlight: 0, inFlightBytes: 0, keys: 0 });
    return result;
  } finally {
    await runtime.destroy();
  }
}

/** How many messages and consumers each stream of a cluster has. */
export async function leftIn(
  url: string,
  stream = 'quantlane',
): Promise<Record<string, readonly [messages: number, consumers: number]>> {
  const nc = await connect({ servers: url });
  const jsm = await jetstreamManager(nc);
  const found: Record<string, readonly [number, number]> = {};
  for (const name of [stream, `${stream}-results`, `${stream}-parts`]) {
    const { state } = await jsm.streams.info(name);
    found[name] = [state.messages, state.consumer_count];
  }
  await nc.close();
  return found;
}

/** Asserts that nothing lies in the streams; acknowledgements may be on their way for a moment. */
export async function expectEmpty(url: string, stream = 'quantlane'): Promise<void> {
  const wanted = { [stream]: [0, 1], [`${stream}-results`]: [0, 0], [`${stream}-parts`]: [0, 0] };
  for (let attempt = 0; attempt < 40; attempt++) {
    if (JSON.stringify(await leftIn(url, stream)) === JSON.stringify(wanted)) return;
    await delay(50);
  }
  expect(await leftIn(url, stream)).toEqual(wanted);
}

/** Everything of a result, so that two can be compared. */
export function contentOf(result: QuantizedTensor): object {
  const { scheme, shape, dtype, dataShape, parameterShape, byteLength, stats } = result;
  const { data, scale, zeroPoint, outliers, outlierValues, tensorScale } = result;
  const arrays = { data, scale, zeroPoint, outliers, outlierValues, tensorScale };
  // Bits, so that NaN is like NaN and zero not like its negative.
  const bits = Object.entries(arrays).map(([name, view]) => [
    name,
    view === null
      ? null
      : `${view.constructor.name} ${Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex')}`,
  ]);
  return { scheme, shape, dtype, dataShape, parameterShape, byteLength, stats, ...Object.fromEntries(bits) };
}

/** Asserts that two runtimes give the same, be it a result or an error. */
export async function expectSameFrom(
  runtimes: readonly [StreamingRuntime, StreamingRuntime],
  tensor: PlainTensor,
  scheme: SchemeInput,
  options: QuantizeOptions = {},
): Promise<void> {
  const [expected, actual] = await Promise.all(
    runtimes.map((runtime) =>
      runtime.quantize(tensor, scheme, options).then(
        (result) => {
          using own = result;
          return contentOf(own);
        },
        ({ name, code, message, details }) => ({ name, code, message, details }),
      ),
    ),
  );
  expect(actual).toEqual(expected);
}
