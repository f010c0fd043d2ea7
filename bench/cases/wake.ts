/**
 * Question: how long until a lane that sleeps has done its first job, against an empty task of an idle Piscina worker?
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { createRuntime } from '../../src/index.js';
import type { Bar } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { type Contender, measure, timesOf, toldTimes } from '../rounds.js';
import { median, ratio } from '../statistics.js';
import { filled } from '../work.js';

/** Calls of a block, whose median counts. */
const CALLS = 15;
/** Milliseconds after which a lane neither spins nor dozes but sleeps. */
const IDLE_MS = 3;
/** Calls of each before, one after the other: in a process that has just begun most of the time goes to cold code. */
const WARM_CALLS = 2_000;
const MOST = 0.4;

/** Finds the answer. */
export async function wake({ effort, report }: Context): Promise<Answer> {
  report('wake');
  const runtime = await createRuntime({ lanes: 1, inPlaceLimit: 0, memory: '1MiB' });
  const batch = filled(runtime, [1, 64]);
  const lane = async () => (await runtime.quantize(batch, 'vllm-int8-per-token', { keep: true })).release();
  const filename = new URL('../empty-task.js', import.meta.url).href;
  const size = { minThreads: 1, maxThreads: 1, idleTimeout: Number.POSITIVE_INFINITY };
  // The default, whose idle workers block their thread, and the one whose workers stay with their event loop, as a lane.
  const pools = [new Piscina({ filename, ...size }), new Piscina({ filename, ...size, atomics: 'async' })];
  const names = ['Piscina, atomics sync (default)', 'Piscina, atomics async'];
  for (const call of [lane, ...pools.map((pool) => () => pool.run(null))]) {
    for (let index = 0; index < (effort.isQuick ? CALLS : WARM_CALLS); index++) await call();
  }
  const contenders = [fromIdle('lane', lane), ...pools.map((pool, at) => fromIdle(names[at]!, () => pool.run(null)))];
  const times = await measure(contenders, { ...effort, blocks: 1, warmMs: 0 });
  const jobs = runtime.metrics().jobs;
  await runtime.close();
  for (const pool of pools) await pool.destroy();
  const work = 'wake an idle lane and hear of the end of its job, p50';
  const bars = names.map((rival, at): Bar => {
    const measured = ratio(timesOf(times, 'lane'), timesOf(times, rival));
    return { work, rival, unit: '×', measured, bound: at === 0 ? { most: MOST } : undefined };
  });
  return { bars, text: toldTimes(times), data: { jobs } };
}

/** Calls that each find the other thread asleep. */
function fromIdle(name: string, call: () => Promise<unknown>): Contender {
  const time = async (): Promise<number> => {
    const took: number[] = [];
    for (let index = 0; index < CALLS; index++) {
      await sleep(IDLE_MS);
      const start = process.hrtime.bigint();
      await call();
      took.push(Number(process.hrtime.bigint() - start));
    }
    return median(took);
  };
  return { name, time, runs: 1 };
}
