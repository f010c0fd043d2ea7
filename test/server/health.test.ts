import { expect, it } from 'vitest';
import type { RuntimeOptions, StreamingRuntime } from '#src/index.js';
import { QuantlaneServer } from '#src/server/index.js';
import { Fault, faultyBatch, lanes } from '../runtime/faults.js';
import { FORCED, take, until } from '../runtime/helpers.js';
import { withRuntime } from '../support/runtime.js';
import { binaryRequest, infer } from './client.js';

const MODEL = 'torchao-int8';
/** Milliseconds: looks are 100 ms apart. */
const DEADLINE = 400;
const FAULTY = { lanes: 2, workerUrl: lanes('faulty', 'cjs'), ...FORCED } as const;

type Readiness = readonly [status: number, error: string | undefined];

async function withHealth(
  options: RuntimeOptions,
  body: (ready: () => Promise<Readiness>, runtime: StreamingRuntime, url: string) => Promise<void>,
): Promise<void> {
  await withRuntime(options, async (runtime) => {
    await using server = await QuantlaneServer.listen(runtime, { port: 0, healthDeadline: DEADLINE });
    const ready = async (): Promise<Readiness> => {
      const [response, model] = await Promise.all([
        fetch(`${server.url}/v2/health/ready`),
        fetch(`${server.url}/v2/models/${MODEL}/ready`),
      ]);
      const { ready, error } = (await response.json()) as { ready: boolean; error?: string };
      expect(await model.json()).toEqual({ name: MODEL, ready, ...(error !== undefined && { error }) });
      expect([response.status, model.status]).toEqual(ready ? [200, 200] : [503, 503]);
      expect((await fetch(`${server.url}/v2/health/live`)).status).toBe(200);
      return [response.status, error];
    };
    expect(await ready()).toEqual([200, undefined]);
    await body(ready, runtime, server.url);
  });
}

const READY: Readiness = [200, undefined];
const wedged = `lanes do not answer within ${DEADLINE} ms: `;
const soon = { timeout: 10_000 };

it('is not ready while no lane answers, and is when they do again', async () => {
  await withHealth(FAULTY, async (ready, runtime, url) => {
    const gates = [1, 2].map((seed) => faultyBatch(runtime, Fault.Gate, [4, 64], seed));
    const calls = gates.map(({ lease }) => runtime.quantize(lease, MODEL));
    await expect.poll(ready, soon).toEqual([503, `${wedged}0,1`]);
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^quantlane_server_ready 0$/m);
    for (const { open } of gates) open();
    for (const call of calls) take(await call);
    await expect.poll(ready, soon).toEqual(READY);
  });
});

it('is ready as long as one lane answers, and tells of the other', async () => {
  await withHealth(FAULTY, async (ready, runtime, url) => {
    const gate = faultyBatch(runtime, Fault.Gate, [4, 64]);
    const call = runtime.quantize(gate.lease, MODEL);
    const wedgedLanes = async () =>
      /^quantlane_server_lanes_wedged (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())![1];
    await expect.poll(wedgedLanes, soon).toBe('1');
    expect(await ready()).toEqual(READY);
    const request = binaryRequest('FP32', [4, 64], new Float32Array(256).fill(1));
    expect((await infer(url, MODEL, request)).status).toBe(200);
    gate.open();
    take(await call);
    await expect.poll(wedgedLanes, soon).toBe('0');
  });
});

it('is ready again once a lane that loops for ever has been ended', async () => {
  await withHealth({ ...FAULTY, lanes: 1, stallDeadline: 2_000 }, async (ready, runtime) => {
    const { lease } = faultyBatch(runtime, Fault.Loop, [4, 64]);
    const call = runtime.quantize(lease, MODEL);
    await expect.poll(ready, soon).toEqual([503, `${wedged}0`]);
    take(await call);
    expect(runtime.metrics().lanes.stalls).toBe(1);
    await expect.poll(ready, soon).toEqual(READY);
  });
});

it('is not ready when every lane is gone for good', async () => {
  await withHealth({ ...FAULTY, workerUrl: lanes('mayfly', 'cjs') }, async (ready, runtime) => {
    take(await runtime.quantize(faultyBatch(runtime, Fault.ExitOnce, [4, 64], 1).lease, MODEL));
    await until(() => runtime.metrics().lanes.gone === 1, 'one lane is gone');
    expect(await ready()).toEqual(READY);
    take(await runtime.quantize(faultyBatch(runtime, Fault.ExitOnce, [4, 64], 2).lease, MODEL));
    await until(() => runtime.metrics().lanes.gone === 2, 'both lanes are gone');
    expect(await ready()).toEqual([503, 'no lane is alive']);
  });
});

it('is not ready while lanes answer and take no work', async () => {
  await withHealth(FAULTY, async (ready, runtime) => {
    for (const lane of runtime.lanes) await lane.drain();
    // Nothing is asked of them.
    await new Promise((resolve) => setTimeout(resolve, 2 * DEADLINE));
    expect(await ready()).toEqual(READY);
    const call = runtime.quantize(faultyBatch(runtime, 0, [4, 64]).lease, MODEL);
    await expect.poll(ready, soon).toEqual([503, `no job on the lanes went on within ${DEADLINE} ms`]);
    for (const lane of runtime.lanes) await lane.resume();
    take(await call);
    await expect.poll(ready, soon).toEqual(READY);
  });
});

it('is not ready while requests wait for memory that nobody gives back', async () => {
  await withHealth({ lanes: 0, memory: '1MiB' }, async (ready, runtime) => {
    const held = runtime.lease('float32', [2 ** 18]);
    const waiting = runtime.acquire('float32', [16]);
    await expect.poll(ready, soon).toEqual([503, `no memory came back within ${DEADLINE} ms, for which requests wait`]);
    held.release();
    (await waiting).release();
    await expect.poll(ready, soon).toEqual(READY);
  });
});

it('is not ready when its runtime is closed', async () => {
  await withHealth({ lanes: 0 }, async (ready, runtime) => {
    await runtime.close();
    expect(await ready()).toEqual([503, 'the runtime is closed']);
  });
});

it('does not take its own thread, held up, for lanes that do not answer', async () => {
  await withHealth({ lanes: 1 }, async (ready) => {
    const end = performance.now() + 3 * DEADLINE;
    while (performance.now() < end);
    expect(await ready()).toEqual(READY);
  });
});

it('ends with its server', async () => {
  await withRuntime({ lanes: 1 }, async (runtime) => {
    const lane = runtime.lanes[0]!;
    const pings = { count: 0 };
    const ping = lane.ping.bind(lane);
    lane.ping = () => {
      pings.count++;
      return ping();
    };
    const server = await QuantlaneServer.listen(runtime, { port: 0, healthDeadline: 40 });
    await expect.poll(() => pings.count).toBeGreaterThan(2);
    await server.close();
    const { count } = pings;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(pings.count).toBe(count);
  });
});
