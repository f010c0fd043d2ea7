/**
 * A job on its way through the ring: cut into descriptors, which are filled and published.
 * @module
 */
import { type Ring, type RunBatch, SLOTS, writeRun } from '../memory/index.js';
import { Mode, Source } from '../scheme/codes.js';
import { Word } from '../scheme/descriptor.js';
import type { Due } from './due.js';
import { type Job, writeJob } from './job.js';
import { emptyOutcome, type Outcome } from './outcome.js';
import type { Turn } from './turns.js';
import type { Watchable } from './watch.js';

/** Most descriptors of one pass of a job. */
const MAX_CHUNKS = 64;
/** A chunk has at least so many elements, unless a unit has more: below, a descriptor costs more than it brings. */
export const CHUNK_ELEMENTS = 65_536;

/** How a job is carried out. */
export interface DispatchOptions extends Due, Watchable {
  readonly signal?: AbortSignal | undefined;
  /** Where it comes from: sources take turns. Default: one for all that do not say. */
  readonly source?: object | undefined;
}

/** What became of jobs. */
export interface DispatchCounts {
  /** Jobs that are not over. */
  readonly running: number;
  /** Descriptors that lanes carried out. */
  readonly parts: number;
  /** Descriptors that were run again because their lane died. */
  readonly replayed: number;
  /** Descriptors that were given up because lanes died of them. */
  readonly poisoned: number;
  /** Jobs that were given up because they were late. */
  readonly late: number;
}

/** Carries jobs out elsewhere than on this thread. */
export interface Dispatching {
  readonly counts: DispatchCounts;
  /** Rejects with the signal's reason, ERR_QUANTLANE_DEADLINE, or what `abandon` was given. */
  run(job: Job, options: DispatchOptions): Promise<Outcome>;
  /** Gives every job up that is not finished. */
  abandon(reason: unknown): void;
  /** Lets go; no job runs any more. */
  close(): void;
}

/** Jobs that share a descriptor. */
export interface Run {
  readonly flights: readonly Flight[];
  /** Where each of them lies. */
  readonly batches: readonly RunBatch[];
  /** The number of the last one: whoever may go before that one goes before all. */
  readonly turn: number;
}

/** A job in the ring or before it. */
export interface Flight extends Turn {
  readonly job: Job;
  readonly chunks: number;
  /** Whether a pass for the range goes before the pass for the codes: one descriptor does both by itself. */
  readonly isTwoPass: boolean;
  /** Descriptors of all its passes. */
  readonly slots: number;
  /** What it shares its descriptor with, itself among it; undefined for one that has its own. */
  run: Run | undefined;
  /** It was in a run that came to no good: it has a descriptor of its own from now on. */
  isAlone: boolean;
  readonly outcome: Outcome;
  readonly due: number;
  /** First sequence number; undefined while it waits for slots. */
  first: number | undefined;
  /** Descriptors that are neither done nor withdrawn. */
  remaining: number;
  /** Reason to give up: an abort, a deadline, or the end of the lanes. */
  reason: unknown;
  isCancelled: boolean;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
}

/** A job that waits for slots. */
export function newFlight(job: Job, source: object, due: number, settle: Pick<Flight, 'resolve' | 'reject'>): Flight {
  const { units, elements } = job.kind.layout;
  const chunks = Math.min(units, MAX_CHUNKS, Math.max(1, Math.ceil(elements / CHUNK_ELEMENTS)));
  const isTwoPass = job.kind.isTwoPass && chunks > 1;
  return {
    job,
    source,
    elements,
    due,
    turn: 0,
    chunks,
    isTwoPass,
    slots: chunks * (isTwoPass ? 2 : 1),
    run: undefined,
    isAlone: false,
    outcome: emptyOutcome(),
    first: undefined,
    remaining: 0,
    reason: undefined,
    isCancelled: false,
    ...settle,
  };
}

/** Fills the next slots with the descriptors of a job and publishes them; there is room for them. */
export function publishFlight(ring: Ring, flight: Flight): void {
  const first = ring.head;
  flight.first = first;
  if (flight.isTwoPass) {
    publishPass(ring, flight, Mode.Range, Source.Data, -1);
    publishPass(ring, flight, Mode.Quantize, Source.Barrier, first);
  } else {
    publishPass(ring, flight, flight.job.kind.mode, flight.job.kind.source, -1);
  }
}

function publishPass(ring: Ring, flight: Flight, mode: Mode, source: Source, barrier: number): void {
  const { job, chunks } = flight;
  const { units } = job.kind.layout;
  const words = ring.words;
  const pass = ring.head & (SLOTS - 1);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const at = ring.address(ring.head) >> 2;
    // The state is left alone: the slot is free, and `publish` makes it ready.
    writeJob(job, words, at);
    words[at + Word.Mode] = mode;
    words[at + Word.Source] = source;
    // The second pass goes from the end to the start: what the first one read last is still in the cache.
    const part = barrier >= 0 ? chunks - 1 - chunk : chunk;
    words[at + Word.First] = Math.floor((units * part) / chunks);
    words[at + Word.Last] = Math.floor((units * (part + 1)) / chunks);
    words[at + Word.PassFirst] = pass;
    words[at + Word.PassCount] = chunks;
    words[at + Word.Turn] = flight.run?.turn ?? flight.turn;
    words[at + Word.Leads] = mode === Mode.Range && flight.isTwoPass ? 1 : 0;
    if (barrier >= 0) {
      words[at + Word.BarrierFirst] = barrier & (SLOTS - 1);
      words[at + Word.BarrierCount] = chunks;
      words[at + Word.RingBase] = ring.base;
      words[at + Word.RingCount] = SLOTS;
    }
    if (flight.run !== undefined) writeRun(words, at, flight.run.batches);
    flight.remaining++;
    ring.publish();
  }
}
