/**
 * The threads of the lanes: started and stopped by Piscina, watched, and started again when they die.
 * @module
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { Piscina, queueOptionsSymbol } from 'piscina';
import type { Session } from '../../workers/lane.js';
import { tellLane } from '../channels.js';
import { before } from './before.js';
import { LaneHandle } from './control.js';
import { type Lanes, type LanesOptions, notStarted } from './lanes.js';

/** Times in a row that a lane dies young, or is not started, before it is given up. */
const MAX_FAILURES = 8;
/** Milliseconds after which a lane that dies is not young any more. */
const YOUTH_MS = 1_000;
/** Milliseconds before a lane is started again: none the first time, then these, doubled each time. */
const BACK_OFF_MS = 5;

/** The lane of a thread that is being ended. */
const NO_LANE = -1;

/** What Piscina tells of a session when it looks for a thread. */
interface LaneOfTask {
  readonly lane: number;
}

/** What is known of a lane beyond its handle. */
interface Life {
  /** By `performance.now()`. */
  startedAt: number;
  /** Times in a row that it died young or was not started. */
  failures: number;
}

/** The lanes' threads. */
export class LanePool implements Lanes {
  /** The lanes, by index. A lane that was started again has a new handle. */
  readonly lanes: LaneHandle[] = [];
  /** Times that a lane was started again. */
  restarts = 0;
  /** Times that a lane was ended because it stalled. */
  stalls = 0;
  /** Lanes that were given up. */
  gone = 0;
  readonly #lives: Life[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #options: LanesOptions;
  readonly #piscina: Piscina;
  /** Lanes by the threads that have a session of theirs. */
  readonly #taken = new Map<number, number>();
  /** What ends the waits of the lanes that have no thread yet, by lane. */
  readonly #waiting = new Map<number, AbortController>();
  #isClosing = false;

  private constructor(options: LanesOptions) {
    this.#options = options;
    this.#piscina = new Piscina({
      filename: moduleOf(options).href,
      minThreads: options.lanes,
      maxThreads: options.lanes,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'disabled',
      recordTiming: false,
      workerHistogram: false,
      // A thread has one session for life, and is idle in the eyes of Piscina while it has it.
      loadBalancer: (task, workers) => {
        const free = workers.find((worker) => worker.currentUsage === 0 && !this.#taken.has(worker.id));
        if (free === undefined) return null;
        const { lane } = task[queueOptionsSymbol] as LaneOfTask;
        this.#taken.set(free.id, lane);
        this.#waiting.delete(lane);
        return free;
      },
    });
    // A thread that fails is reported by its channel and by the session that it does not start.
    this.#piscina.on('error', () => undefined);
    this.#piscina.on('workerDestroy', () => queueMicrotask(() => this.#recount()));
  }

  /**
   * Starts every lane.
   * @throws ERR_QUANTLANE_LANE_START where one is not ready within the deadline; the others are ended again
   */
  static async start(options: LanesOptions): Promise<LanePool> {
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
    const { arena, deadline } = this.#options;
    const { simd: kernels, relaxed } = await this.#options.kernels;
    const { port1, port2 } = new MessageChannel();
    const lane = new LaneHandle(index, port1);
    const session: Session = { lane: index, memory: arena.memory, kernels, relaxed, port: port2 };
    const stop = new AbortController();
    this.#waiting.set(index, stop);
    try {
      const task = { ...session, [queueOptionsSymbol]: { lane: index } satisfies LaneOfTask };
      const started = this.#piscina.run(task, { transferList: [port2], signal: stop.signal });
      await before(
        deadline,
        started.then(() => lane.ping()),
      );
      this.#lifeOf(index).startedAt = performance.now();
    } catch (error) {
      this.#waiting.delete(index);
      // A session that waits for a thread would take that of its successor.
      stop.abort();
      lane.close();
      this.#endThread(index);
      const cause = await causeOf(error, moduleOf(this.#options));
      throw notStarted(index, cause);
    }
    tellLane(index, this.lanes[index] === undefined ? 'started' : 'restarted');
    this.lanes[index] = lane;
    lane.onLost(() => this.#revive(index));
    // Only now, when its death would be noticed, may it take work, of which it may die.
    lane.resume().catch(() => undefined);
  }

  /**
   * Has lanes ask anew for which there is no thread: once a thread has ended before it was ready, Piscina replaces none
   * unless it is asked.
   */
  #recount(): void {
    const free = this.#piscina.threads.filter(({ threadId }) => !this.#taken.has(threadId)).length;
    for (const stop of [...this.#waiting.values()].slice(free)) stop.abort();
  }

  /** Ends the thread of a lane that stalled; it is noticed as any other death. */
  end(index: number): void {
    if (this.#isClosing) return;
    this.stalls++;
    tellLane(index, 'stalled');
    this.#endThread(index);
  }

  /** Ends the thread that has the session of a lane; Piscina starts another one. */
  #endThread(index: number): void {
    for (const [threadId, lane] of this.#taken) {
      if (lane !== index) continue;
      // Not free: Piscina may offer it until it has ended.
      this.#taken.set(threadId, NO_LANE);
      void this.#piscina.threads.find((thread) => thread.threadId === threadId)?.terminate();
    }
  }

  #lifeOf(index: number): Life {
    this.#lives[index] ??= { startedAt: 0, failures: 0 };
    return this.#lives[index];
  }

  /** A lane has died: it is started again, later each time that it dies young. */
  #revive(index: number): void {
    if (this.#isClosing) return;
    this.#endThread(index);
    tellLane(index, 'lost');
    this.#options.onLost(index);
    const life = this.#lifeOf(index);
    if (performance.now() - life.startedAt >= YOUTH_MS) life.failures = 0;
    this.#retry(index);
  }

  #retry(index: number): void {
    const life = this.#lifeOf(index);
    life.failures++;
    if (life.failures > MAX_FAILURES) {
      this.gone++;
      tellLane(index, 'gone');
      if (this.gone === this.#options.lanes) this.#options.onNone();
      return;
    }
    const delay = life.failures === 1 ? 0 : BACK_OFF_MS * 2 ** (life.failures - 2);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#isClosing) return;
      this.restarts++;
      this.#begin(index).catch(() => {
        if (!this.#isClosing) this.#retry(index);
      });
    }, delay);
    this.#timers.add(timer);
  }

  /** Ends the threads. Lanes that have been asked to stop by the ring end by themselves; others are terminated. */
  async destroy(): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const lane of this.lanes) lane?.close();
    await this.#piscina.destroy();
  }
}

/** Module that the threads run. */
function moduleOf({ workerUrl }: LanesOptions): URL {
  return workerUrl ?? new URL('../../workers/entry.cjs', import.meta.url);
}

/** Milliseconds that it may take to find out why a module cannot be loaded. */
const CAUSE_MS = 5_000;

/**
 * Why a module cannot be loaded. Piscina requires it first, and imports it where that fails; of a module that cannot be
 * linked the second attempt only says that there was a first one. A thread of its own tells the cause. Nothing of the
 * module runs there: a module is linked before it is run.
 */
async function causeOf(error: unknown, module: URL): Promise<unknown> {
  if ((error as NodeJS.ErrnoException)?.code !== 'ERR_INTERNAL_ASSERTION') return error;
  const thread = new Worker(module);
  const cause = new Promise((resolve) => {
    thread.once('error', resolve);
    thread.once('exit', () => resolve(error));
  });
  return before(CAUSE_MS, cause)
    .catch(() => error)
    .finally(() => thread.terminate());
}
