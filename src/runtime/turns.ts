/**
 * Whose turn it is on the lanes: sources of work, such as streams, take turns, so that a flood from one of them delays
 * another by one batch at most.
 *
 * Jobs get numbers as in start-time fair queueing: one more than that of the source's job before, or than that of the last
 * job that ended, where that is later. Lanes claim the lowest number first, so a source that comes anew goes before all
 * but one of the jobs that another has waiting.
 * @module
 */

/** A job that takes turns. */
export interface Turn {
  /** Where it comes from. */
  readonly source: object;
  /** Values that it works on. */
  readonly elements: number;
  /** Its number, from the moment on when it is let go. */
  turn: number;
}

/** A source of which nothing is known is forgotten. */
interface Line<T> {
  readonly waiting: T[];
  /** Jobs that were let go and have not ended, and their values. */
  jobs: number;
  elements: number;
  /** Number of the last one. */
  last: number;
}

/** A source may have so many values, or two jobs, let go at a time: enough that no lane waits for the producer. */
const AHEAD_ELEMENTS = 2 ** 21;
const AHEAD_JOBS = 2;

/** Jobs that wait for the lanes, in the order of their turns. */
export class Turns<T extends Turn> {
  /** By source; the one whose turn it is comes first. */
  readonly #lines = new Map<object, Line<T>>();
  #clock = 0;
  #waiting = 0;

  /** Jobs that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** A job waits. */
  push(job: T): void {
    let line = this.#lines.get(job.source);
    if (line === undefined) {
      line = { waiting: [], jobs: 0, elements: 0, last: this.#clock };
      this.#lines.set(job.source, line);
    }
    line.waiting.push(job);
    this.#waiting++;
  }

  /** The job whose turn it is; undefined where none waits, or all that wait have enough of their source before them. */
  next(): T | undefined {
    for (const { waiting, jobs, elements } of this.#lines.values()) {
      if (waiting.length > 0 && (jobs < AHEAD_JOBS || elements < AHEAD_ELEMENTS)) return waiting[0];
    }
    return undefined;
  }

  /** Lets the job go that `next` gave: its number is set, and its source goes to the end. */
  go(job: T): void {
    const line = this.#lines.get(job.source)!;
    line.waiting.shift();
    this.#waiting--;
    line.jobs++;
    line.elements += job.elements;
    line.last = later(line.last, this.#clock) + 1;
    job.turn = line.last | 0;
    this.#lines.delete(job.source);
    this.#lines.set(job.source, line);
  }

  /** A job that was let go has ended. */
  ended(job: T): void {
    const line = this.#lines.get(job.source)!;
    line.jobs--;
    line.elements -= job.elements;
    this.#clock = later(this.#clock, job.turn);
    this.#forget(job.source, line);
  }

  /** Takes a job that waits out; false where it does not wait. */
  remove(job: T): boolean {
    const line = this.#lines.get(job.source);
    const at = line?.waiting.indexOf(job) ?? -1;
    if (line === undefined || at < 0) return false;
    line.waiting.splice(at, 1);
    this.#waiting--;
    this.#forget(job.source, line);
    return true;
  }

  #forget(source: object, { waiting, jobs }: Line<T>): void {
    if (waiting.length === 0 && jobs === 0) this.#lines.delete(source);
  }
}

/** The later of two numbers, which wrap around. */
function later(one: number, other: number): number {
  return ((one - other) | 0) > 0 ? one : other;
}
