/**
 * The control channel of a lane: what may be asked of it over Comlink while it idles and between its batches.
 * @module
 */
import { threadNumber } from '../src/host.js';
import type { SelfTestReport } from '../src/kernels/self-test.js';
import type { Lane } from './loop.js';

/** What a lane has done since it started. */
export interface LaneStatistics {
  /** Index of the lane. */
  readonly lane: number;
  /** Thread that it runs on; 0 in a browser, where threads have no numbers. */
  readonly threadId: number;
  /** Which kernels it runs. */
  readonly kernels: 'simd' | 'scalar';
  /** Descriptors carried out; of a run, its batches. */
  readonly batches: number;
  /** Milliseconds spent in kernels. */
  readonly busyMs: number;
  /** Milliseconds since it started. */
  readonly uptimeMs: number;
}

/** The control of one lane. Its calls are answered while the lane idles, and between two batches while it works. */
export class LaneControl {
  readonly #lane: Lane;

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  /** Index of the lane: it is alive and listens. */
  ping(): number {
    return this.#lane.index;
  }

  /** What the lane has done. */
  stats(): LaneStatistics {
    const { index, kernel, batches, busyMs, startedAt } = this.#lane;
    const uptimeMs = performance.now() - startedAt;
    const threadId = threadNumber();
    return { lane: index, threadId, kernels: kernel.name, batches, busyMs, uptimeMs };
  }

  /** Runs the lane's kind of kernels against the scalar ones on memory of its own. */
  async selfTest(): Promise<SelfTestReport> {
    const { selfTest } = await import('../src/kernels/self-test.js');
    return selfTest(this.#lane.kernel.name);
  }

  /** The lane has finished its batch and claims no more until `resume`. */
  drain(): void {
    this.#lane.drain();
  }

  /** Lets a drained lane claim work again. */
  resume(): void {
    this.#lane.resume();
  }
}
