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
    /** Times that a lane was started again, or that it was tried. */
    readonly restarts: number;
    /** Times that a lane's thread was ended because it took too long for a part of a batch. */
    readonly stalls: number;
    /** Lanes that were given up. */
    readonly gone: number;
  };
  /** Jobs by the place where they ran. */
  readonly jobs: {
    /** At once on the caller's thread. */
    readonly inPlace: number;
    /** On the caller's thread in slices. */
    readonly sliced: number;
    readonly lanes: number;
    /** Those that lanes have in work, or that wait for them. */
    readonly running: number;
    /** Parts of jobs that lanes carried out. */
    readonly parts: number;
    /** Parts of jobs that ran again because their lane died. */
    readonly replayed: number;
    /** Parts of jobs that were given up because lanes died of them. */
    readonly poisoned: number;
    /** Jobs that waited for a lane until they were late. */
    readonly late: number;
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
