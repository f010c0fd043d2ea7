/**
 * Contenders measured in turns, so that the noise of a shared machine falls on all of them.
 * @module
 */
import { median } from './statistics.js';

/** One way to do the work. */
export interface Contender {
  readonly name: string;
  /** Does the work `runs` times; the nanoseconds that it took in all. */
  readonly time: (runs: number) => number | Promise<number>;
  /** Runs of a block; as many as fill one by default. */
  readonly runs?: number;
}

/** How long is measured. */
export interface Effort {
  /** Rounds, in each of which every contender has its turn. */
  readonly rounds: number;
  /** Blocks of a turn, whose median counts. */
  readonly blocks: number;
  /**
   * Milliseconds that a block lasts at least. Shorter than what a scheduler gives a thread at a time, so that on a busy
   * machine most blocks are not interrupted.
   */
  readonly blockMs: number;
  /** Milliseconds after which no more block of a turn is begun. */
  readonly turnMs: number;
  /** Milliseconds that a contender works before its first round: the engine compiles what is hot anew meanwhile. */
  readonly warmMs: number;
  /** Whether the figures are worth nothing and only the way to them is tried. */
  readonly isQuick: boolean;
}

/** For figures that count. */
export const FULL: Effort = { rounds: 25, blocks: 9, blockMs: 0.5, turnMs: 15, warmMs: 150, isQuick: false };
/** For tests: everything happens, and briefly. */
export const QUICK: Effort = { rounds: 3, blocks: 1, blockMs: 0.2, turnMs: 1, warmMs: 0, isQuick: true };

/** Nanoseconds of one run in each round, by the contender's name. */
export type Times = ReadonlyMap<string, readonly number[]>;

const MAX_RUNS = 1 << 20;

/** A contender that does the work and returns. */
export function now(name: string, run: () => unknown): Contender {
  const time = (runs: number): number => {
    const start = process.hrtime.bigint();
    for (let index = 0; index < runs; index++) run();
    return Number(process.hrtime.bigint() - start);
  };
  return { name, time };
}

/** A contender that is waited for, run after run. */
export function later(name: string, run: () => Promise<unknown>): Contender {
  const time = async (runs: number): Promise<number> => {
    const start = process.hrtime.bigint();
    for (let index = 0; index < runs; index++) await run();
    return Number(process.hrtime.bigint() - start);
  };
  return { name, time };
}

/**
 * Measures all contenders in turns. Each is warmed up and its runs of a block are counted first; every other round goes
 * backwards, so that none always comes after the same one.
 * @returns the nanoseconds of a run: the median of a turn's blocks, for each round
 */
export async function measure(contenders: readonly Contender[], effort: Effort): Promise<Times> {
  const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  const runs = new Map<Contender, number>();
  for (const contender of contenders) runs.set(contender, await warm(contender, effort));
  for (let round = 0; round < effort.rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      times.get(contender.name)!.push(await turn(contender, runs.get(contender)!, effort));
    }
  }
  return times;
}

/** Nanoseconds of a run in one turn of a contender: the median of its blocks. */
async function turn(contender: Contender, runs: number, { blocks, turnMs }: Effort): Promise<number> {
  const times: number[] = [];
  for (let spent = 0; times.length < blocks && (spent < turnMs * 1e6 || times.length === 0); ) {
    const took = await contender.time(runs);
    spent += took;
    times.push(took / runs);
  }
  return median(times);
}

/** Lets a contender work until it is warm; the runs that then fill a block. */
async function warm(contender: Contender, { blockMs, warmMs }: Effort): Promise<number> {
  for (let spent = 0, runs = contender.runs ?? 1; ; ) {
    const took = (await contender.time(runs)) / 1e6;
    spent += took;
    const isFull = contender.runs !== undefined || took >= blockMs || runs >= MAX_RUNS;
    if (isFull && spent >= warmMs) return runs;
    if (!isFull) runs *= 2;
  }
}

/** The median of each contender, to be read: `bare kernel: 1.02 µs`. */
export function toldTimes(times: Times): string {
  return [...times].map(([name, each]) => `${name}: ${(median(each) / 1e3).toPrecision(3)} µs`).join('; ');
}

/** Of the contender with this name. */
export function timesOf(times: Times, name: string): readonly number[] {
  const found = times.get(name);
  if (found === undefined) throw new Error(`Expected times of ${name}, got those of ${[...times.keys()].join(', ')}`);
  return found;
}
