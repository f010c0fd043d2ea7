/**
 * The machinery of a runtime: arena, ring, kernels, lanes and their start and end.
 * @module
 */
import { availableParallelism } from 'node:os';
import { fail, got } from '../errors.js';
import { bindKernels, compileKernels, compileRelaxed, createReference, type Relaxed } from '../kernels/index.js';
import { Arena, MAX_LANES, parseSize, RING_BYTES, Ring } from '../memory/index.js';
import { RowForm } from '../scheme/codes.js';
import type { LaneHandle } from './control.js';
import { Dispatcher } from './dispatcher.js';
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
  /** Module that the lanes run, for bundlers that move files. */
  readonly workerUrl?: URL;
}

/** What kernels are made of; null for what is not used. */
interface Modules {
  readonly simd: WebAssembly.Module | null;
  readonly relaxed: Relaxed | null;
}

/** Arena, ring, kernels and lanes. */
export class Engine {
  readonly arena: Arena;
  readonly scheduler: Scheduler;
  /** How rows must lie for the integer products of the kernels. */
  readonly rowForm: RowForm;
  readonly #ring: Ring;
  readonly #inPlace: InPlace;
  readonly #configured: number;
  readonly #dispatcher: Dispatcher | undefined;
  #pool: LanePool | undefined;
  #isOpen = true;
  #ending: Promise<void> | undefined;

  private constructor(arena: Arena, ring: Ring, { simd, relaxed }: Modules, lanes: number, limit: number) {
    const kernel =
      simd === null ? createReference(arena.buffer) : bindKernels(simd, arena.memory, relaxed?.module ?? null);
    this.arena = arena;
    this.rowForm = relaxed?.rowForm ?? RowForm.Wide;
    this.#ring = ring;
    this.#configured = lanes;
    this.#inPlace = new InPlace(ring, kernel);
    this.#dispatcher = lanes === 0 ? undefined : new Dispatcher(ring, lanes);
    this.scheduler = new Scheduler(this.#inPlace, kernel, this.#dispatcher, limit);
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
    const arena = new Arena({ bytes: parseSize(options.memory ?? '256MiB'), reserved: RING_BYTES });
    const simd = kind === 'scalar' ? null : await compileKernels();
    const relaxed = kind === 'simd' ? await compileRelaxed() : null;
    const engine = new Engine(arena, new Ring(arena.buffer), { simd, relaxed }, lanes, limit);
    if (lanes > 0) await engine.#startLanes({ simd, relaxed }, deadline, options.workerUrl);
    return engine;
  }

  async #startLanes({ simd, relaxed }: Modules, deadline: number, workerUrl?: URL): Promise<void> {
    const dispatcher = this.#dispatcher!;
    try {
      this.#pool = await LanePool.start({
        lanes: this.#configured,
        arena: this.arena,
        kernels: simd,
        relaxed: relaxed?.module ?? null,
        workerUrl: workerUrl ?? new URL('../../workers/lane.js', import.meta.url),
        deadline,
        onLost: (lane) => dispatcher.laneLost(lane),
        onGone: () => {
          if (this.#pool?.alive === 0) this.scheduler.dropLanes();
        },
      });
    } catch (error) {
      dispatcher.close();
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
    return this.#pool?.lanes ?? [];
  }

  /** What the machinery has done. */
  metrics(): EngineMetrics {
    const pool = this.#pool;
    return {
      lanes: { configured: this.#configured, alive: pool?.alive ?? 0, restarts: pool?.restarts ?? 0 },
      jobs: { ...this.scheduler.counts },
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
    this.#dispatcher?.abandon(closed());
    this.#inPlace.abort(closed());
  }

  /** Ends the lanes; nothing may run any more. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    this.#ring.setStop(true);
    this.#dispatcher?.close();
    await this.#pool?.destroy();
  }
}

function closed(): Error {
  return fail('ERR_QUANTLANE_CLOSED', 'Expected an open runtime, got one that is closed');
}
