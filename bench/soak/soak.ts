/**
 * The soak: load on the public API while threads end, checked batch by batch.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createRuntime, type RuntimeMetrics, type StreamingRuntime } from '../../src/index.js';
import { callSession } from './calls.js';
import { type Counts, Ledger, textOf } from './ledger.js';
import { Random } from './random.js';
import { Reaper } from './reaper.js';
import { Scene, type Stage } from './scene.js';
import { Specimens } from './specimen.js';
import { streamSession } from './streams.js';

/** How long and how hard. */
export interface SoakOptions {
  /** Milliseconds of load. */
  readonly milliseconds: number;
  readonly lanes: number;
  /** Of every choice; threads are scheduled by the machine, so a run is repeated in its choices only. */
  readonly seed: number;
  /** Milliseconds between two threads ended from outside, on the average. */
  readonly killMs: number;
  /** Milliseconds after which a runtime is drained, checked and replaced. */
  readonly roundMs: number;
  /** Sessions at a time. */
  readonly sessions: number;
}

/** What a soak found. */
export interface SoakResult extends Counts {
  readonly seed: number;
  readonly seconds: number;
  readonly rounds: number;
  /** Threads ended from outside. */
  readonly kills: number;
  /** Threads that were ended because they stalled, lanes that were started again, and those that were given up. */
  readonly stalls: number;
  readonly restarts: number;
  readonly gone: number;
  /** Largest resident memory seen, in bytes. */
  readonly peakRss: number;
  readonly violated: number;
  readonly violations: readonly string[];
}

/** Milliseconds without any result after which the runtime is taken to be stuck. */
const STALL_MS = 30_000;
/** Milliseconds that a lane may take for a part of a batch: much longer than any does on a busy machine. */
const LANE_STALL_MS = 1_000;
/** The part of poison among batches. */
const POISON_RATE = 0.01;

/** Runs the load for its time; `report` is told how it goes, once a second. */
export async function soak(options: SoakOptions, report: (text: string) => void): Promise<SoakResult> {
  const ledger = new Ledger();
  const random = new Random(options.seed);
  const onRejection = (error: unknown): void => ledger.violate(`unhandled: ${textOf(error)}`);
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onRejection);
  const twin = await createRuntime({ lanes: 0, kernels: 'scalar', memory: '64MiB' });
  const specimens = new Specimens(twin);
  const began = performance.now();
  const end = began + options.milliseconds;
  const totals = { rounds: 0, restarts: 0, stalls: 0, gone: 0, peakRss: 0 };
  let round: Round | undefined;
  const reaper = new Reaper(random.fork(), { isFair: () => round?.isFair() === true }, options.killMs);
  const ticker = setInterval(() => {
    totals.peakRss = Math.max(totals.peakRss, process.memoryUsage.rss());
    const seconds = Math.round((performance.now() - began) / 1000);
    const { delivered, poisoned } = ledger.counts;
    report(`${seconds} s: ${delivered} batches, ${poisoned} poison, ${ledger.violated} violations`);
  }, 1_000);
  while (performance.now() < end && ledger.violated === 0) {
    round = new Round(options, random.fork(), specimens, ledger, () => reaper.kills);
    const { restarts, stalls, gone } = await round.run(Math.min(end, performance.now() + options.roundMs));
    totals.restarts += restarts;
    totals.stalls += stalls;
    totals.gone += gone;
    totals.rounds++;
  }
  reaper.stop();
  clearInterval(ticker);
  await twin.close();
  // Rejections that nobody handles are told of at the end of a turn.
  await pause(10);
  process.off('unhandledRejection', onRejection);
  process.off('uncaughtException', onRejection);
  const { counts, violated, violations } = ledger;
  return {
    ...counts,
    ...totals,
    kills: reaper.kills,
    seed: options.seed,
    seconds: (performance.now() - began) / 1000,
    violated,
    violations,
  };
}

/** The life of one runtime. */
class Round {
  readonly #options: SoakOptions;
  readonly #random: Random;
  readonly #specimens: Specimens;
  readonly #ledger: Ledger;
  readonly #kills: () => number;
  /** The runtime while there is load on it. */
  #underLoad: StreamingRuntime | undefined;

  constructor(options: SoakOptions, random: Random, specimens: Specimens, ledger: Ledger, kills: () => number) {
    this.#options = options;
    this.#random = random;
    this.#specimens = specimens;
    this.#ledger = ledger;
    this.#kills = kills;
  }

  /** Whether a thread may be ended: there is load. */
  isFair(): boolean {
    return this.#underLoad !== undefined;
  }

  /** Puts a runtime under load until the end; what became of its lanes. */
  async run(end: number): Promise<RuntimeMetrics['lanes']> {
    const { lanes } = this.#options;
    const workerUrl = new URL('entry.cjs', import.meta.url);
    const inPlaceLimit = this.#random.pick([0, 0, 60]);
    const deadlines = { startDeadline: STALL_MS, stallDeadline: LANE_STALL_MS };
    const runtime = await createRuntime({ lanes, memory: '256MiB', inPlaceLimit, workerUrl, ...deadlines });
    const before = { ...this.#ledger.counts };
    const stage: Stage = {
      runtime,
      specimens: this.#specimens,
      ledger: this.#ledger,
      kills: this.#kills,
      poisonRate: POISON_RATE,
    };
    this.#underLoad = runtime;
    // A runtime that has given a lane up is replaced: without lanes there is little left to go wrong.
    const isOver = (): boolean =>
      performance.now() >= end || this.#ledger.violated > 0 || runtime.metrics().lanes.gone > 0;
    const sessions = Array.from({ length: this.#options.sessions }, () => this.#play(stage, isOver));
    const isDone = await this.#unlessStuck(
      runtime,
      Promise.all(sessions).then(() => runtime.drain()),
    );
    this.#underLoad = undefined;
    if (isDone) await this.#check(runtime, before);
    const counts = runtime.metrics().lanes;
    await (isDone ? runtime.close() : runtime.destroy());
    return counts;
  }

  /** Plays one session after the other. */
  async #play(stage: Stage, isOver: () => boolean): Promise<void> {
    const random = this.#random.fork();
    while (!isOver()) {
      const scene = new Scene(stage, random, random.between(10, 24));
      try {
        await (random.chance(0.4) ? callSession(scene) : streamSession(scene));
      } catch (error) {
        this.#ledger.violate(`a session failed: ${textOf(error)}`);
      }
    }
  }

  /** Whether the work ended before nothing was delivered for long. */
  async #unlessStuck(runtime: StreamingRuntime, work: Promise<void>): Promise<boolean> {
    this.#ledger.lastDelivery = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<boolean>((resolve) => {
      timer = setInterval(() => {
        if (performance.now() - this.#ledger.lastDelivery > STALL_MS) resolve(false);
      }, 1_000);
    });
    const isDone = await Promise.race([work.then(() => true), stuck]);
    clearInterval(timer);
    this.#ledger.check(isDone, () => `no result for ${STALL_MS / 1000} s: ${JSON.stringify(runtime.metrics())}`);
    return isDone;
  }

  /** When every call is over, everything is back, every lane lives or was given up, and the metrics agree with what was seen. */
  async #check(runtime: StreamingRuntime, before: Counts): Promise<void> {
    const ledger = this.#ledger;
    const { lanes } = this.#options;
    const accounted = (): number => runtime.metrics().lanes.alive + runtime.metrics().lanes.gone;
    for (let wait = 0; wait < 300 && accounted() < lanes; wait++) await pause(100);
    const metrics = runtime.metrics();
    const { arena, jobs } = metrics;
    const idle = { pending: metrics.pending, inUse: arena.inUse, leases: arena.leases, leaked: arena.leaked };
    for (const [name, count] of Object.entries({ ...idle, waiting: arena.waiting })) {
      ledger.check(count === 0, () => `${name} is ${count} at the end of a round`);
    }
    ledger.check(accounted() === lanes, () => `${accounted()} of ${lanes} lanes live or were given up`);
    const served = metrics.calls - metrics.failed;
    const delivered = ledger.counts.delivered - before.delivered;
    const elements = ledger.counts.elements - before.elements;
    ledger.check(served >= delivered, () => `${delivered} results of ${served} calls that did not fail`);
    ledger.check(metrics.elements >= elements, () => `${elements} values delivered, ${metrics.elements} counted`);
    const ran = jobs.inPlace + jobs.lanes + jobs.sliced;
    ledger.check(ran >= served, () => `${ran} jobs for ${served} calls`);
    const poisoned = ledger.counts.poisoned - before.poisoned;
    ledger.check(metrics.failed >= poisoned, () => `${metrics.failed} calls failed, ${poisoned} of them of poison`);
    ledger.check(jobs.poisoned >= poisoned, () => `${jobs.poisoned} parts given up, ${poisoned} calls of poison`);
  }
}
