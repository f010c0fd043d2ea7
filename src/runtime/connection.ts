/**
 * A thread of the host that is connected to a runtime: it has a part of the arena for itself, works on its own thread, and
 * sends what is too long for that to the lanes of the runtime.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import { type Endpoint, expose } from 'comlink';
import { type ErrorCode, type ErrorDetails, fail, QuantlaneError } from '../errors.js';
import { type Lease, THREAD_WORDS_BYTES } from '../memory/index.js';
import type { Calls } from './calls.js';
import type { Engine, Modules } from './engine.js';
import type { Job } from './job.js';
import type { Outcome } from './outcome.js';

/** What a thread is given when it connects. */
export interface Grant {
  readonly memory: WebAssembly.Memory;
  /** Its part of the memory. */
  readonly start: number;
  readonly bytes: number;
  readonly modules: Modules;
  /** Whether there are lanes, or all work is done by the runtime's own thread. */
  readonly hasLanes: boolean;
}

/** What became of a job; classes and codes of errors do not cross threads. */
export type Reply =
  | { readonly outcome: Outcome }
  | { readonly code: ErrorCode | undefined; readonly message: string; readonly details: ErrorDetails };

/** What a connected thread may ask of the runtime's. */
export class ConnectionHost {
  readonly #engine: Engine;
  readonly #calls: Calls;
  readonly #lease: Lease;
  readonly #port: MessagePort;
  /** Jobs that run, by the numbers that the thread gave them. */
  readonly #running = new Map<number, AbortController>();
  #isOver = false;

  constructor(engine: Engine, calls: Calls, lease: Lease, port: MessagePort) {
    this.#engine = engine;
    this.#calls = calls;
    this.#lease = lease;
    this.#port = port;
  }

  /** What the thread works with. */
  open(): Grant {
    const { arena, modules, lanes } = this.#engine;
    const { byteOffset: start, byteLength: bytes } = this.#lease;
    return { memory: arena.memory, start, bytes, modules, hasLanes: lanes.length > 0 };
  }

  /**
   * Carries a job out whose addresses lie in the thread's part of the memory.
   * @param rest milliseconds within which it must have begun
   */
  async run(id: number, job: Job, rest: number | undefined): Promise<Reply> {
    const abort = new AbortController();
    this.#running.set(id, abort);
    this.#calls.enter();
    this.#port.ref();
    try {
      this.#engine.assertOpen();
      if (this.#isOver) throw gone();
      const due = rest === undefined ? undefined : performance.now() + rest;
      const options = { signal: abort.signal, source: this, due };
      return { outcome: await this.#engine.scheduler.run(job, options) };
    } catch (error) {
      if (error instanceof QuantlaneError) return { code: error.code, message: error.message, details: error.details };
      return { code: undefined, message: error instanceof Error ? error.message : String(error), details: {} };
    } finally {
      this.#running.delete(id);
      if (this.#running.size === 0) this.#port.unref();
      this.#calls.leave();
      if (this.#isOver) this.#giveBack();
    }
  }

  /** Gives a job up. */
  abort(id: number): void {
    this.#running.get(id)?.abort(gone());
  }

  /** The thread has ended, or let go: its memory comes back as soon as no lane works in it. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#port.close();
    for (const abort of this.#running.values()) abort.abort(gone());
    this.#giveBack();
  }

  #giveBack(): void {
    if (this.#running.size === 0 && !this.#lease.released) this.#lease.release();
  }
}

/**
 * A port for a thread, and a part of the arena of `bytes` for it, until the thread ends or lets go.
 * @throws ERR_QUANTLANE_ARENA_FULL, ERR_QUANTLANE_ARENA_TOO_SMALL
 */
export function connect(engine: Engine, calls: Calls, bytes: number): MessagePort {
  const lease = engine.arena.lease(bytes + THREAD_WORDS_BYTES);
  // The global one of Node.js is that of its worker threads.
  const { port1, port2 } = new MessageChannel() as unknown as Record<'port1' | 'port2', MessagePort>;
  const host = new ConnectionHost(engine, calls, lease, port1);
  expose(host, port1 as unknown as Endpoint);
  port1.on('close', () => host.end());
  engine.onEnd(() => host.end());
  port1.unref();
  return port2;
}

function gone(): Error {
  return fail('ERR_QUANTLANE_CLOSED', 'Expected a connected thread, got one that has ended');
}
