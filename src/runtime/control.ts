/**
 * The caller's end of a lane's control channel.
 * @module
 */
import { type Endpoint, type Remote, releaseProxy, wrap } from 'comlink';
import type { LaneControl, LaneStatistics } from '../../workers/control.js';
import { fail } from '../errors.js';
import type { SelfTestReport } from '../kernels/index.js';

export type { LaneStatistics };

/** The caller's end of a lane's channel beyond its messages: a port of Node.js, or what stands for one. */
export interface LanePort {
  /** Calls back when the lane's thread has ended, or the channel is closed. */
  once(event: 'close', listener: () => void): unknown;
  /** Keeps the process alive. */
  ref(): void;
  unref(): void;
  close(): void;
}

/**
 * A lane as its owner sees it. Every call is answered while the lane idles and between two batches while it works, and
 * rejects with ERR_QUANTLANE_LANE_LOST when the lane's thread ends before the answer.
 */
export class LaneHandle {
  /** Index of the lane, from 0. */
  readonly index: number;
  readonly #port: LanePort;
  readonly #remote: Remote<LaneControl>;
  /** Rejects when the channel closes. */
  readonly #lost: Promise<never>;
  #calls = 0;
  #isAlive = true;

  constructor(index: number, port: LanePort) {
    this.index = index;
    this.#port = port;
    this.#remote = wrap<LaneControl>(port as unknown as Endpoint);
    this.#lost = new Promise((_, reject) => {
      port.once('close', () => {
        this.#isAlive = false;
        reject(fail('ERR_QUANTLANE_LANE_LOST', `Lane ${index} ended`, { details: { lane: index } }));
      });
    });
    this.#lost.catch(() => undefined);
    port.unref();
  }

  /** Whether its thread runs. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Calls back when the lane's thread has ended. */
  onLost(listener: () => void): void {
    this.#lost.catch(listener);
  }

  /** The lane's index: it is alive and listens. */
  ping(): Promise<number> {
    return this.#call(() => this.#remote.ping());
  }

  /** What the lane has done since it started. */
  stats(): Promise<LaneStatistics> {
    return this.#call(() => this.#remote.stats());
  }

  /** Has the lane compare its kernels with the scalar ones, on memory of its own. */
  selfTest(): Promise<SelfTestReport> {
    return this.#call(() => this.#remote.selfTest());
  }

  /** Lets the lane finish its batch and claim no more until `resume`. */
  drain(): Promise<void> {
    return this.#call(() => this.#remote.drain());
  }

  /** Lets a drained lane claim work again. */
  resume(): Promise<void> {
    return this.#call(() => this.#remote.resume());
  }

  /** @internal Lets go of the channel. */
  close(): void {
    if (this.#isAlive) this.#remote[releaseProxy]();
    this.#isAlive = false;
    this.#port.close();
  }

  /** A call in flight keeps the process alive; an idle channel does not. */
  async #call<T>(ask: () => Promise<T>): Promise<T> {
    if (!this.#isAlive) return this.#lost;
    if (this.#calls++ === 0) this.#port.ref();
    try {
      return await Promise.race([ask(), this.#lost]);
    } finally {
      if (--this.#calls === 0) this.#port.unref();
    }
  }
}
