/**
 * The turns of the producer: what `Dispatcher` does between two turns of the event loop, with its jobs as plain data that
 * can be copied and compared. `conformance.test.ts` holds it against the real one. Jobs wait for slots in the order in
 * which they come, as those of one source do.
 */
import type { Ring } from '#src/memory/index.js';
import { State, Word } from '../../src/scheme/descriptor.js';

export const POISON = 14;
/** Lanes that may die of one descriptor. */
export const ATTEMPTS = 2;
/** Where the model keeps which part of which job a descriptor is; no word that the ring knows. */
export const TAG = Word.First;

/** A job to be made: parts of each pass, and whether there are two. */
export interface JobPlan {
  readonly chunks: number;
  readonly isTwoPass: boolean;
}

/** What becomes of a job. */
export type Fate = 'new' | 'live' | 'resolved' | 'rejected' | 'poisoned';

/** A job of the dispatcher. */
export interface Flight {
  fate: Fate;
  /** First sequence number; −1 while it waits for slots. */
  first: number;
  remaining: number;
  isCancelled: boolean;
  status: number;
}

/** What the dispatcher knows, beside the ring. */
export interface Local {
  readonly backlog: number[];
  readonly flights: Flight[];
  /** Job of each slot whose descriptor was not counted yet, or −1. */
  readonly owners: number[];
  isWatching: boolean;
}

/** Mistakes that a dispatcher could make. */
export interface Mistakes {
  /** An aborted call is over at once, whatever still runs. */
  readonly endsOnAbort?: boolean;
  /** Nobody is woken for what a dead lane held. */
  readonly losesQuietly?: boolean;
  /** What a dead lane held stays as it is. */
  readonly forgetsTheDead?: boolean;
  /** The slots of a job are free as soon as one descriptor is counted. */
  readonly freesEarly?: boolean;
}

/** Everything that is no part of the state. */
export interface Setting {
  readonly ring: Ring;
  readonly slots: number;
  readonly lanes: number;
  readonly jobs: readonly JobPlan[];
  readonly mistakes: Mistakes;
}

/** Tag of a part of a job. */
export function tagOf(job: number, pass: number, chunk: number): number {
  return job * 16 + pass * 8 + chunk;
}

/** A dispatcher that nobody has called. */
export function freshLocal(setting: Setting): Local {
  const flight = (): Flight => ({ fate: 'new', first: -1, remaining: 0, isCancelled: false, status: 0 });
  return {
    backlog: [],
    flights: setting.jobs.map(flight),
    owners: Array.from({ length: setting.slots }, () => -1),
    isWatching: false,
  };
}

/** The turns of a dispatcher over one local state, which they change. */
export class Producer {
  readonly #setting: Setting;
  readonly #ring: Ring;
  readonly local: Local;
  /** The count of what is finished, as it was before the last look. */
  seen = 0;

  constructor(setting: Setting, local: Local) {
    this.#setting = setting;
    this.#ring = setting.ring;
    this.local = local;
  }

  /** Calls come in, in one turn. */
  submit(jobs: readonly number[]): void {
    for (const job of jobs) {
      this.local.flights[job]!.fate = 'live';
      this.local.backlog.push(job);
    }
    this.#pump();
    if (this.local.isWatching) return;
    this.local.isWatching = true;
    this.#look();
  }

  /** Something was settled, or may have been. */
  watch(): void {
    this.#look();
  }

  /** A call is given up. */
  cancel(job: number): void {
    const { flights, backlog } = this.local;
    const flight = flights[job]!;
    if (flight.isCancelled || flight.fate !== 'live') return;
    flight.isCancelled = true;
    if (flight.first < 0) {
      backlog.splice(backlog.indexOf(job), 1);
      this.#end(job);
      this.#ring.nudge();
      return;
    }
    if (this.#setting.mistakes.endsOnAbort === true) flight.fate = 'rejected';
    for (let k = this.#slotsOf(job) - 1; k >= 0; k--) this.#ring.withdraw((flight.first + k) | 0);
    this.#ring.nudge();
  }

  /** A lane has died. */
  lost(lane: number): void {
    const { forgetsTheDead, losesQuietly } = this.#setting.mistakes;
    const held = forgetsTheDead === true ? [] : this.#ring.heldBy(lane);
    for (const sequence of held) this.#ring.giveBack(sequence, ATTEMPTS, POISON);
    if (losesQuietly === true) return;
    this.#ring.wake(this.#setting.lanes);
    this.#ring.nudge();
  }

  #slotsOf(job: number): number {
    const { chunks, isTwoPass } = this.#setting.jobs[job]!;
    return chunks * (isTwoPass ? 2 : 1);
  }

  /** One round of the loop that collects; the wait that follows it is a section of its own. */
  #look(): void {
    // The count is read first: what is settled after it makes the wait end at once.
    this.seen = this.#ring.finishedCount;
    this.#collect();
    if (this.local.flights.every(({ fate }) => fate !== 'live')) this.local.isWatching = false;
  }

  #pump(): void {
    const { backlog } = this.local;
    let published = 0;
    while (backlog.length > 0) {
      const slots = this.#slotsOf(backlog[0]!);
      if (!this.#ring.hasRoom(slots)) break;
      this.#publish(backlog.shift()!);
      published += slots;
    }
    if (published > 0) this.#ring.wake(Math.min(published, this.#setting.lanes));
  }

  #publish(job: number): void {
    const flight = this.local.flights[job]!;
    flight.first = this.#ring.head;
    this.#publishPass(job, 0, -1);
    if (this.#setting.jobs[job]!.isTwoPass) this.#publishPass(job, 1, flight.first);
  }

  #publishPass(job: number, pass: number, barrier: number): void {
    const { chunks, isTwoPass } = this.#setting.jobs[job]!;
    const { words } = this.#ring;
    const mask = this.#setting.slots - 1;
    const first = this.#ring.head & mask;
    for (let chunk = 0; chunk < chunks; chunk++) {
      const sequence = this.#ring.head;
      const at = this.#ring.address(sequence) >> 2;
      // What `writeJob` copies over all words but the state.
      for (const word of [Word.Attempts, Word.Status, Word.BarrierFirst, Word.BarrierCount]) words[at + word] = 0;
      words[at + TAG] = tagOf(job, pass, chunk);
      // Jobs come in any order, so an older one may have the later turn.
      words[at + Word.Turn] = job;
      words[at + Word.PassFirst] = first;
      words[at + Word.PassCount] = chunks;
      words[at + Word.Leads] = pass === 0 && isTwoPass ? 1 : 0;
      if (barrier >= 0) {
        words[at + Word.BarrierFirst] = barrier & mask;
        words[at + Word.BarrierCount] = chunks;
      }
      this.local.owners[sequence & mask] = job;
      this.local.flights[job]!.remaining++;
      this.#ring.publish();
    }
  }

  #collect(): void {
    const ring = this.#ring;
    const { owners, flights } = this.local;
    for (let sequence = ring.tail; sequence !== ring.head; sequence = (sequence + 1) | 0) {
      const slot = sequence & (this.#setting.slots - 1);
      const job = owners[slot]!;
      if (job < 0) continue;
      const state = ring.state(sequence);
      if (state !== State.Done && state !== State.Cancelled) continue;
      owners[slot] = -1;
      const flight = flights[job]!;
      if (state === State.Done) {
        const before = flight.status;
        flight.status ||= ring.words[(ring.address(sequence) >> 2) + Word.Status]!;
        if (before === 0 && flight.status !== 0) this.cancel(job);
      }
      flight.remaining--;
      if (flight.remaining === 0 || this.#setting.mistakes.freesEarly === true) this.#end(job);
    }
    ring.retire();
    this.#pump();
  }

  #end(job: number): void {
    const flight = this.local.flights[job]!;
    if (flight.fate !== 'live') return;
    if (flight.first >= 0) {
      for (let k = 0; k < this.#slotsOf(job); k++) this.#ring.free((flight.first + k) | 0);
    }
    flight.fate = flight.status !== 0 ? 'poisoned' : flight.isCancelled ? 'rejected' : 'resolved';
  }
}
