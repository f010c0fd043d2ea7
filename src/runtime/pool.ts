/**
 * The threads of the lanes: started and stopped by Piscina, watched, and started again when they die.
 * @module
 */
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Session } from '../../workers/lane.js';
import { fail } from '../errors.js';
import type { Arena } from '../memory/index.js';
import { LaneHandle } from './control.js';

/** How lanes are started. */
export interface PoolOptions {
  /** Number of lanes, at least 1. */
  readonly lanes: number;
  readonly arena: Arena;
  /** Compiled kernels; null for the scalar ones. */
  readonly kernels: WebAssembly.Module | null;
  /** Compiled kernels with relaxed instructions; null for none. */
  readonly relaxed: WebAssembly.Module | null;
  /** Module that the threads run. */
  readonly workerUrl: URL;
  /** Milliseconds within which a lane must be ready. */
  readonly deadline: number;
  /** Called when a lane's thread has ended by itself, before it is started again. */
  readonly onLost: (lane: number) => void;
  /** Called when a lane could not be started again. */
  readonly onGone: (lane: number, cause: unknown) => void;
}

/** Times that a lane is started again before it is given up. */
const MAX_RESTARTS = 8;

/** The lanes' threads. */
export class LanePool {
  /** The lanes, by index. A lane that was started again has a new handle. */
  readonly lanes: LaneHandle[] = [];
  /** Times that a lane was started again. */
  restarts = 0;
  readonly #options: PoolOptions;
  readonly #piscina: Piscina;
  /** Threads that have a session. */
  readonly #taken = new Set<number>();
  #isClosing = false;

  private constructor(options: PoolOptions) {
    this.#options = options;
    this.#piscina = new Piscina({
      filename: options.workerUrl.href,
      minThreads: options.lanes,
      maxThreads: options.lanes,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'disabled',
      recordTiming: false,
      workerHistogram: false,
      // A thread has one session for life, and is idle in the eyes of Piscina while it has it.
      loadBalancer: (_task, workers) => {
        const free = workers.find((worker) => worker.currentUsage === 0 && !this.#taken.has(worker.id));
        if (free === undefined) return null;
        this.#taken.add(free.id);
        return free;
      },
    });
    // A thread that fails is reported by its channel and by the session that it does not start.
    this.#piscina.on('error', () => undefined);
  }

  /**
   * Starts every lane.
   * @throws ERR_QUANTLANE_LANE_START where one is not ready within the deadline; the others are ended again
   */
  static async start(options: PoolOptions): Promise<LanePool> {
    const pool = new LanePool(options);
    try {
      const indices = Array.from({ length: options.lanes }, (_, index) => index);
      await Promise.all(indices.map((index) => pool.#begin(index)));
      return pool;
    } catch (cause) {
      await pool.destroy();
      throw cause;
    }
  }

  /** Number of lanes whose thread runs. */
  get alive(): number {
    return this.lanes.filter((lane) => lane?.isAlive).length;
  }

  /** Starts one session and waits until the lane answers. */
  async #begin(index: number): Promise<void> {
    const { arena, kernels, relaxed, deadline } = this.#options;
    const { port1, port2 } = new MessageChannel();
    const lane = new LaneHandle(index, port1);
    const session: Session = { lane: index, memory: arena.memory, kernels, relaxed, port: port2 };
    try {
      const started = this.#piscina.run(session, { transferList: [port2] });
      await before(
        deadline,
        started.then(() => lane.ping()),
      );
    } catch (cause) {
      lane.close();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw fail('ERR_QUANTLANE_LANE_START', `Lane ${index} did not start: ${reason}`, {
        details: { lane: index },
        cause,
      });
    }
    this.lanes[index] = lane;
    lane.onLost(() => this.#revive(index));
    // Only now, when its death would be noticed, may it take work, of which it may die.
    lane.resume().catch(() => undefined);
  }

  #revive(index: number): void {
    if (this.#isClosing) return;
    this.#options.onLost(index);
    this.restarts++;
    if (this.restarts > MAX_RESTARTS * this.#options.lanes) {
      this.#options.onGone(index, new Error(`its lanes ended ${this.restarts} times`));
      return;
    }
    this.#begin(index).catch((cause) => {
      if (!this.#isClosing) this.#options.onGone(index, cause);
    });
  }

  /** Ends the threads. Lanes that have been asked to stop by the ring end by themselves; others are terminated. */
  async destroy(): Promise<void> {
    this.#isClosing = true;
    for (const lane of this.lanes) lane?.close();
    await this.#piscina.destroy();
  }
}

/** Settles as `promise` does, or rejects after `milliseconds`; keeps the process alive meanwhile. */
async function before<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
