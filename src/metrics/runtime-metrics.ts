/**
 * What a runtime counts, as metrics of Prometheus. They are read from the runtime when the registry is, and cost nothing
 * before.
 * @module
 */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Runtime, RuntimeMetrics } from '../runtime/index.js';

/** How metrics are named. */
export interface MetricsOptions {
  /** What their names begin with; default `quantlane_`. Two runtimes of one registry need two. */
  readonly prefix?: string;
}

/** A metric: its name behind the prefix, its text, and its value. */
interface Row {
  readonly name: string;
  readonly help: string;
  /** The label that tells values apart; undefined where there is one. */
  readonly label?: string;
  readonly value: (metrics: RuntimeMetrics) => number | Readonly<Record<string, number>>;
}

/** What only grows. */
const COUNTERS: readonly Row[] = [
  { name: 'batches_total', help: 'Batches taken, by calls and streams', value: ({ calls }) => calls },
  { name: 'batches_failed_total', help: 'Batches that were rejected', value: ({ failed }) => failed },
  { name: 'elements_total', help: 'Values quantized', value: ({ elements }) => elements },
  {
    name: 'copied_bytes_total',
    help: 'Bytes of plain tensors that were copied into the arena',
    value: ({ copiedBytes }) => copiedBytes,
  },
  {
    name: 'jobs_total',
    help: 'Jobs by the place where they ran: at once or in slices on the thread of the runtime, or on lanes',
    label: 'place',
    value: ({ jobs: { inPlace, sliced, lanes } }) => ({ in_place: inPlace, sliced, lanes }),
  },
  { name: 'jobs_late_total', help: 'Jobs that waited for a lane past their deadline', value: ({ jobs }) => jobs.late },
  { name: 'job_parts_total', help: 'Parts of jobs that lanes carried out', value: ({ jobs }) => jobs.parts },
  {
    name: 'job_parts_replayed_total',
    help: 'Parts of jobs that ran again because their lane died',
    value: ({ jobs }) => jobs.replayed,
  },
  {
    name: 'job_parts_poisoned_total',
    help: 'Parts of jobs that were given up because lanes died of them',
    value: ({ jobs }) => jobs.poisoned,
  },
  {
    name: 'lane_restarts_total',
    help: 'Times that a lane was started again, or that it was tried',
    value: ({ lanes }) => lanes.restarts,
  },
  {
    name: 'lane_stalls_total',
    help: 'Times that a lane was ended because it took too long for a part of a batch',
    value: ({ lanes }) => lanes.stalls,
  },
  {
    name: 'arena_leaked_leases_total',
    help: 'Leases that were forgotten: their memory is lost',
    value: ({ arena }) => arena.leaked,
  },
  {
    name: 'arena_leaked_bytes_total',
    help: 'Bytes of leases that were forgotten',
    value: ({ arena }) => arena.leakedBytes,
  },
];

/** What comes and goes. */
const GAUGES: readonly Row[] = [
  { name: 'batches_pending', help: 'Batches that are in work or wait', value: ({ pending }) => pending },
  {
    name: 'jobs_on_lanes',
    help: 'Jobs that lanes have in work, or that wait for them',
    value: ({ jobs }) => jobs.running,
  },
  { name: 'lanes_configured', help: 'Lanes asked for', value: ({ lanes }) => lanes.configured },
  { name: 'lanes_alive', help: 'Lanes whose thread runs', value: ({ lanes }) => lanes.alive },
  { name: 'lanes_gone', help: 'Lanes that were given up', value: ({ lanes }) => lanes.gone },
  { name: 'arena_size_bytes', help: 'Bytes that can be leased in all', value: ({ arena }) => arena.capacity },
  { name: 'arena_used_bytes', help: 'Bytes that are leased, leaked ones included', value: ({ arena }) => arena.inUse },
  { name: 'arena_peak_bytes', help: 'The most bytes that were leased at a time', value: ({ arena }) => arena.peak },
  {
    name: 'arena_leases',
    help: 'Leases that were not given back, leaked ones included',
    value: ({ arena }) => arena.leases,
  },
  { name: 'arena_waiting', help: 'Requests that wait for room in the arena', value: ({ arena }) => arena.waiting },
];

/**
 * Registers the metrics of a runtime with a registry of the host. All of them are read in one turn of the event loop, so
 * they fit together. The registry keeps the runtime.
 * @throws Error of prom-client where the registry has a metric of such a name
 */
export function metricsOf(runtime: Runtime, registry: Registry, options: MetricsOptions = {}): void {
  const { prefix = 'quantlane_' } = options;
  for (const row of COUNTERS) {
    new Counter({
      ...common(row, prefix, registry),
      collect() {
        this.reset();
        for (const [labels, value] of valuesOf(row, runtime)) this.inc(labels, value);
      },
    });
  }
  for (const row of GAUGES) {
    new Gauge({
      ...common(row, prefix, registry),
      collect() {
        for (const [labels, value] of valuesOf(row, runtime)) this.set(labels, value);
      },
    });
  }
}

function common({ name, help, label }: Row, prefix: string, registry: Registry) {
  return { name: prefix + name, help, labelNames: label === undefined ? [] : [label], registers: [registry] };
}

function valuesOf({ value, label }: Row, runtime: Runtime): [Record<string, string>, number][] {
  const values = value(runtime.metrics());
  if (typeof values === 'number') return [[{}, values]];
  return Object.entries(values).map(([name, each]) => [{ [label!]: name }, each]);
}
