/** What the model says of dispatcher and lanes is what they do; the ring in the model is the real one. */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { RING_BYTES, Ring, SLOTS } from '#src/memory/index.js';
import { Dispatcher } from '#src/runtime/dispatcher.js';
import { type Job, jobKind, NOWHERE } from '#src/runtime/job.js';
import { Lane } from '../../dist/workers/loop.js';
import { Mode, Op, Source } from '../../src/scheme/codes.js';
import { Word } from '../../src/scheme/descriptor.js';
import { type Fate, freshLocal, type JobPlan, Producer } from './producer.js';

const LANES = 2;
/** What the model keeps of each slot, but for the tags, which are its own. */
const WORDS = [Word.State, Word.Attempts, Word.Status, Word.PassFirst, Word.PassCount, Word.Leads];
const BARRIER = [Word.BarrierFirst, Word.BarrierCount];
/** Elements that make a part of a job. */
const PART = 65_536;

function realJob({ chunks, isTwoPass }: JobPlan): Job {
  const op = isTwoPass ? Op.Tensor : Op.Segments;
  const sizes = { units: chunks, elements: chunks * PART, length: PART, group: 0, count: 0, parts: 0, inner: 0 };
  const layout = { op, unitElements: PART, ...sizes };
  return { kind: jobKind(Mode.Quantize, Source.Data, layout, new Int32Array(96), false), places: NOWHERE };
}

/** The real dispatcher and that of the model, each with a ring, driven alike. */
class Pair {
  readonly #rings = [0, 1].map(() => new Ring(new SharedArrayBuffer(RING_BYTES))) as [Ring, Ring];
  readonly #dispatcher: Dispatcher;
  readonly #producer: Producer;
  readonly #plans: readonly JobPlan[];
  readonly fates: Fate[];
  readonly #stops: AbortController[];
  readonly #claimed: { address: number; lane: number }[] = [];

  constructor(plans: readonly JobPlan[]) {
    this.#plans = plans;
    this.fates = plans.map(() => 'new');
    this.#stops = plans.map(() => new AbortController());
    const setting = { ring: this.#rings[1], slots: SLOTS, lanes: LANES, jobs: plans, mistakes: {} };
    this.#dispatcher = new Dispatcher(this.#rings[0], LANES, 2 ** 30, () => undefined);
    this.#producer = new Producer(setting, freshLocal(setting));
  }

  async step(kind: number, pick: number): Promise<void> {
    const fresh = this.fates.indexOf('new');
    const live = this.fates.flatMap((fate, job) => (fate === 'live' ? [job] : []));
    if (kind < 2 && fresh >= 0) this.#submit(fresh);
    else if (kind < 6) this.#claim(pick % LANES);
    else if (kind < 10 && this.#claimed.length > 0) this.#finish(pick);
    else if (kind === 10 && live.length > 0) this.#cancel(live[pick % live.length]!);
    else if (kind === 11) this.#lose(pick % LANES);
    for (let wait = 0; wait < 4; wait++) await turn();
    while (this.#producer.local.isWatching && this.#producer.seen !== this.#rings[1].finishedCount) {
      this.#producer.watch();
    }
    this.#compare();
  }

  #submit(job: number): void {
    this.fates[job] = 'live';
    this.#dispatcher.run(realJob(this.#plans[job]!), { signal: this.#stops[job]!.signal }).then(
      ({ status }) => {
        this.fates[job] = status === 0 ? 'resolved' : 'poisoned';
      },
      () => {
        this.fates[job] = 'rejected';
      },
    );
    this.#producer.submit([job]);
  }

  #claim(lane: number): void {
    // A lane has one descriptor at a time.
    if (this.#claimed.some((claimed) => claimed.lane === lane)) return;
    const [address, other] = this.#rings.map((ring) => ring.claim(lane)) as [number, number];
    expect(address).toBe(other);
    if (address >= 0) this.#claimed.push({ address, lane });
  }

  #finish(pick: number): void {
    const { address } = this.#claimed.splice(pick % this.#claimed.length, 1)[0]!;
    for (const ring of this.#rings) ring.finish(address);
  }

  #cancel(job: number): void {
    this.#stops[job]!.abort();
    this.#producer.cancel(job);
  }

  #lose(lane: number): void {
    const at = this.#claimed.findIndex((claimed) => claimed.lane === lane);
    if (at >= 0) this.#claimed.splice(at, 1);
    this.#dispatcher.laneLost(lane);
    this.#producer.lost(lane);
  }

  #compare(): void {
    const [real, model] = this.#rings.map((ring) => {
      const slots: number[][] = [];
      for (let sequence = ring.tail; sequence !== ring.head; sequence++) {
        const at = ring.address(sequence) >> 2;
        const barrier = ring.words[at + Word.BarrierCount] === 0 ? [] : BARRIER;
        slots.push([...WORDS, ...barrier].map((word) => ring.words[at + word]!));
      }
      return { tail: ring.tail, head: ring.head, slots };
    });
    expect(model).toEqual(real);
    expect(this.#producer.local.flights.map(({ fate }) => fate)).toEqual(this.fates);
  }

  close(): void {
    this.#dispatcher.close();
  }
}

it('a dispatcher does what the model does', { timeout: 120_000 }, async () => {
  const plan = fc
    .record({ chunks: fc.constantFrom(1, 2, 3), isTwoPass: fc.boolean() })
    // What has one part has one descriptor, which does both.
    .map(({ chunks, isTwoPass }) => ({ chunks, isTwoPass: isTwoPass && chunks > 1 }));
  const steps = fc.array(fc.tuple(fc.nat(11), fc.nat()), { minLength: 20, maxLength: 60, size: 'max' });
  const plans = fc.array(plan, { minLength: 1, maxLength: 4 });
  const fates = new Set<Fate>();
  await fc.assert(
    fc.asyncProperty(plans, steps, async (jobs, moves) => {
      const pair = new Pair(jobs);
      try {
        for (const [kind, pick] of moves) await pair.step(kind, pick);
        for (const fate of pair.fates) fates.add(fate);
      } finally {
        pair.close();
      }
    }),
    { numRuns: 150 },
  );
  expect([...fates].sort()).toEqual(['live', 'new', 'poisoned', 'rejected', 'resolved']);
});

it('a lane asks the ring in the order of the model', async () => {
  const pages = Math.ceil(RING_BYTES / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const asked: string[] = [];
  for (const name of ['workCount', 'isStopped'] as const) {
    const real = Object.getOwnPropertyDescriptor(Ring.prototype, name)!.get!;
    vi.spyOn(Ring.prototype, name, 'get').mockImplementation(function (this: Ring) {
      asked.push(name);
      return real.call(this) as never;
    });
  }
  for (const name of ['claim', 'finish', 'sleep', 'rest', 'wake', 'rouse'] as const) {
    const real = Ring.prototype[name] as (...args: number[]) => unknown;
    vi.spyOn(Ring.prototype, name).mockImplementation(function (this: Ring, ...args: number[]) {
      asked.push(name);
      return real.call(this, ...args) as never;
    } as never);
  }
  vi.spyOn(Ring.prototype, 'spin').mockImplementation(() => undefined);
  vi.spyOn(Ring.prototype, 'doze').mockImplementation(() => undefined);
  const ring = new Ring(memory.buffer as unknown as SharedArrayBuffer);
  const at = ring.address(0) >> 2;
  ring.words[at + Word.PassCount] = 1;
  ring.publish();
  const lane = new Lane(0, memory, { name: 'scalar', execute: () => undefined });
  const look = ['workCount', 'isStopped'];
  const end = lane.run();
  await turn();
  expect(asked.splice(0)).toEqual([...look, 'rest']);
  lane.resume();
  while (!asked.includes('sleep')) await turn();
  // It spins and dozes once before it sleeps, and then asks whether the spin was worth it.
  const idle = [...look, 'claim', 'workCount', ...look, 'claim', 'sleep'];
  expect(asked.splice(0)).toEqual(['rouse', ...look, 'claim', 'finish', ...idle]);
  lane.drain();
  await turn();
  await turn();
  expect(asked.splice(0)).toEqual(['wake', ...look, 'rest']);
  ring.setStop(true);
  await end;
  expect(asked).toEqual(['wake', 'rouse', ...look]);
  vi.restoreAllMocks();
});
