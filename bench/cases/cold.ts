/**
 * Question: how long does a fresh process take from `createRuntime` to its first result?
 * @module
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bar } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { difference, estimate } from '../statistics.js';

const PROGRAM = fileURLToPath(new URL('../cold-process.js', import.meta.url));
const MOST_MS = 150;

/** Finds the answer: a process with a runtime and one without anything, in turns. */
export async function cold({ effort, report }: Context): Promise<Answer> {
  const whole: number[] = [];
  const empty: number[] = [];
  const inside: { readonly runtime: number; readonly loaded: number }[] = [];
  // The first ones read the files from the disk.
  await lifetime([PROGRAM]);
  await lifetime(['-e', '0']);
  for (let round = 0; round < effort.rounds; round++) {
    report(`cold, ${round + 1}`);
    const mine = await lifetime([PROGRAM]);
    whole.push(mine.milliseconds);
    inside.push(JSON.parse(mine.stdout));
    empty.push((await lifetime(['-e', '0'])).milliseconds);
  }
  const bar = (work: string, rival: string, values: Bar['measured'], bound?: Bar['bound']): Bar => ({
    work,
    rival,
    unit: 'ms',
    measured: values,
    bound,
  });
  const bars = [
    bar('createRuntime to first result, 2 lanes, cold', '', estimate(inside.map(({ runtime }) => runtime)), {
      most: MOST_MS,
    }),
    bar('the same and loading the modules', '', estimate(inside.map(({ loaded }) => loaded))),
    bar('the same, whole process', 'more than node -e 0', difference(whole, empty)),
    bar('node -e 0', '', estimate(empty)),
  ];
  return { bars, data: { whole, empty, inside } };
}

async function lifetime(args: readonly string[]): Promise<{ milliseconds: number; stdout: string }> {
  const start = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return { milliseconds: performance.now() - start, stdout };
}
