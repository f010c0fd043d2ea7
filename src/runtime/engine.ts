/**
 * The machinery of a runtime: arena, ring, kernels, lanes and their start and end.
 * @module
 */
import { availableParallelism } from 'node:os';
import { fail, got } from '../errors.js';
import { bindKernels, compileKernels, compileRelaxed, createReference, type Relaxed } from '../kernels/index.js';
import { Arena, type InPlaceWords, MAX_LANES, parseSize, RING_BYTES, Ring } from '../memory/index.js';
import { RowForm } from '../scheme/codes.js';
import type { LaneHandle } from './control.js';
import { Dispatcher } from './dispatcher.js';
import type { Dispatching } from './flight.js';
import { InPlace } from './inplace.js';
import type { EngineMetrics } from './metrics.js';
import { LanePool } from './pool.js';
import { IN_PLACE_US, Scheduler } from './scheduler.js';

/** How a runtime is made. */
export interface RuntimeOptions {
  /** Worker threads; 0 runs everything on the caller's thread. Default: one less than the cores, at least 1, at most 8. */
  readonly lanes?: number;
  /** Size of the arena in bytes or as text such as `'256MiB'` (the default). Pages that are never used cost nothing. */
  readonly memory?: number | string;
  /**
   * Kernels: WebAssembly SIMD (default), the same without relaxed instructions, or plain scalar ones. Their results are the
   * same bits.
   */
  readonly kernels?: 'simd' | 'simd128' | 'scalar';
  /**
   * Microseconds of work, as estimated, up to which a call runs on the caller's thread at once; default 60, at most 500.
   * 0 sends everything to the lanes.
   */
  readonly inPlaceLimit?: number;
  /** Milliseconds within which every lane must be ready; default 10,000. */
  readonly startDeadline?: number;
  /**
   * Milliseconds that a lane may take for one part of a batch before its thread is ended, as one that loops endlessly;
   * default 10,000.
   */
  readonly stallDeadline?: number;
  /**
   * Calls at a time; one more is rejected with ERR_QUANTLANE_OVERLOADED, while streams wait or go by their overflow policy.
   * Default: no limit.
   */
  readonly maxPending?: number;
  /** Module that the lanes run, for bundlers that move files. */
  readonly workerUrl?: URL;
}

/** What kernels are made of; null for what is not used. */
export interface Modules {
  readonly simd: WebAssembly.Module | null;
  readonly relaxed: Relaxed | null;
}

/** What an engine is made of. */
export interface EngineParts {
  readonly arena: Arena;
  /** Words for work on this thread. */
  readonly words: InPlaceWords;
  readonly modules: Modules;
  /** Microseconds, estimated, up to which a job runs in place. */
  readonly limit: number;
  readonly maxPending: number;
  /** Where work goes that is too long for this thread; undefined for nowhere. */
  readonly dispatcher: Dispatching | undefined;
  /** The lanes' threads, once they run. */
  readonly pool: () => LanePool | undefined;
  /** Lanes asked for. */
  readonly lanes: number;
  /** Lets go of everything. */
  readonly end: () => Promise<void>;
}

/** Arena, kernels, lanes, or the way to those of another thread. */
export class Engine {
  readonly arena: Arena;
  readonly scheduler: Scheduler;
  /** How rows must lie for the integer products of the kernels. */
  readonly rowForm: RowForm;
  /** Calls at a time. */
  readonly maxPending: number;
  /** What kernels are made of, for threads that connect. */
  readonly modules: Modules;
  readonly #parts: EngineParts;
  readonly #inPlace: InPlace;
  readonly #onEnd: (() => void)[] = [];
  #isOpen = true;
  #ending: Promise<void> | undefined;

  constructor(parts: EngineParts) {
    const { arena, words, modules, limit, maxPending, dispatcher } = parts;
    const { simd, relaxed } = modules;
    const kernel =
      simd === null ? createReference(arena.buffer) : bindKernels(simd, arena.memory, relaxed?.module ?? null);
    this.arena = arena;
    this.modules = modules;
    this.maxPending = maxPending;
    this.rowForm = relaxed?.rowForm ?? RowForm.Wide;
    this.#parts = parts;
    this.#inPlace = new InPlace(words, kernel);
    this.scheduler = new Scheduler(this.#inPlace, kernel, dispatcher, limit);
  }

  /** Makes the machinery; see `createRuntime`. */
  static async start(options: RuntimeOptions = {}): Promise<Engine> {
    const lanes = options.lanes ?? Math.min(8, Math.max(1, availableParallelism() - 1));
    if (!Number.isInteger(lanes) || lanes < 0 || lanes > MAX_LANES) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected 0 to ${MAX_LANES} lanes, got ${got(lanes)}`);
    }
    const kind = options.kernels ?? 'simd';
    if (kind !== 'simd' && kind !== 'simd128' && kind !== 'scalar') {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected kernels 'simd', 'simd128' or 'scalar', got ${got(kind)}`);
    }
    const deadline = options.startDeadline ?? 10_000;
    if (!(deadline > 0 && deadline < 2 ** 31)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected startDeadline in milliseconds, got ${got(deadline)}`);
    }
    const limit = options.inPlaceLimit ?? IN_PLACE_US;
    if (!(limit >= 0 && limit <= 500)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected inPlaceLimit from 0 to 500 microseconds, got ${got(limit)}`);
    }
    const stallDeadline = options.stallDeadline ?? 10_000;
    if (!(stallDeadline > 0 && stallDeadline < 2 ** 31)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected stallDeadline in milliseconds, got ${got(stallDeadline)}`);
    }
    const maxPending = options.maxPending ?? Number.POSITIVE_INFINITY;
    if (!(maxPending >= 1)) {
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected maxPending of at least 1 call, got ${got(maxPending)}`);
    }
    const arena = new Arena({ bytes: parseSize(options.memory ?? '256MiB'), reserved: RING_BYTES });
    const ring = new Ring(arena.buffer);
    let pool: LanePool | undefined;
    const dispatcher = lanes === 0 ? undefined : new Dispatcher(ring, lanes, stallDeadline, (lane) => pool?.end(lane));
    const kernels: Promise<Modules> = Promise.all([
      kind === 'scalar' ? null : compileKernels(),
      kind === 'simd' ? compileRelaxed() : null,
    ]).then(([simd, relaxed]) => ({ simd, relaxed }));
    let engine: Engine | undefined;
    // Threads take longer to start than kernels to compile, so they begin at once; sessions wait for the kernels.
    const starting =
      dispatcher &&
      LanePool.start({
        lanes,
        arena,
        kernels: kernels.then(({ simd, relaxed }) => ({ simd, relaxed: relaxed?.module ?? null })),
        workerUrl: options.workerUrl ?? new URL('../../workers/entry.cjs', import.meta.url),
        deadline,
        onLost: (lane) => dispatcher.laneLost(lane),
        onNone: () => engine!.scheduler.dropLanes(),
      });
    const end = async (): Promise<void> => {
      ring.setStop(true);
      await pool?.destroy();
    };
    try {
      const modules = await kernels;
      engine = new Engine({ arena, words: ring, modules, limit, maxPending, dispatcher, lanes, pool: () => pool, end });
      pool = await starting;
      return engine;
    } catch (error) {
      dispatcher?.close();
      const started = await starting?.catch(() => undefined);
      await started?.destroy();
      throw error;
    }
  }

  /** Whether calls are taken. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @throws ERR_QUANTLANE_CLOSED once the runtime is closed */
  assertOpen(): void {
    if (!this.#isOpen) throw closed();
  }

  /** The lanes by index. */
  get lanes(): readonly LaneHandle[] {
    return this.#parts.pool()?.lanes ?? [];
  }

  /** What the machinery has done. */
  metrics(): EngineMetrics {
    const pool = this.#parts.pool();
    const { replayed = 0, poisoned = 0, late = 0 } = this.#parts.dispatcher?.counts ?? {};
    return {
      lanes: {
        configured: this.#parts.lanes,
        alive: pool?.alive ?? 0,
        restarts: pool?.restarts ?? 0,
        stalls: pool?.stalls ?? 0,
        gone: pool?.gone ?? 0,
      },
      jobs: { ...this.scheduler.counts, replayed, poisoned, late },
    };
  }

  /** Takes no more calls and rejects those that wait for room. */
  refuse(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.arena.close(closed());
  }

  /** Gives up what runs. */
  abort(): void {
    this.#parts.dispatcher?.abandon(closed());
    this.#inPlace.abort(closed());
  }

  /** Ends the lanes; nothing may run any more. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  /** Has `listener` called when the engine ends. */
  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  async #end(): Promise<void> {
    for (const listener of this.#onEnd) listener();
    this.#parts.dispatcher?.close();
    await this.#parts.end();
  }
}

function closed(): Error {
  return fail('ERR_QUANTLANE_CLOSED', 'Expected an open runtime, got one that is closed');
}
