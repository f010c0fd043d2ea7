/**
 * Work on the caller's thread: at once for small jobs, in slices with turns of the event loop between them for the rest.
 * @module
 */
import { errorId } from '../errors.js';
import type { Kernel } from '../kernels/index.js';
import { clearOutcome, type Ring } from '../memory/index.js';
import { Mode, Source } from '../scheme/codes.js';
import { Word } from '../scheme/descriptor.js';
import { assertInTime } from './due.js';
import type { DispatchOptions } from './flight.js';
import { type Job, type JobKind, writeJob, writePlaces } from './job.js';
import { addOutcome, emptyOutcome, type Outcome } from './outcome.js';

/** Milliseconds of work in one turn of the event loop; the rest of the caller's millisecond is for everything around it. */
const TURN_MS = 0.4;
/** A slice has about so many elements, so that the clock is read often enough. */
const SLICE_ELEMENTS = { simd: 32_768, scalar: 2_048 };

/** Elements that a unit counts for at least. */
const SMALL_UNIT = 64;

/** Carries out jobs on this thread. */
export class InPlace {
  readonly #ring: Ring;
  readonly #kernel: Kernel;
  /** Milliseconds of work in this turn. */
  #spent = 0;
  #isTurnWatched = false;
  /** The last sliced job; the next one starts after it. */
  #last: Promise<unknown> = Promise.resolve();
  /** The kind that the first descriptor was written for. */
  #lastKind: JobKind | undefined;
  /** Why sliced jobs are given up, if they are. */
  #reason: { readonly error: unknown } | undefined;

  constructor(ring: Ring, kernel: Kernel) {
    this.#ring = ring;
    this.#kernel = kernel;
  }

  /** Whether this turn of the event loop has time left for a small job. */
  get hasTime(): boolean {
    return this.#spent < TURN_MS;
  }

  /** Carries out the whole job now; it counts as `milliseconds` of this turn. */
  runNow(job: Job, milliseconds: number): Outcome {
    const address = this.#ring.inPlace(0);
    const words = this.#ring.words;
    if (job.kind === this.#lastKind) {
      // A stream asks for the same again and again: most words of the descriptor are right already.
      clearOutcome(words, address);
      writePlaces(job.places, words, address >> 2);
    } else {
      writeJob(job, words, address >> 2);
      this.#lastKind = job.kind;
    }
    this.#execute(address);
    this.#spend(milliseconds);
    return this.#outcome(address);
  }

  /** Carries out the job in slices; jobs run one after the other. */
  run(job: Job, options: DispatchOptions = {}): Promise<Outcome> {
    const result = this.#last.then(() => {
      assertInTime(options);
      return this.#runSliced(job, options.signal);
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Gives up the sliced job that runs and those that wait. */
  abort(error: unknown): void {
    this.#reason = { error };
  }

  async #runSliced(job: Job, signal?: AbortSignal): Promise<Outcome> {
    this.#check(signal);
    const address = this.#ring.inPlace(1);
    const words = this.#ring.words;
    const at = address >> 2;
    writeJob(job, words, at);
    if (job.kind.isTwoPass) {
      words[at + Word.Mode] = Mode.Range;
      await this.#slices(job, address, signal);
      // The one part of the range pass is this descriptor itself.
      words[at + Word.Mode] = Mode.Quantize;
      words[at + Word.Source] = Source.Barrier;
      words[at + Word.RingBase] = address;
      words[at + Word.RingCount] = 1;
      words[at + Word.BarrierFirst] = 0;
      words[at + Word.BarrierCount] = 1;
    }
    await this.#slices(job, address, signal);
    words[at + Word.BarrierCount] = 0;
    return this.#outcome(address);
  }

  async #slices(job: Job, address: number, signal?: AbortSignal): Promise<void> {
    const words = this.#ring.words;
    const at = address >> 2;
    const { units, unitElements } = job.kind.layout;
    const most = SLICE_ELEMENTS[this.#kernel.name] / job.kind.weight;
    // Short units cost by the unit.
    const step = Math.max(1, Math.floor(most / Math.max(unitElements, SMALL_UNIT)));
    const slices = Math.ceil(units / step);
    for (let slice = 0; slice < slices; slice++) {
      // A second pass goes from the end to the start: what the first one read last is still in the cache.
      const unit = (words[at + Word.Source] === Source.Barrier ? slices - 1 - slice : slice) * step;
      if (!this.hasTime) {
        await new Promise((resolve) => setImmediate(resolve));
        this.#check(signal);
      }
      words[at + Word.First] = unit;
      words[at + Word.Last] = Math.min(units, unit + step);
      const start = performance.now();
      this.#execute(address);
      this.#spend(performance.now() - start);
      if (words[at + Word.Status] !== 0) return;
    }
  }

  /** Throws where the job is given up. */
  #check(signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (this.#reason !== undefined) throw this.#reason.error;
  }

  #execute(address: number): void {
    try {
      this.#kernel.execute(address);
    } catch {
      this.#ring.words[(address >> 2) + Word.Status] = errorId('ERR_QUANTLANE_KERNEL');
    }
  }

  #outcome(address: number): Outcome {
    const outcome = emptyOutcome();
    addOutcome(outcome, this.#ring.words, address >> 2);
    return outcome;
  }

  #spend(milliseconds: number): void {
    this.#spent += milliseconds;
    if (this.#isTurnWatched) return;
    this.#isTurnWatched = true;
    setImmediate(() => {
      this.#spent = 0;
      this.#isTurnWatched = false;
    });
  }
}
