/**
 * Question: how near do int8 codes of rows come to what the machine can do: in cache to a C loop for its vectors, beyond
 * all caches to the bandwidth of its memory?
 * @module
 */
import { createRuntime, type Runtime, type TensorLease } from '../../src/index.js';
import { type Bar, faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { hashOf, type Limits, limitValues } from '../limits.js';
import { measure } from '../rounds.js';
import { atOnce, awaited, filled } from '../work.js';

const PRESET = 'vllm-int8-per-token';
const COLUMNS = 4_096;
/** 256 KiB of values: more than the first cache of a core, less than the second. */
const ROWS_IN_CACHE = 16;
/** 512 MiB of values: more than the last cache of any machine that is likely. */
const ROWS_BEYOND = 32_768;
/** A value is read and a code is written. */
const BYTES_AN_ELEMENT = 5;

/** Finds the answer. */
export async function rows(context: Context): Promise<Answer> {
  const { limits } = context;
  if (limits === undefined) return { bars: [], text: 'no C compiler: limits are left out' };
  return { bars: [await inCache(context, limits), ...(await beyond(context, limits))] };
}

async function inCache({ effort, report }: Context, limits: Limits): Promise<Bar> {
  report('rows in cache');
  const runtime = await createRuntime({ lanes: 0, memory: '16MiB' });
  const batch = filled(runtime, [ROWS_IN_CACHE, COLUMNS], limitValues);
  await assertSameCodes(runtime, batch, limits);
  const count = ROWS_IN_CACHE * COLUMNS;
  const times = await measure(
    [limits.contender('C', 'int8row', count), atOnce('quantlane', runtime, batch, PRESET)],
    effort,
  );
  await runtime.close();
  return faster(times, `${PRESET}, ${ROWS_IN_CACHE} x ${COLUMNS}, quantizeSync`, 'quantlane', 'C', 0.55);
}

async function beyond({ effort, report }: Context, limits: Limits): Promise<Bar[]> {
  report('rows beyond cache');
  const count = (effort.isQuick ? 64 : ROWS_BEYOND) * COLUMNS;
  const runtime = await createRuntime({ lanes: 2, memory: count * BYTES_AN_ELEMENT + 2 ** 24 });
  const batch = filled(runtime, [count / COLUMNS, COLUMNS], limitValues);
  await assertSameCodes(runtime, batch, limits);
  const bytes = count * BYTES_AN_ELEMENT;
  const contenders = [
    limits.contender('reads on 2 threads', 'read2', bytes),
    awaited('2 lanes', runtime, batch, PRESET),
    limits.contender('reads on 1 thread', 'read1', bytes),
    limits.contender('C', 'int8row', count),
  ];
  const times = await measure(contenders, { ...effort, blocks: 1, blockMs: 0, warmMs: 0 });
  batch.release();
  await runtime.close();
  const work = `${PRESET}, ${((count * 4) / 2 ** 20).toLocaleString('en')} MiB, 2 lanes`;
  return [
    faster(times, work, '2 lanes', 'reads on 2 threads', 0.75),
    faster(times, work, '2 lanes', 'reads on 1 thread', undefined),
    faster(times, work, '2 lanes', 'C', undefined),
  ];
}

/** The C loop does the same work only if it makes the same codes. */
async function assertSameCodes(runtime: Runtime, batch: TensorLease<'float32'>, limits: Limits): Promise<void> {
  using codes = await runtime.quantize(batch, PRESET, { keep: true });
  const expected = await limits.check('int8row', batch.data.length);
  if (hashOf(codes.data as Int8Array) !== expected) throw new Error('limits.c makes other codes');
}
