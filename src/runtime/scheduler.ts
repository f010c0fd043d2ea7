/**
 * Where a job is carried out: on the caller's thread at once, on the lanes, or on the caller's thread in slices.
 * @module
 */
import type { Kernel } from '../kernels/index.js';
import { Mode, Op } from '../scheme/codes.js';
import type { Dispatching, DispatchOptions } from './flight.js';
import type { InPlace } from './inplace.js';
import type { Job, JobKind } from './job.js';
import type { Outcome } from './outcome.js';

/**
 * A job estimated at no more than this many microseconds runs in place, unless the runtime is told otherwise. See
 * docs/scheduling.md for the measurement.
 */
export const IN_PLACE_US = 60;

/**
 * A job estimated at no more than this many nanoseconds waits for the next turn of the event loop where this one has no
 * time left: to hand it to a lane, or to slice it, would hold the thread for longer than the job itself.
 */
const WAITING_NS = 10_000;

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
  /** Nanoseconds. */
  readonly #limit: number;
  #dispatcher: Dispatching | undefined;
  /** The last kind of job that was estimated, and its nanoseconds. */
  #estimated: JobKind | undefined;
  #estimatedNs = 0;

  /** @param limit microseconds, estimated, up to which a job runs in place */
  constructor(inPlace: InPlace, kernel: Kernel, dispatcher: Dispatching | undefined, limit: number) {
    this.#inPlace = inPlace;
    this.#kernel = kernel;
    this.#limit = limit * 1000;
    this.#dispatcher = dispatcher;
  }

  /** Carries out a job; an outcome rather than a promise where it ran in place at once. */
  run(job: Job, options: DispatchOptions = {}): Outcome | Promise<Outcome> {
    const nanoseconds = this.estimate(job);
    if (nanoseconds <= this.#limit) {
      if (this.#inPlace.isFree) return this.runNow(job);
      if (nanoseconds <= WAITING_NS) {
        this.counts.inPlace++;
        return this.#inPlace.later(job, nanoseconds, options);
      }
    }
    if (this.#dispatcher === undefined) return this.#slice(job, options);
    if (options.sighting !== undefined) options.sighting.place = 'lanes';
    this.counts.lanes++;
    return this.#dispatch(this.#dispatcher, job, options);
  }

  /** Whether a job may run in place in this turn of the event loop. */
  hasTimeFor({ kind }: Job): boolean {
    return this.#estimate(kind) <= this.#limit && this.#inPlace.isFree;
  }

  /** Whether such a job would have to wait for another turn of the event loop; one that is not known yet does. */
  mustWait(kind: JobKind | undefined): boolean {
    if (kind === undefined) return !this.#inPlace.isFree;
    const nanoseconds = this.#estimate(kind);
    const isSmall = nanoseconds <= WAITING_NS || this.#dispatcher === undefined;
    return isSmall && nanoseconds <= this.#limit && !this.#inPlace.isFree;
  }

  /** Calls `resume` once in a later turn of the event loop that has time for work in place. */
  atNextTurn(resume: () => void): void {
    this.#inPlace.atNextTurn(resume);
  }

  /** Carries out the whole job now, however long it takes. */
  runNow(job: Job): Outcome {
    this.runClean(job);
    return this.outcome;
  }

  /** The same; whether there is nothing to say about it. */
  runClean(job: Job): boolean {
    this.counts.inPlace++;
    return this.#inPlace.runNow(job, this.estimate(job));
  }

  /** What became of the last job that ran in place at once. */
  get outcome(): Outcome {
    return this.#inPlace.outcome;
  }

  /** Nanoseconds that the job would take in place, roughly: a small integer, which needs no memory. */
  estimate(job: Job): number {
    return this.#estimate(job.kind);
  }

  #estimate(kind: JobKind): number {
    // A stream asks for the same again and again.
    if (kind === this.#estimated) return this.#estimatedNs;
    this.#estimated = kind;
    this.#estimatedNs = this.#reckon(kind);
    return this.#estimatedNs;
  }

  #reckon({ mode, layout, hasStatistics, weight }: JobKind): number {
    const cost = COST[this.#kernel.name];
    let nanoseconds = cost.plain;
    if (layout.op === Op.Columns) nanoseconds = cost.columns;
    else if (layout.op === Op.Segments && layout.group < SMALL_RUN)
      nanoseconds = cost.runs * Math.max(1, 32 / layout.group);
    else if (layout.op === Op.Channels && layout.length < SMALL_RUN)
      nanoseconds = cost.runs * Math.max(1, 32 / layout.length);
    if (hasStatistics && mode === Mode.Quantize) nanoseconds += cost.statistics;
    return Math.round(layout.elements * nanoseconds * weight);
  }

  /** There is no lane left: what was on the lanes, and all later work, runs in place. */
  dropLanes(): void {
    const dispatcher = this.#dispatcher;
    this.#dispatcher = undefined;
    dispatcher?.abandon(NO_LANES);
  }

  async #dispatch(dispatcher: Dispatching, job: Job, options: DispatchOptions): Promise<Outcome> {
    try {
      return await dispatcher.run(job, options);
    } catch (reason) {
      if (reason !== NO_LANES) throw reason;
      return this.#slice(job, options);
    }
  }

  #slice(job: Job, options: DispatchOptions): Promise<Outcome> {
    if (options.sighting !== undefined) options.sighting.place = 'sliced';
    this.counts.sliced++;
    return this.#inPlace.run(job, options);
  }
}

/** Why the dispatcher gives a job back. */
const NO_LANES = Symbol('no lanes');
