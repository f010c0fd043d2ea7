/**
 * Contenders of a comparison, measured in turns so that the noise of a shared machine falls on all of them.
 * @module
 */
import { Bench } from 'tinybench';

/** One way to do the work. */
export interface Contender {
  readonly name: string;
  /** Does the work once; an `async` function where it must be waited for. */
  readonly run: () => unknown;
}

/** What was measured for one contender. */
export interface Measurement {
  readonly name: string;
  /** Median over the rounds of the median time of one run, in milliseconds. */
  readonly milliseconds: number;
}

const ROUNDS = 7;
const ROUND_MS = 120;

/**
 * Milliseconds that the processors have worked for this process: of work on one thread the time that it takes without
 * other processes on the machine.
 */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Measures all contenders, `ROUNDS` times in turns, by a clock in milliseconds. */
export async function compare(contenders: readonly Contender[], now?: () => number): Promise<Measurement[]> {
  const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, run } of contenders) {
      const bench = new Bench({
        time: ROUND_MS,
        ...(now !== undefined && { now }),
        iterations: 5,
        warmupTime: round === 0 ? 100 : 20,
        warmupIterations: 2,
      });
      bench.add(name, run as () => Promise<unknown>);
      const [task] = await bench.run();
      const result = task?.result;
      if (result === undefined || !('latency' in result))
        throw new Error(`${name} did not run: ${JSON.stringify(result)}`);
      times.get(name)!.push(result.latency.p50);
    }
  }
  return contenders.map(({ name }) => ({ name, milliseconds: median(times.get(name)!) }));
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
