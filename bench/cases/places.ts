/**
 * Question: from which size on is a lane faster than the caller's thread? The scheduler's threshold comes from here.
 * @module
 */
import { createRuntime } from '../../src/index.js';
import { digits } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { table } from '../document.js';
import { measure, timesOf } from '../rounds.js';
import { median } from '../statistics.js';
import { atOnce, awaited, filled } from '../work.js';

const SIZES = [1_024, 4_096, 16_384, 65_536, 131_072, 262_144];

/** Finds the answer, on rows of 1,024 values. */
export async function places({ effort, report }: Context): Promise<Answer> {
  const runtime = await createRuntime({ lanes: 1, inPlaceLimit: 0 });
  const data: { elements: number; inPlace: number; lane: number }[] = [];
  for (const elements of SIZES) {
    report(`${elements} elements`);
    const batch = filled(runtime, [elements / 1_024, 1_024]);
    const contenders = [
      atOnce('in place', runtime, batch, 'torchao-int8'),
      awaited('lane', runtime, batch, 'torchao-int8'),
    ];
    const times = await measure(contenders, effort);
    const microseconds = (name: string): number => median(timesOf(times, name)) / 1e3;
    data.push({ elements, inPlace: microseconds('in place'), lane: microseconds('lane') });
    batch.release();
  }
  await runtime.close();
  const rows = data.map((row) => [row.elements.toLocaleString('en'), digits(row.inPlace), digits(row.lane)]);
  const text = table(['Values', 'In place, µs a call', 'One lane, µs a call'], rows, [true, true, true]);
  return { bars: [], text, data };
}
