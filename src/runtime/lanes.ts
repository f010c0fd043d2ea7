/**
 * The lanes as the engine knows them, whichever threads they are.
 * @module
 */
import { fail } from '../errors.js';
import type { Arena } from '../memory/index.js';
import type { LaneHandle } from './control.js';

/** What lanes run. */
export interface LaneModules {
  /** Compiled kernels; null for the scalar ones. */
  readonly simd: WebAssembly.Module | null;
  /** Compiled kernels with relaxed instructions; null for none. */
  readonly relaxed: WebAssembly.Module | null;
}

/** How lanes are started. */
export interface LanesOptions {
  /** Number of lanes, at least 1. */
  readonly lanes: number;
  readonly arena: Arena;
  /** Compiled kernels, which threads start without. */
  readonly kernels: Promise<LaneModules>;
  /** Module that the threads run; default: that of the package. */
  readonly workerUrl: URL | undefined;
  /** Milliseconds within which a lane must be ready. */
  readonly deadline: number;
  /** Called when a lane's thread has ended by itself, before it is started again. */
  readonly onLost: (lane: number) => void;
  /** Called when the last lane was given up. */
  readonly onNone: () => void;
}

/** Lanes that were started. */
export interface Lanes {
  /** The lanes, by index. A lane that was started again has a new handle. */
  readonly lanes: readonly LaneHandle[];
  /** Number of lanes whose thread runs. */
  readonly alive: number;
  /** Times that a lane was started again. */
  readonly restarts: number;
  /** Times that a lane was ended because it stalled. */
  readonly stalls: number;
  /** Lanes that were given up. */
  readonly gone: number;
  /** Ends the thread of a lane that stalled; it is noticed as any other death. */
  end(lane: number): void;
  /** Ends the threads. Lanes that have been asked to stop by the ring end by themselves; others are terminated. */
  destroy(): Promise<void>;
}

/** The error of a lane that did not start. */
export function notStarted(lane: number, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return fail('ERR_QUANTLANE_LANE_START', `Lane ${lane} did not start: ${reason}`, { details: { lane }, cause });
}
