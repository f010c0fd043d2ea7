/**
 * Makes the dashboard's text of what is known now. Nothing is kept but the record that the watch keeps anyway.
 * @module
 */
import type { Runtime } from '../../runtime/index.js';
import { version } from '../../version.js';
import { SECONDS, type Watch } from '../../watch/index.js';
import type { DashboardState } from './state.js';

/** What a report is made of. */
export interface Sources {
  readonly runtime: Runtime;
  readonly watch: Watch;
  readonly maxPending: number;
  /** Requests in work. */
  pending(): number;
}

/** Makes reports. */
export class Reporter {
  readonly #sources: Sources;
  readonly #began: number;

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#began = sources.watch.now;
  }

  /** Updates of one moment as JSON: the state is written once, each stream once. */
  moment(): (stream: string | undefined) => string {
    const { watch } = this.#sources;
    const state = JSON.stringify(this.#state());
    const streams = new Map<string, string>();
    return (id) => {
      if (id === undefined) return `{"state":${state},"stream":null}`;
      const text = streams.get(id) ?? JSON.stringify(watch.find(id)?.detail(watch.now) ?? null, rounded);
      streams.set(id, text);
      return `{"state":${state},"stream":${text}}`;
    };
  }

  #state(): DashboardState {
    const { runtime, watch, maxPending, pending } = this.#sources;
    const { now, traffic } = watch;
    return {
      version: version(),
      time: Date.now(),
      uptime: (now - this.#began) / 1000,
      pending: pending(),
      maxPending,
      runtime: runtime.metrics(),
      total: traffic.total,
      rate: traffic.rate(now),
      latency: traffic.latency(now),
      traffic: traffic.series(now, SECONDS - 1),
      streams: watch.streams.map((stream) => stream.summary(now)),
      forgotten: watch.forgotten,
    };
  }
}

/** Nine digits are enough to tell float32 apart. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) ? Number(value.toPrecision(9)) : value;
}
