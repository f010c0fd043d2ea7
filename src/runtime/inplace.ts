/**
 * Work on the caller's thread: at once for small jobs, in slices with turns of the event loop between them for the rest.
 * @module
 */
import { errorId } from '../errors.js';
import { atNextTurn, nextTurn } from '../host.js';
import type { Kernel } from '../kernels/index.js';
import { clearOutcome, type InPlaceWords } from '../memory/index.js';
import { Mode, Source } from '../scheme/codes.js';
import { Word } from '../scheme/descriptor.js';
import { assertInTime } from './due.js';
import type { DispatchOptions } from './flight.js';
import { type Job, type JobKind, writeJob, writePlaces } from './job.js';
import { cutOf, pieces } from './long.js';
import { addOutcome, emptyOutcome, type Outcome } from './outcome.js';
import { type Turn, Turns } from './turns.js';

/** Nanoseconds of work in one turn of the event loop; the rest of the caller's millisecond is for everything around it. */
const TURN_NS = 400_000;
/** A slice has about so many elements, so that the clock is read often enough. */
const SLICE_ELEMENTS = { simd: 32_768, scalar: 2_048 };

/** Elements that a unit counts for at least. */
const SMALL_UNIT = 64;

/** A job that waits for a turn of the event loop, or for those before it to be worked off in slices. */
interface Waiting extends Turn {
  readonly job: Job;
  /** As estimated; 0 for one that is worked off in slices. */
  readonly nanoseconds: number;
  readonly options: DispatchOptions;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
}

/** Carries out jobs on this thread. */
export class InPlace {
  readonly #words: InPlaceWords;
  readonly #kernel: Kernel;
  /** Nanoseconds of work in this turn. */
  #spent = 0;
  #isTurnWatched = false;
  /** Whether the clock has said that this turn has no time left. */
  #isTurnOver = false;
  /** When the first job of this turn began. */
  #turnStart = 0;
  readonly #endTurn = () => {
    this.#spent = 0;
    this.#isTurnOver = false;
    this.#isTurnWatched = false;
    this.#runWaiting();
  };
  /** Small jobs that wait for the next turn of the event loop. */
  readonly #small = new Turns<Waiting>();
  /** Who waits for it with more small jobs, the longest first. */
  readonly #resting = new Set<() => void>();
  /** Whether one of those is being called: its jobs go before those that wait. */
  #isResuming = false;
  /** Jobs that are worked off in slices, one after the other. */
  readonly #long = new Turns<Waiting>();
  #isSlicing = false;
  /** The kind that the first descriptor was written for. */
  #lastKind: JobKind | undefined;
  /** Why sliced jobs are given up, if they are. */
  #reason: { readonly error: unknown } | undefined;

  constructor(words: InPlaceWords, kernel: Kernel) {
    this.#words = words;
    this.#kernel = kernel;
  }

  /** Whether this turn of the event loop has time left. */
  get hasTime(): boolean {
    if (this.#spent < TURN_NS) return true;
    if (this.#isTurnOver) return false;
    // Estimates are generous; the clock is asked only where they are used up.
    const elapsed = Math.round((performance.now() - this.#turnStart) * 1e6);
    if (elapsed < this.#spent) this.#spent = elapsed;
    this.#isTurnOver = this.#spent >= TURN_NS;
    return !this.#isTurnOver;
  }

  /** Whether a small job may run now: there is time, and none waits before it. */
  get isFree(): boolean {
    return (this.#small.waiting === 0 || this.#isResuming) && this.hasTime;
  }

  /** Carries out a small job at once in the next turn of the event loop that has time for it; sources take turns. */
  later(job: Job, nanoseconds: number, options: DispatchOptions): Promise<Outcome> {
    return this.#wait(this.#small, job, nanoseconds, options);
  }

  /** Calls `resume`, once, in the next turn of the event loop that has time. */
  atNextTurn(resume: () => void): void {
    this.#resting.add(resume);
    this.#spend(0);
  }

  #wait(line: Turns<Waiting>, job: Job, nanoseconds: number, options: DispatchOptions): Promise<Outcome> {
    const { elements } = job.kind.layout;
    return new Promise((resolve, reject) => {
      line.push({ job, nanoseconds, options, source: options.source ?? this, elements, turn: 0, resolve, reject });
    });
  }

  /** Those who rest and the jobs that wait go on alternately, so that neither waits for ever for the other. */
  #runWaiting(): void {
    while (this.#small.waiting + this.#resting.size > 0 && this.hasTime) {
      this.#runSmall();
      this.#resumeOne();
    }
    // The next turn goes on, even where all that ran in this one was given up.
    if (this.#small.waiting + this.#resting.size > 0) this.#spend(0);
  }

  #runSmall(): void {
    const next = this.#small.next();
    if (next === undefined) return;
    this.#small.go(next);
    const { job, nanoseconds, options, resolve, reject } = next;
    try {
      this.#check(options.signal);
      assertInTime(options);
      this.runNow(job, nanoseconds);
      resolve(this.outcome);
    } catch (error) {
      reject(error);
    }
    this.#small.ended(next);
  }

  #resumeOne(): void {
    const [resume] = this.#resting;
    if (resume === undefined || !this.hasTime) return;
    this.#resting.delete(resume);
    this.#isResuming = true;
    resume();
    this.#isResuming = false;
  }

  /**
   * Carries out the whole job now; it counts as `nanoseconds` of this turn.
   * @returns whether there is nothing to say about it; else see `outcome`
   */
  runNow(job: Job, nanoseconds: number): boolean {
    const address = this.#words.inPlace(0);
    const { words } = this.#words;
    if (job.kind === this.#lastKind) {
      // A stream asks for the same again and again: most words of the descriptor are right already.
      clearOutcome(words, address);
      writePlaces(job.places, words, address >> 2);
    } else {
      writeJob(job, words, address >> 2);
      this.#lastKind = job.kind;
    }
    this.#execute(address);
    this.#spend(nanoseconds);
    const at = address >> 2;
    return words[at + Word.Status] === 0 && words[at + Word.BadCount] === 0;
  }

  /** What became of the last job of `runNow`. */
  get outcome(): Outcome {
    return this.#outcome(this.#words.inPlace(0));
  }

  /** Carries out the job in slices; jobs run one after the other, and sources take turns. */
  run(job: Job, options: DispatchOptions = {}): Promise<Outcome> {
    const result = this.#wait(this.#long, job, 0, options);
    if (!this.#isSlicing) void this.#runLong();
    return result;
  }

  async #runLong(): Promise<void> {
    this.#isSlicing = true;
    // Whoever asks in this turn of the event loop takes part in the turns.
    await undefined;
    for (let next = this.#long.next(); next !== undefined; next = this.#long.next()) {
      this.#long.go(next);
      const { job, options, resolve, reject } = next;
      try {
        this.#check(options.signal);
        assertInTime(options);
        resolve(await this.#runSliced(job, options.signal));
      } catch (error) {
        reject(error);
      }
      this.#long.ended(next);
    }
    this.#isSlicing = false;
  }

  /** Gives up the sliced job that runs and those that wait. */
  abort(error: unknown): void {
    this.#reason = { error };
  }

  async #runSliced(job: Job, signal?: AbortSignal): Promise<Outcome> {
    const address = this.#words.inPlace(1);
    const { words } = this.#words;
    const at = address >> 2;
    writeJob(job, words, at);
    const cut = cutOf(job.kind, SLICE_ELEMENTS[this.#kernel.name]);
    if (cut !== undefined) {
      for (const _ of pieces(job, cut, words, at, this.#words.ranges)) {
        if (!this.hasTime) await this.#turn(signal);
        this.#measure(address);
        if (words[at + Word.Status] !== 0) break;
      }
      return this.#outcome(address);
    }
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
    const { words } = this.#words;
    const at = address >> 2;
    const { units, unitElements } = job.kind.layout;
    const most = SLICE_ELEMENTS[this.#kernel.name] / job.kind.weight;
    // Short units cost by the unit.
    const step = Math.max(1, Math.floor(most / Math.max(unitElements, SMALL_UNIT)));
    const slices = Math.ceil(units / step);
    for (let slice = 0; slice < slices; slice++) {
      // A second pass goes from the end to the start: what the first one read last is still in the cache.
      const unit = (words[at + Word.Source] === Source.Barrier ? slices - 1 - slice : slice) * step;
      if (!this.hasTime) await this.#turn(signal);
      words[at + Word.First] = unit;
      words[at + Word.Last] = Math.min(units, unit + step);
      this.#measure(address);
      if (words[at + Word.Status] !== 0) return;
    }
  }

  /** Waits for another turn of the event loop. */
  async #turn(signal?: AbortSignal): Promise<void> {
    await nextTurn();
    this.#check(signal);
  }

  /** Carries out a slice and counts its time. */
  #measure(address: number): void {
    const start = performance.now();
    this.#execute(address);
    this.#spend(Math.round((performance.now() - start) * 1e6));
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
      this.#words.words[(address >> 2) + Word.Status] = errorId('ERR_QUANTLANE_KERNEL');
    }
  }

  #outcome(address: number): Outcome {
    const outcome = emptyOutcome();
    addOutcome(outcome, this.#words.words, address >> 2);
    return outcome;
  }

  #spend(nanoseconds: number): void {
    this.#spent += nanoseconds;
    if (this.#isTurnWatched) return;
    this.#isTurnWatched = true;
    this.#turnStart = performance.now() - nanoseconds / 1e6;
    atNextTurn(this.#endTurn);
  }
}
