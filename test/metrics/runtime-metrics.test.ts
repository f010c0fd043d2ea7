import { Counter, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { Runtime } from '#src/index.js';
import { metricsOf, processMetrics } from '#src/metrics/index.js';
import { Fault, faultyBatch, lanes } from '../runtime/faults.js';
import { FORCED, leaseOf, take, until, valuesOf } from '../runtime/helpers.js';
import { expectConventions, exposition, seriesOf } from '../support/exposition.js';
import { withRuntime } from '../support/runtime.js';

async function scrape(registry: Registry) {
  const text = await registry.metrics();
  const families = exposition(text);
  expectConventions(text);
  return (name: string, labels?: Record<string, string>) => seriesOf(families, name, labels);
}

/** Every number of a runtime, whatever it is called. */
function numbersOf(metrics: object): number[] {
  return Object.values(metrics).flatMap((value) => (typeof value === 'object' ? numbersOf(value) : [value]));
}

it('counts what a runtime has done in place', async () => {
  await withRuntime({ lanes: 0, memory: '1MiB' }, async (runtime) => {
    const registry = new Registry();
    metricsOf(runtime, registry);
    expect((await scrape(registry))('quantlane_batches_total')).toBe(0);
    const values = valuesOf(256, 1);
    for (let batch = 0; batch < 3; batch++)
      runtime.quantizeSync(leaseOf(runtime, [4, 64], values), 'onnx-dynamic').release();
    (await runtime.quantize({ dtype: 'float32', shape: [4, 64], data: values }, 'torchao-int8')).release();
    await expect(
      runtime.quantize({ dtype: 'float32', shape: [1], data: Float32Array.of(Number.NaN) }, 'torchao-int8'),
    ).rejects.toThrow();
    const held = runtime.lease('float32', [1000]);
    const of = await scrape(registry);
    expect(of('quantlane_batches_total')).toBe(5);
    expect(of('quantlane_batches_failed_total')).toBe(1);
    expect(of('quantlane_batches_pending')).toBe(0);
    expect(of('quantlane_elements_total')).toBe(4 * 256);
    expect(of('quantlane_copied_bytes_total')).toBe(1024 + 4);
    expect(of('quantlane_jobs_total', { place: 'in_place' })).toBe(5);
    expect(of('quantlane_jobs_total', { place: 'lanes' })).toBe(0);
    expect(of('quantlane_arena_size_bytes')).toBe(2 ** 20);
    expect(of('quantlane_arena_used_bytes')).toBe(runtime.metrics().arena.inUse);
    expect(of('quantlane_arena_used_bytes')).toBeGreaterThanOrEqual(4000);
    expect(of('quantlane_arena_leases')).toBe(1);
    held.release();
    expect((await scrape(registry))('quantlane_arena_used_bytes')).toBe(0);
  });
});

it('has every number of the runtime as a series', async () => {
  const runtime = { metrics: () => numbered } as unknown as Runtime;
  const arena = { capacity: 1, inUse: 2, peak: 3, leases: 4, leaked: 5, leakedBytes: 6, waiting: 7 };
  const lanes = { configured: 8, alive: 9, restarts: 10, stalls: 11, gone: 12 };
  const jobs = { inPlace: 13, sliced: 14, lanes: 15, running: 16, parts: 17, replayed: 18, poisoned: 19, late: 20 };
  const numbered = { arena, lanes, jobs, calls: 21, failed: 22, pending: 23, elements: 24, copiedBytes: 25 };
  const registry = new Registry();
  metricsOf(runtime, registry);
  const families = exposition(await registry.metrics());
  const values = [...families.values()].flatMap(({ metrics }) => metrics.map(({ value }) => Number(value)));
  expect(values.sort((a, b) => a - b)).toEqual(numbersOf(numbered).sort((a, b) => a - b));
  // A real runtime has no number that this test does not know.
  await withRuntime({}, (real) => expect(numbersOf(real.metrics())).toHaveLength(values.length));
});

it('counts lanes, their jobs and their ends', async () => {
  await withRuntime({ lanes: 2, workerUrl: lanes('faulty', 'cjs'), ...FORCED }, async (runtime) => {
    const registry = new Registry();
    metricsOf(runtime, registry, { prefix: 'host_lane_' });
    const gate = faultyBatch(runtime, Fault.Gate, [4, 64], 1);
    const call = runtime.quantize(gate.lease, 'torchao-int8');
    await gate.held();
    const of = await scrape(registry);
    expect(of('host_lane_jobs_on_lanes')).toBe(1);
    expect(of('host_lane_batches_pending')).toBe(1);
    expect(of('host_lane_lanes_alive')).toBe(2);
    gate.open();
    take(await call);
    take(await runtime.quantize(faultyBatch(runtime, Fault.ExitOnce, [4, 64], 2).lease, 'torchao-int8'));
    await until(() => runtime.metrics().lanes.alive === 2, 'the lane is started again');
    const after = await scrape(registry);
    expect(after('host_lane_jobs_total', { place: 'lanes' })).toBe(2);
    expect(after('host_lane_job_parts_total')).toBe(2);
    expect(after('host_lane_job_parts_replayed_total')).toBe(1);
    expect(after('host_lane_lane_restarts_total')).toBe(1);
    expect(after('host_lane_jobs_on_lanes')).toBe(0);
  });
});

it('stands beside the metrics of the host, and of another runtime', async () => {
  await withRuntime({}, async (runtime) => {
    const registry = new Registry();
    new Counter({ name: 'host_things_total', help: 'Things of the host', registers: [registry] }).inc(3);
    metricsOf(runtime, registry);
    metricsOf(runtime, registry, { prefix: 'second_' });
    expect(() => metricsOf(runtime, registry)).toThrow('already been registered');
    const of = await scrape(registry);
    expect([of('host_things_total'), of('quantlane_batches_total'), of('second_batches_total')]).toEqual([3, 0, 0]);
  });
});

it('shares what it says of the process among registries', async () => {
  const registries = [new Registry(), new Registry()];
  for (const registry of registries) processMetrics(registry);
  for (const registry of registries) {
    const of = await scrape(registry);
    expect(of('process_resident_memory_bytes')).toBeGreaterThan(2 ** 20);
    expect(of('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
    expect(of('process_cpu_seconds_total')).toBeGreaterThan(0);
  }
});
