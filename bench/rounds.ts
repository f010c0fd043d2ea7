/**
 * Contenders measured in turns, so that the noise of a shared machine falls on all of them.
 * @module
 */

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
  /** Milliseconds that a block lasts at least. */
  readonly blockMs: number;
  /** Whether the figures are worth nothing and only the way to them is tried. */
  readonly isQuick: boolean;
}

/** For figures that count. */
export const FULL: Effort = { rounds: 25, blocks: 3, blockMs: 4, isQuick: false };
/** For tests: everything happens, and briefly. */
export const QUICK: Effort = { rounds: 3, blocks: 1, blockMs: 0.2, isQuick: true };

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
  for (const contender of contenders) runs.set(contender, contender.runs ?? (await runsOf(contender, effort.blockMs)));
  for (let round = 0; round < effort.rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      const count = runs.get(contender)!;
      const blocks: number[] = [];
      for (let block = 0; block < effort.blocks; block++) blocks.push((await contender.time(count)) / count);
      times.get(contender.name)!.push(blocks.sort((a, b) => a - b)[blocks.length >> 1]!);
    }
  }
  return times;
}

/** Runs that fill a block; on the way there the code becomes warm. */
async function runsOf(contender: Contender, blockMs: number): Promise<number> {
  for (let runs = 1; ; runs *= 2) {
    const took = await contender.time(runs);
    if (took >= blockMs * 1e6 || runs >= MAX_RUNS) return runs;
  }
}

/** Of the contender with this name. */
export function timesOf(times: Times, name: string): readonly number[] {
  const found = times.get(name);
  if (found === undefined) throw new Error(`Expected times of ${name}, got those of ${[...times.keys()].join(', ')}`);
  return found;
}
