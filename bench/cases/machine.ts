/**
 * Question: what can this machine do at all? Rates of its memory and of C loops of the same work.
 * @module
 */
import { createRuntime } from '../../src/index.js';
import { type Bar, faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { table } from '../document.js';
import { hashOf, type LimitKernel, limitValues } from '../limits.js';
import { measure, timesOf } from '../rounds.js';
import { median } from '../statistics.js';
import { atOnce, filled } from '../work.js';

/** Floats of the loops. */
const COUNTS = [4_096, 65_536, 1_048_576];

/** Finds the answer. */
export async function machine({ effort, limits, report }: Context): Promise<Answer> {
  if (limits === undefined) return { bars: [], text: 'no C compiler: limits are left out' };
  const bytes = effort.isQuick ? 2 ** 20 : 2 ** 29;
  const memory: readonly (readonly [string, LimitKernel])[] = [
    ['memory copy, 1 thread', 'copy'],
    ['memory reads, 1 thread', 'read1'],
    ['memory reads, 2 threads', 'read2'],
  ];
  report('memory');
  const contenders = memory.map(([name, kernel]) => limits.contender(name, kernel, bytes));
  const times = await measure(contenders, { ...effort, blocks: 1 });
  const rows = memory.map(([name]) => [name, '', `${(bytes / median(timesOf(times, name))).toFixed(1)} GB/s`]);
  const bars: Bar[] = [];
  const runtime = await createRuntime({ lanes: 0, memory: '32MiB' });
  for (const count of COUNTS) {
    report(`${count} floats`);
    const batch = filled(runtime, [count], limitValues);
    using codes = runtime.quantizeSync(batch, 'onnx-dynamic', { keep: true });
    if (hashOf(codes.data as Uint8Array) !== (await limits.check('uint8tensor', count))) {
      throw new Error('limits.c makes other codes');
    }
    const names = { int8row: 'C, int8 of rows of 4,096', uint8tensor: 'C, range and uint8' };
    const found = await measure(
      [
        limits.contender(names.int8row, 'int8row', count),
        limits.contender(names.uint8tensor, 'uint8tensor', count),
        atOnce('quantlane', runtime, batch, 'onnx-dynamic'),
      ],
      effort,
    );
    for (const name of Object.values(names)) {
      rows.push([name, count.toLocaleString('en'), `${(count / median(timesOf(found, name))).toFixed(2)} · 10⁹/s`]);
    }
    const work = `onnx-dynamic, ${count.toLocaleString('en')} values, quantizeSync`;
    bars.push(faster(found, work, 'quantlane', names.uint8tensor, undefined));
    batch.release();
  }
  await runtime.close();
  const text = `Compiled with \`${limits.compiler}\`.\n\n${table(['Limit', 'Values', 'Rate'], rows)}`;
  return { bars, text, data: rows };
}
