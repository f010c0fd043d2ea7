/**
 * What a runtime has done and holds.
 * @module
 */
import type { ArenaStatistics } from '../memory/index.js';

/** What the machinery has done. */
export interface EngineMetrics {
  readonly lanes: {
    /** Lanes asked for. */
    readonly configured: number;
    /** Lanes whose thread runs. */
    readonly alive: number;
    /** Times that a lane was started again. */
    readonly restarts: number;
  };
  /** Jobs by the place where they ran. */
  readonly jobs: {
    /** At once on the caller's thread. */
    readonly inPlace: number;
    /** On the caller's thread in slices. */
    readonly sliced: number;
    readonly lanes: number;
  };
}

/** What a runtime has done and holds. */
export interface RuntimeMetrics extends EngineMetrics {
  /** Calls so far. */
  readonly calls: number;
  /** Calls that were rejected. */
  readonly failed: number;
  /** Calls that are not over. */
  readonly pending: number;
  /** Values quantized. */
  readonly elements: number;
  /** Bytes of plain tensors copied into the arena. */
  readonly copiedBytes: number;
  readonly arena: ArenaStatistics;
}
