/**
 * Lanes that are Web Workers: started, watched, and started again when they die.
 * @module
 */
import { type Endpoint, transfer, wrap } from 'comlink';
import type { Session } from '../../workers/lane.js';
import { before } from '../runtime/before.js';
import { LaneHandle } from '../runtime/control.js';
import { type Lanes, type LanesOptions, notStarted } from '../runtime/lanes.js';
import type { LaneHost } from './lane.js';
import { WorkerPort } from './port.js';

/** Times that a lane dies before it is given up. */
const MAX_DEATHS = 8;

/** A worker and the channel to its lane. */
interface Thread {
  readonly worker: Worker;
  readonly port: WorkerPort;
}

/** The lanes of a page. */
export class WorkerLanes implements Lanes {
  readonly lanes: LaneHandle[] = [];
  restarts = 0;
  stalls = 0;
  gone = 0;
  readonly #options: LanesOptions;
  readonly #threads: Thread[] = [];
  readonly #deaths: number[] = [];
  #isClosing = false;

  private constructor(options: LanesOptions) {
    this.#options = options;
  }

  /**
   * Starts every lane.
   * @throws ERR_QUANTLANE_LANE_START where one is not ready within the deadline; the others are ended again
   */
  static async start(options: LanesOptions): Promise<WorkerLanes> {
    const lanes = new WorkerLanes(options);
    try {
      await Promise.all(Array.from({ length: options.lanes }, (_, index) => lanes.#begin(index)));
      return lanes;
    } catch (cause) {
      await lanes.destroy();
      throw cause;
    }
  }

  get alive(): number {
    return this.lanes.filter((lane) => lane?.isAlive).length;
  }

  end(index: number): void {
    if (this.#isClosing) return;
    this.stalls++;
    this.#endThread(index);
  }

  async destroy(): Promise<void> {
    this.#isClosing = true;
    for (const lane of this.lanes) lane?.close();
    for (const index of this.#threads.keys()) this.#endThread(index);
  }

  /** Starts one worker and waits until its lane answers. */
  async #begin(index: number): Promise<void> {
    const { arena, deadline, workerUrl } = this.#options;
    const { port1, port2 } = new MessageChannel();
    const port = new WorkerPort(port1);
    const lane = new LaneHandle(index, port);
    try {
      const worker = newWorker(workerUrl, `quantlane lane ${index}`);
      this.#threads[index] = { worker, port };
      const failed = new Promise<never>((_, reject) => {
        worker.addEventListener('error', (event) => {
          event.preventDefault();
          // Of a module that cannot be loaded a browser tells nothing.
          reject(new Error(event.message || 'its module could not be loaded'));
          port.close();
        });
      });
      failed.catch(() => undefined);
      const { simd: kernels, relaxed } = await this.#options.kernels;
      const session = { lane: index, memory: arena.memory, kernels, relaxed, port: port2 } as unknown as Session;
      const host = wrap<LaneHost>(worker as Endpoint);
      const ready = host.start(transfer(session, [port2])).then(() => lane.ping());
      await before(deadline, Promise.race([ready, failed]));
    } catch (cause) {
      this.#endThread(index);
      throw notStarted(index, cause);
    }
    this.lanes[index] = lane;
    lane.onLost(() => this.#revive(index));
    // Only now, when its death would be noticed, may it take work, of which it may die.
    lane.resume().catch(() => undefined);
  }

  #endThread(index: number): void {
    const thread = this.#threads[index];
    thread?.worker.terminate();
    thread?.port.close();
  }

  /** A lane has died: what it held is run again, and it is started again. */
  #revive(index: number): void {
    if (this.#isClosing) return;
    this.#endThread(index);
    this.#options.onLost(index);
    this.#retry(index);
  }

  #retry(index: number): void {
    const deaths = (this.#deaths[index] ?? 0) + 1;
    this.#deaths[index] = deaths;
    if (deaths > MAX_DEATHS) {
      this.gone++;
      if (this.gone === this.#options.lanes) this.#options.onNone();
      return;
    }
    this.restarts++;
    this.#begin(index).catch(() => {
      if (!this.#isClosing) this.#retry(index);
    });
  }
}

/** Bundlers find the module by this very form of words. */
function newWorker(url: URL | undefined, name: string): Worker {
  if (url !== undefined) return new Worker(url, { type: 'module', name });
  return new Worker(new URL('./lane.js', import.meta.url), { type: 'module', name });
}
