/**
 * Overload: a source ten times too fast, and a consumer that takes its time. Resident memory must stay within the arena
 * and 150 MB, whatever the overflow policy.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Observable } from 'rxjs';
import {
  buffer,
  createRuntime,
  type Overflow,
  type PlainTensor,
  type StreamingRuntime,
  type StreamSource,
  type TensorInput,
} from '../../src/index.js';
import { codeOf, textOf } from './ledger.js';

/** What one policy did. */
export interface OverloadRow {
  readonly policy: string;
  readonly seconds: number;
  /** Batches that the source brought, results taken, batches dropped, streams that failed of an overflow. */
  readonly offered: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly overflows: number;
  /** Resident bytes before, at most, and allowed. */
  readonly baseRss: number;
  readonly peakRss: number;
  readonly allowed: number;
  readonly violations: readonly string[];
}

const ARENA_BYTES = 64 * 2 ** 20;
/** Resident bytes beside the arena. */
const BESIDE_BYTES = 150e6;
/** Results that the consumer takes in a second; the source brings ten times as many. */
const TAKEN = 200;
const FACTOR = 10;
const SHAPE = [16, 1024];
/** Milliseconds between two samples of the resident memory, and between two bursts of the source. */
const SAMPLE_MS = 100;
const BURST_MS = 5;

/** The policies, and a source that is pulled, for which there is none. */
const POLICIES: readonly (readonly [name: string, overflow: Overflow | undefined])[] = [
  ['error', 'error'],
  ['drop-oldest', 'drop-oldest'],
  ['drop-newest', 'drop-newest'],
  ['buffer(256)', buffer(256)],
  ['none: a pull source', undefined],
];

/** Puts every policy under overload for some milliseconds. */
export async function overload(milliseconds: number, report: (text: string) => void): Promise<OverloadRow[]> {
  const rows: OverloadRow[] = [];
  for (const [name, overflow] of POLICIES) {
    const runtime = await createRuntime({ lanes: 1, memory: ARENA_BYTES, inPlaceLimit: 0 });
    rows.push(await new Flood(runtime, name, overflow, report).run(milliseconds));
    await runtime.close();
  }
  return rows;
}

/** One policy under overload. */
class Flood {
  readonly #runtime: StreamingRuntime;
  readonly #policy: string;
  readonly #overflow: Overflow | undefined;
  readonly #report: (text: string) => void;
  readonly #violations: string[] = [];
  #offered = 0;
  #delivered = 0;
  #dropped = 0;
  #overflows = 0;
  #peakRss = 0;

  constructor(
    runtime: StreamingRuntime,
    policy: string,
    overflow: Overflow | undefined,
    report: (text: string) => void,
  ) {
    this.#runtime = runtime;
    this.#policy = policy;
    this.#overflow = overflow;
    this.#report = report;
  }

  async run(milliseconds: number): Promise<OverloadRow> {
    const allowed = ARENA_BYTES + BESIDE_BYTES;
    const baseRss = process.memoryUsage.rss();
    const sampler = setInterval(() => {
      this.#peakRss = Math.max(this.#peakRss, process.memoryUsage.rss());
      this.#report(`${this.#policy}: ${this.#delivered} of ${this.#offered} batches, ${mb(this.#peakRss)} MB`);
    }, SAMPLE_MS);
    const began = performance.now();
    while (performance.now() - began < milliseconds) {
      try {
        await this.#consume(began + milliseconds);
      } catch (error) {
        if (codeOf(error) !== 'ERR_QUANTLANE_OVERFLOW') {
          this.#violations.push(textOf(error));
          break;
        }
        this.#overflows++;
      }
    }
    const seconds = (performance.now() - began) / 1000;
    clearInterval(sampler);
    await this.#runtime.drain();
    const { inUse } = this.#runtime.metrics().arena;
    if (inUse > 0) this.#violations.push(`${inUse} bytes are still in use`);
    if (this.#peakRss > allowed) this.#violations.push(`${mb(this.#peakRss)} MB resident, ${mb(allowed)} allowed`);
    if (this.#delivered === 0) this.#violations.push('no result was delivered');
    return {
      policy: this.#policy,
      seconds,
      offered: this.#offered,
      delivered: this.#delivered,
      dropped: this.#dropped,
      overflows: this.#overflows,
      baseRss,
      peakRss: this.#peakRss,
      allowed,
      violations: this.#violations.map((text) => `${this.#policy}: ${text}`),
    };
  }

  /** Takes results from one stream, at the consumer's pace, until the end. */
  async #consume(end: number): Promise<void> {
    const isPulled = this.#overflow === undefined;
    const source: StreamSource = isPulled ? this.#endless() : this.#hose();
    const stream = this.#runtime.stream(source, 'vllm-int8-per-token', {
      concurrency: 16,
      onDrop: () => this.#dropped++,
      ...(isPulled ? {} : { overflow: this.#overflow! }),
    });
    const began = performance.now();
    let taken = 0;
    let last = 0;
    for await (const result of stream) {
      // All values of a batch are its number, so the scale tells which it is.
      const scale = Number(result.scale![0]);
      result.release();
      if (!(scale > last)) this.#violations.push(`a result of scale ${scale} after one of ${last}`);
      last = scale;
      this.#delivered++;
      if (performance.now() >= end) return;
      const due = began + (++taken * 1000) / TAKEN;
      await pause(Math.max(0, due - performance.now()));
    }
  }

  /** A new batch in memory of its own, as a source would bring it. */
  #batch(): PlainTensor {
    const data = new Float32Array(SHAPE[0]! * SHAPE[1]!).fill(++this.#offered);
    return { dtype: 'float32', shape: SHAPE, data };
  }

  async *#endless(): AsyncGenerator<TensorInput> {
    for (;;) yield this.#batch();
  }

  /** Brings batches at its own pace. */
  #hose(): Observable<TensorInput> {
    return new Observable((subscriber) => {
      const began = performance.now();
      let brought = 0;
      const timer = setInterval(() => {
        const due = ((performance.now() - began) / 1000) * TAKEN * FACTOR;
        while (brought < due && !subscriber.closed) {
          brought++;
          subscriber.next(this.#batch());
        }
      }, BURST_MS);
      return () => clearInterval(timer);
    });
  }
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
