/**
 * Where a job is carried out: on the caller's thread at once, on the lanes, or on the caller's thread in slices.
 * @module
 */
import type { Kernel } from '../kernels/index.js';
import { Mode, Op } from '../scheme/codes.js';
import type { Dispatcher } from './dispatcher.js';
import type { DispatchOptions } from './flight.js';
import type { InPlace } from './inplace.js';
import type { Job } from './job.js';
import type { Outcome } from './outcome.js';

/**
 * A job estimated at no more than this many microseconds runs in place, unless the runtime is told otherwise. See
 * docs/scheduling.md for the measurement.
 */
export const IN_PLACE_US = 60;

/** Nanoseconds an element, measured generously; see docs/scheduling.md. */
const COST = {
  simd: { plain: 0.6, columns: 1.5, runs: 2.5, statistics: 2 },
  scalar: { plain: 12, columns: 15, runs: 20, statistics: 10 },
};
/** Values that share a parameter and are fewer than this cost by the parameter rather than by the value. */
const SMALL_RUN = 256;

/** Chooses where jobs run. */
export class Scheduler {
  /** Jobs carried out so far, by place. */
  readonly counts = { inPlace: 0, sliced: 0, lanes: 0 };
  readonly #inPlace: InPlace;
  readonly #kernel: Kernel;
  readonly #limit: number;
  #dispatcher: Dispatcher | undefined;

  /** @param limit microseconds, estimated, up to which a job runs in place */
  constructor(inPlace: InPlace, kernel: Kernel, dispatcher: Dispatcher | undefined, limit: number) {
    this.#inPlace = inPlace;
    this.#kernel = kernel;
    this.#limit = limit;
    this.#dispatcher = dispatcher;
  }

  /** Carries out a job; an outcome rather than a promise where it ran in place at once. */
  run(job: Job, options: DispatchOptions = {}): Outcome | Promise<Outcome> {
    const microseconds = this.estimate(job);
    if (microseconds <= this.#limit && this.#inPlace.hasTime) {
      this.counts.inPlace++;
      return this.#inPlace.runNow(job, microseconds / 1000);
    }
    if (this.#dispatcher === undefined) return this.#slice(job, options);
    this.counts.lanes++;
    return this.#dispatch(this.#dispatcher, job, options);
  }

  /** Carries out the whole job now, however long it takes. */
  runNow(job: Job): Outcome {
    this.counts.inPlace++;
    return this.#inPlace.runNow(job, this.estimate(job) / 1000);
  }

  /** Microseconds that the job would take in place, roughly. */
  estimate(job: Job): number {
    const cost = COST[this.#kernel.name];
    const { mode, layout, hasStatistics, weight } = job.kind;
    let nanoseconds = cost.plain;
    if (layout.op === Op.Columns) nanoseconds = cost.columns;
    else if (layout.op === Op.Segments && layout.group < SMALL_RUN)
      nanoseconds = cost.runs * Math.max(1, 32 / layout.group);
    else if (layout.op === Op.Channels && layout.length < SMALL_RUN)
      nanoseconds = cost.runs * Math.max(1, 32 / layout.length);
    if (hasStatistics && mode === Mode.Quantize) nanoseconds += cost.statistics;
    return (layout.elements * nanoseconds * weight) / 1000;
  }

  /** There is no lane left: what was on the lanes, and all later work, runs in place. */
  dropLanes(): void {
    const dispatcher = this.#dispatcher;
    this.#dispatcher = undefined;
    dispatcher?.abandon(NO_LANES);
  }

  async #dispatch(dispatcher: Dispatcher, job: Job, options: DispatchOptions): Promise<Outcome> {
    try {
      return await dispatcher.run(job, options);
    } catch (reason) {
      if (reason !== NO_LANES) throw reason;
      return this.#slice(job, options);
    }
  }

  #slice(job: Job, options: DispatchOptions): Promise<Outcome> {
    this.counts.sliced++;
    return this.#inPlace.run(job, options);
  }
}

/** Why the dispatcher gives a job back. */
const NO_LANES = Symbol('no lanes');
