/**
 * The machinery of a runtime: arena, ring, kernels, lanes and their start and end.
 * @module
 */
import { fail } from '../errors.js';
import { bindKernels, createReference, type Relaxed } from '../kernels/index.js';
import type { Arena, InPlaceWords } from '../memory/index.js';
import { RowForm } from '../scheme/codes.js';
import type { LaneHandle } from './control.js';
import type { DispatchCounts, Dispatching } from './flight.js';
import { InPlace } from './inplace.js';
import type { Lanes } from './lanes.js';
import type { EngineMetrics } from './metrics.js';
import { Scheduler } from './scheduler.js';

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
  readonly pool: () => Lanes | undefined;
  /** Lanes asked for. */
  readonly lanes: number;
  /** Lets go of everything. */
  readonly end: () => Promise<void>;
}

/** What no dispatcher has done. */
const NO_COUNTS: DispatchCounts = Object.freeze({ running: 0, parts: 0, replayed: 0, poisoned: 0, late: 0 });

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
    const counts = this.#parts.dispatcher?.counts ?? NO_COUNTS;
    return {
      lanes: {
        configured: this.#parts.lanes,
        alive: pool?.alive ?? 0,
        restarts: pool?.restarts ?? 0,
        stalls: pool?.stalls ?? 0,
        gone: pool?.gone ?? 0,
      },
      jobs: { ...this.scheduler.counts, ...counts },
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
