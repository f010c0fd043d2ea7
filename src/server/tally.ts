/**
 * Requests that are over, counted by route, model and status, with their durations: what Prometheus calls a counter and a
 * histogram. A count is a look into a map here, where those of the registry's own would read their labels each time.
 * @module
 */
import type { Metric, Registry } from 'prom-client';
import type { RequestEvent } from '../channels.js';

/** Upper ends of the buckets, in seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Requests of one route, model and status. */
interface Kind {
  readonly route: string;
  readonly model: string;
  readonly status: number;
  count: number;
  seconds: number;
  /** How many ended within each bucket and no earlier one; behind them, how many within none. */
  readonly within: number[];
}

/** A value of a metric, as a registry reads it. */
interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Counts requests. */
export class RequestTally {
  readonly #kinds = new Map<string, Kind>();

  /** @param prefix of the names of both metrics */
  constructor(registry: Registry, prefix: string) {
    const requests = `${prefix}requests_total`;
    register(registry, requests, 'Requests that are over', 'counter', () => this.#requests());
    const seconds = `${prefix}request_duration_seconds`;
    const help = 'Seconds from the head of a request to the last byte of its answer';
    register(registry, seconds, help, 'histogram', () => this.#seconds(seconds));
  }

  /** A request is over. */
  count({ route, model, status, milliseconds }: RequestEvent): void {
    const key = `${status} ${model} ${route}`;
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      kind = { route, model, status, count: 0, seconds: 0, within: new Array(BUCKETS.length + 1).fill(0) };
      this.#kinds.set(key, kind);
    }
    const seconds = milliseconds / 1000;
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > BUCKETS[bucket]!) bucket++;
    kind.count++;
    kind.seconds += seconds;
    kind.within[bucket]!++;
  }

  #requests(): Value[] {
    return [...this.#kinds.values()].map(({ route, model, status, count }) => ({
      labels: { route, model, status },
      value: count,
    }));
  }

  /** The durations of a route and a model, whatever their status. */
  #seconds(name: string): Value[] {
    return [...grouped(this.#kinds).values()].flatMap((kinds) => {
      const { route, model } = kinds[0]!;
      const sum = (of: (kind: Kind) => number) => kinds.reduce((total, kind) => total + of(kind), 0);
      let below = 0;
      const buckets = [...BUCKETS, '+Inf'].map((le, index) => {
        below += sum(({ within }) => within[index]!);
        return { metricName: `${name}_bucket`, labels: { le, route, model }, value: below };
      });
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels: { route, model }, value: sum(({ seconds }) => seconds) },
        { metricName: `${name}_count`, labels: { route, model }, value: sum(({ count }) => count) },
      ];
    });
  }
}

function grouped(kinds: ReadonlyMap<string, Kind>): Map<string, Kind[]> {
  const groups = new Map<string, Kind[]>();
  for (const kind of kinds.values()) {
    const key = `${kind.model} ${kind.route}`;
    groups.set(key, [...(groups.get(key) ?? []), kind]);
  }
  return groups;
}

/** A registry asks a metric for its values, and nothing else. */
function register(registry: Registry, name: string, help: string, type: string, values: () => Value[]): void {
  const metric = { name, help, type, aggregator: 'sum', get: async () => ({ name, help, type, values: values() }) };
  registry.registerMetric(metric as unknown as Metric);
}
