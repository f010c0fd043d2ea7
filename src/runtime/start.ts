/**
 * How the machinery of a runtime is put together and started.
 * @module
 */
import { fail, got } from '../errors.js';
import { parallelism } from '../host.js';
import { compileKernels, compileRelaxed, compileUnshared } from '../kernels/index.js';
import { Arena, MAX_LANES, parseSize, RING_BYTES, Ring } from '../memory/index.js';
import { Dispatcher } from './dispatcher.js';
import { Engine, type Modules } from './engine.js';
import type { Lanes, LanesOptions } from './lanes.js';
import type { RuntimeOptions } from './options.js';
import { IN_PLACE_US } from './scheduler.js';

/** What lanes are made of. */
export interface EngineHost {
  /** Starts every lane, or rejects with ERR_QUANTLANE_LANE_START and leaves none behind. */
  start(options: LanesOptions): Promise<Lanes>;
  /** False where memory cannot be shared: there are no lanes then. Default: true. */
  readonly isShared?: boolean;
}

/** The options of a runtime with their defaults, checked. */
export type Settings = Required<Omit<RuntimeOptions, 'memory' | 'workerUrl'>>;

/**
 * Starts the machinery; see `createRuntime`.
 * @throws ERR_QUANTLANE_ARGUMENT, ERR_QUANTLANE_LANE_START, ERR_QUANTLANE_KERNEL
 */
export async function startEngine(options: RuntimeOptions, host: EngineHost): Promise<Engine> {
  const settings = settle(options);
  const { lanes, kernels: kind, startDeadline, stallDeadline, inPlaceLimit: limit, maxPending } = settings;
  const { isShared = true } = host;
  const arena = new Arena({ bytes: parseSize(options.memory ?? '256MiB'), reserved: RING_BYTES, isShared });
  const ring = new Ring(arena.buffer);
  let pool: Lanes | undefined;
  const dispatcher = lanes === 0 ? undefined : new Dispatcher(ring, lanes, stallDeadline, (lane) => pool?.end(lane));
  const kernels = compile(kind, isShared);
  let engine: Engine | undefined;
  // Threads take longer to start than kernels to compile, so they begin at once; sessions wait for the kernels.
  const starting =
    dispatcher &&
    host.start({
      lanes,
      arena,
      kernels: kernels.then(({ simd, relaxed }) => ({ simd, relaxed: relaxed?.module ?? null })),
      workerUrl: options.workerUrl,
      deadline: startDeadline,
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

async function compile(kind: Settings['kernels'], isShared: boolean): Promise<Modules> {
  if (kind === 'scalar') return { simd: null, relaxed: null };
  if (!isShared) return { simd: await compileUnshared(), relaxed: null };
  const [simd, relaxed] = await Promise.all([compileKernels(), kind === 'simd' ? compileRelaxed() : null]);
  return { simd, relaxed };
}

/**
 * The options, checked and with their defaults.
 * @throws ERR_QUANTLANE_ARGUMENT
 */
export function settle(options: RuntimeOptions): Settings {
  const lanes = options.lanes ?? Math.min(8, Math.max(1, parallelism() - 1));
  if (!Number.isInteger(lanes) || lanes < 0 || lanes > MAX_LANES) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected 0 to ${MAX_LANES} lanes, got ${got(lanes)}`);
  }
  const kernels = options.kernels ?? 'simd';
  if (kernels !== 'simd' && kernels !== 'simd128' && kernels !== 'scalar') {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected kernels 'simd', 'simd128' or 'scalar', got ${got(kernels)}`);
  }
  const startDeadline = options.startDeadline ?? 10_000;
  if (!(startDeadline > 0 && startDeadline < 2 ** 31)) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected startDeadline in milliseconds, got ${got(startDeadline)}`);
  }
  const inPlaceLimit = options.inPlaceLimit ?? IN_PLACE_US;
  if (!(inPlaceLimit >= 0 && inPlaceLimit <= 500)) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected inPlaceLimit from 0 to 500 microseconds, got ${got(inPlaceLimit)}`);
  }
  const stallDeadline = options.stallDeadline ?? 10_000;
  if (!(stallDeadline > 0 && stallDeadline < 2 ** 31)) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected stallDeadline in milliseconds, got ${got(stallDeadline)}`);
  }
  const maxPending = options.maxPending ?? Number.POSITIVE_INFINITY;
  if (!(maxPending >= 1)) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected maxPending of at least 1 call, got ${got(maxPending)}`);
  }
  return { lanes, kernels, startDeadline, inPlaceLimit, stallDeadline, maxPending };
}
