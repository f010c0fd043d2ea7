/**
 * What the process is like: processor time, memory, files, and how long its event loop is held up.
 * @module
 */
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';

/** Facts of a process are the same for all of its registries, and what measures the event loop never ends. */
let shared: Registry | undefined;

/**
 * Registers the default metrics of prom-client, which boards for Node.js know by their names, with a registry. They are
 * collected once a process, whatever the number of registries.
 * @throws Error of prom-client where the registry has a metric of such a name
 */
export function processMetrics(registry: Registry): void {
  if (shared === undefined) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared });
  }
  for (const metric of shared.getMetricsAsArray()) registry.registerMetric(metric as unknown as Metric);
}
