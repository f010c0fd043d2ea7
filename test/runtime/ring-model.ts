/** A simple model of the ring, beside the real one. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { RING_BYTES, Ring, SLOTS } from '#src/memory/index.js';
import { State, Word } from '../../src/scheme/descriptor.js';

export const POISON = 14;
/** Words of the ring that hold the oldest and the newest sequence number. */
export const TAIL = 0;
export const HEAD = 32;

/** A ring whose next sequence number is `start`. */
export function ringAt(start: number): Ring {
  const ring = new Ring(new SharedArrayBuffer(RING_BYTES));
  ring.words[TAIL] = start;
  ring.words[HEAD] = start;
  return ring;
}

/** Fills and publishes a pass; the sequence numbers of its descriptors. */
export function publishPass(ring: Ring, count: number, barrier?: readonly number[]): number[] {
  const pass = ring.head & (SLOTS - 1);
  return Array.from({ length: count }, () => {
    const sequence = ring.head;
    const at = ring.address(sequence) >> 2;
    ring.words.fill(0, at + 1, at + 64);
    ring.words[at + Word.PassFirst] = pass;
    ring.words[at + Word.PassCount] = count;
    if (barrier !== undefined) {
      ring.words[at + Word.BarrierFirst] = barrier[0]! & (SLOTS - 1);
      ring.words[at + Word.BarrierCount] = barrier.length;
    }
    ring.publish();
    return sequence;
  });
}

/** A job in the ring, as a dispatcher knows it. */
interface Job {
  readonly passes: readonly (readonly number[])[];
}

export type Step =
  | { readonly kind: 'publish'; readonly count: number; readonly isTwoPass: boolean }
  | { readonly kind: 'claim'; readonly lane: number }
  | { readonly kind: 'finish'; readonly pick: number }
  | { readonly kind: 'withdraw'; readonly pick: number }
  | { readonly kind: 'die'; readonly lane: number }
  | { readonly kind: 'collect' };

export const LANES = 3;

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      count: fc.constantFrom(1, 1, 2, 5, 64),
      isTwoPass: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('claim' as const), lane: fc.nat(LANES - 1) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('finish' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), lane: fc.nat(LANES - 1) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'collect' as const }) },
);

/** The ring, and beside it what a simple model says of every sequence number. */
export class Model {
  readonly ring: Ring;
  readonly states = new Map<number, 'ready' | 'done' | 'cancelled' | { lane: number }>();
  readonly attempts = new Map<number, number>();
  jobs: Job[] = [];
  claims = 0;

  constructor(start: number) {
    this.ring = ringAt(start);
  }

  run(step: Step): void {
    if (step.kind === 'publish') this.#publish(step.count, step.isTwoPass);
    else if (step.kind === 'claim') this.#claim(step.lane);
    else if (step.kind === 'finish') this.#finish(step.pick);
    else if (step.kind === 'withdraw') this.#withdraw(step.pick);
    else if (step.kind === 'die') this.#die(step.lane);
    else this.#collect();
    this.#compare();
  }

  #publish(count: number, isTwoPass: boolean): void {
    const used = [...this.jobs.flatMap((job) => job.passes.flat())];
    const oldest = used[0] ?? this.ring.head;
    const inUse = (this.ring.head - oldest) | 0;
    const needed = count * (isTwoPass ? 2 : 1);
    // Slots are given back from the oldest on: a free one behind a used one is in use.
    expect(this.ring.hasRoom(needed)).toBe(inUse + needed <= SLOTS);
    if (!this.ring.hasRoom(needed)) return;
    const first = publishPass(this.ring, count);
    const passes = isTwoPass ? [first, publishPass(this.ring, count, first)] : [first];
    for (const sequence of passes.flat()) this.states.set(sequence, 'ready');
    this.jobs.push({ passes });
  }

  #isSettled(sequence: number): boolean {
    const state = this.states.get(sequence);
    return state === 'done' || state === 'cancelled';
  }

  /** The oldest descriptor that is ready and whose earlier pass is over. */
  #due(): number | undefined {
    for (const { passes } of this.jobs) {
      const [first, second = []] = passes;
      const isOver = first!.every((sequence) => this.#isSettled(sequence));
      for (const sequence of isOver ? [...first!, ...second] : first!) {
        if (this.states.get(sequence) === 'ready') return sequence;
      }
    }
    return undefined;
  }

  #claim(lane: number): void {
    const due = this.#due();
    expect(this.ring.claim(lane)).toBe(due === undefined ? -1 : this.ring.address(due));
    if (due === undefined) return;
    this.states.set(due, { lane });
    this.claims++;
  }

  #pick(isRight: (state: unknown) => boolean, pick: number): number | undefined {
    const sequences = [...this.states].flatMap(([sequence, state]) => (isRight(state) ? [sequence] : []));
    return sequences[pick % sequences.length];
  }

  #finish(pick: number): void {
    const sequence = this.#pick((state) => typeof state === 'object', pick);
    if (sequence === undefined) return;
    this.ring.finish(this.ring.address(sequence));
    this.states.set(sequence, 'done');
  }

  /** Withdraws a job from its last descriptor to its first. */
  #withdraw(pick: number): void {
    const job = this.jobs[pick % this.jobs.length];
    for (const sequence of job?.passes.flat().reverse() ?? []) {
      const isReady = this.states.get(sequence) === 'ready';
      expect(this.ring.withdraw(sequence)).toBe(isReady);
      if (isReady) this.states.set(sequence, 'cancelled');
    }
  }

  #die(lane: number): void {
    const held = [...this.states].flatMap(([sequence, state]) =>
      typeof state === 'object' && state.lane === lane ? [sequence] : [],
    );
    expect(new Set(this.ring.heldBy(lane))).toEqual(new Set(held));
    for (const sequence of this.ring.heldBy(lane)) {
      this.ring.giveBack(sequence, 2, POISON);
      const attempts = (this.attempts.get(sequence) ?? 0) + 1;
      this.attempts.set(sequence, attempts);
      this.states.set(sequence, attempts < 2 ? 'ready' : 'done');
      const status = this.ring.words[(this.ring.address(sequence) >> 2) + Word.Status];
      expect(status).toBe(attempts < 2 ? 0 : POISON);
    }
  }

  /** Frees the slots of jobs that are over. */
  #collect(): void {
    const isOver = (job: Job) => job.passes.flat().every((sequence) => this.#isSettled(sequence));
    const over = new Set(this.jobs.filter(isOver));
    for (const job of over) {
      for (const sequence of job.passes.flat()) {
        this.ring.free(sequence);
        this.states.delete(sequence);
        this.attempts.delete(sequence);
      }
    }
    this.jobs = this.jobs.filter((job) => !over.has(job));
    this.ring.retire();
    expect(this.ring.tail).toBe(this.jobs.at(0)?.passes[0]?.[0] ?? this.ring.head);
  }

  #compare(): void {
    const words = { ready: State.Ready, done: State.Done, cancelled: State.Cancelled };
    // One assertion a step: there are many sequence numbers.
    const wrong = [...this.states].filter(([sequence, state]) => {
      return this.ring.state(sequence) !== (typeof state === 'string' ? words[state] : State.Running + state.lane);
    });
    expect(wrong).toEqual([]);
  }
}
