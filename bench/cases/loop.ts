/**
 * Question: how much later do others get their turn of the event loop while the runtime is saturated?
 * @module
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRuntime, type StreamingRuntime, type TensorLease } from '../../src/index.js';
import type { Bar } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { difference } from '../statistics.js';
import { filled } from '../work.js';

const PRESET = 'onnx-dynamic';
/** Calls at a time, of 4 MiB each: always more work than lanes. */
const CALLS = 8;
const COUNT = 1_048_576;
/** Milliseconds of a round; some hundred turns of the timer, of which the 99th percentile is one of the slowest few. */
const WINDOW_MS = 500;
const MOST_MS = 2;

/** Finds the answer: idle and saturated in turns. */
export async function loop({ effort, report }: Context): Promise<Answer> {
  const bars: Bar[] = [];
  const data: object[] = [];
  for (const lanes of [2, 0]) {
    const runtime = await createRuntime({ lanes, memory: '128MiB' });
    const window = effort.isQuick ? 30 : WINDOW_MS;
    const idle: number[] = [];
    const busy: number[] = [];
    // Filled before: to write 4 MiB holds the thread for longer than the bar, and is the producer's doing.
    const batches = Array.from({ length: CALLS }, () => filled(runtime, [COUNT], (into) => into.fill(1)));
    await saturated(runtime, batches, window);
    for (let round = 0; round < effort.rounds; round++) {
      report(`event loop, ${lanes} lanes, ${round + 1}`);
      idle.push(await delay(() => sleep(window)));
      busy.push(await delay(() => saturated(runtime, batches, window)));
    }
    const { calls } = runtime.metrics();
    if (calls < CALLS * effort.rounds) throw new Error(`Expected a saturated runtime, got ${calls} calls`);
    await runtime.close();
    const work = `event-loop delay, p99, saturated with ${lanes} lanes`;
    bars.push({
      work,
      rival: 'more than idle',
      unit: 'ms',
      measured: difference(busy, idle),
      bound: { most: MOST_MS },
    });
    data.push({ lanes, idle, busy, calls });
  }
  return { bars, data };
}

/** The 99th percentile of the delay meanwhile, in milliseconds. */
async function delay(meanwhile: () => Promise<void>): Promise<number> {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  await meanwhile();
  monitor.disable();
  return monitor.percentile(99) / 1e6;
}

/** Keeps a call going on each batch for so long. */
async function saturated(
  runtime: StreamingRuntime,
  batches: readonly TensorLease<'float32'>[],
  milliseconds: number,
): Promise<void> {
  const end = performance.now() + milliseconds;
  const one = async (batch: TensorLease<'float32'>): Promise<void> => {
    do (await runtime.quantize(batch, PRESET, { keep: true })).release();
    while (performance.now() < end);
  };
  await Promise.all(batches.map(one));
}
