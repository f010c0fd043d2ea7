/**
 * The engine of a thread that is connected to a runtime: a part of its arena, kernels on this thread, and the way to its
 * lanes.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import { type Endpoint, type Remote, releaseProxy, wrap } from 'comlink';
import { fail, got } from '../errors.js';
import { Arena, THREAD_WORDS_BYTES, ThreadWords } from '../memory/index.js';
import { before } from './before.js';
import type { ConnectionHost } from './connection.js';
import { Engine } from './engine.js';
import type { Dispatching, DispatchOptions } from './flight.js';
import type { Job } from './job.js';
import type { Outcome } from './outcome.js';
import { IN_PLACE_US } from './scheduler.js';

/** Milliseconds within which the runtime's thread must answer. */
const DEADLINE_MS = 10_000;

/** Has jobs carried out by the runtime that this thread is connected to. */
class RemoteLanes implements Dispatching {
  /** Those of the runtime, which counts them. */
  readonly counts = { running: 0, parts: 0, replayed: 0, poisoned: 0, late: 0 };
  readonly #remote: Remote<ConnectionHost>;
  readonly #port: MessagePort;
  /** What rejects each job that is on the other side. */
  readonly #sent = new Map<number, (reason: unknown) => void>();
  #last = 0;

  constructor(remote: Remote<ConnectionHost>, port: MessagePort) {
    this.#remote = remote;
    this.#port = port;
  }

  async run({ kind, places }: Job, { signal, due }: DispatchOptions): Promise<Outcome> {
    const id = ++this.#last;
    // A view would take the whole of what it is a view of along.
    const job = { kind: { ...kind, words: kind.words.slice() }, places };
    // Clocks of threads begin at different times.
    const rest = due === undefined ? undefined : due - performance.now();
    const abort = () => void this.#remote.abort(id).catch(() => undefined);
    signal?.addEventListener('abort', abort, { once: true });
    this.#port.ref();
    try {
      const lost = new Promise<never>((_, reject) => this.#sent.set(id, reject));
      const reply = await Promise.race([this.#remote.run(id, job, rest), lost]);
      if ('outcome' in reply) return reply.outcome;
      signal?.throwIfAborted();
      throw fail(reply.code ?? 'ERR_QUANTLANE_KERNEL', reply.message, { details: reply.details });
    } finally {
      this.#sent.delete(id);
      if (this.#sent.size === 0) this.#port.unref();
      signal?.removeEventListener('abort', abort);
    }
  }

  abandon(reason: unknown): void {
    for (const [id, reject] of this.#sent) {
      void this.#remote.abort(id).catch(() => undefined);
      reject(reason);
    }
  }

  close(): void {
    // The port stays until the memory is given back.
  }
}

/**
 * Connects this thread by the port that `runtime.connect` gave.
 * @throws ERR_QUANTLANE_ARGUMENT for no port, ERR_QUANTLANE_CLOSED where nobody answers, or the runtime closes meanwhile
 */
export async function attachEngine(port: MessagePort): Promise<Engine> {
  if (typeof port?.postMessage !== 'function' || typeof port.ref !== 'function') {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected the port that runtime.connect() gave, got ${got(port)}`);
  }
  const remote = wrap<ConnectionHost>(port as unknown as Endpoint);
  const closed = new Promise<never>((_, reject) => port.once('close', () => reject(lost())));
  closed.catch(() => undefined);
  const { memory, start, bytes, modules, hasLanes } = await before(
    DEADLINE_MS,
    Promise.race([remote.open(), closed]),
    lost,
  );
  port.unref();
  const words = new ThreadWords(memory.buffer as unknown as SharedArrayBuffer, start);
  const arena = new Arena({ memory, reserved: start + THREAD_WORDS_BYTES, bytes: bytes - THREAD_WORDS_BYTES });
  const engine = new Engine({
    arena,
    words,
    modules,
    limit: IN_PLACE_US,
    maxPending: Number.POSITIVE_INFINITY,
    dispatcher: hasLanes ? new RemoteLanes(remote, port) : undefined,
    lanes: 0,
    pool: () => undefined,
    // It also keeps the remote: where that is collected, its port closes.
    end: () => whenIdle(arena, () => remote[releaseProxy]()),
  });
  closed.catch(() => {
    engine.refuse();
    engine.abort();
  });
  return engine;
}

/** Lets go at once where nothing is leased, else when the last lease is back: it lies in the memory of this thread. */
async function whenIdle(arena: Arena, letGo: () => void): Promise<void> {
  const isIdle = () => arena.inUse === arena.leakedBytes;
  if (isIdle()) return letGo();
  const off = arena.onRelease(() => {
    if (!isIdle()) return;
    off();
    letGo();
  });
}

function lost(): Error {
  return fail(
    'ERR_QUANTLANE_CLOSED',
    'Expected a runtime at the other end of the port, got one that has closed or does not answer',
  );
}
