/**
 * Question: what does the path in place allocate for a batch? Nothing but the handle of the result would be best, and
 * nothing may stay.
 * @module
 */
import { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRuntime, type Runtime, type TensorLease } from '../../src/index.js';
import { type Bar, digits } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { table } from '../document.js';
import { filled } from '../work.js';

const PRESET = 'vllm-int8-per-token';
const BATCHES = 10_000_000;
/** Batches under the profile, which slows them down. */
const PROFILED = 100_000;
/** Batches between two turns of the event loop. */
const TURN = 1_000;
/** Bytes between two samples of the profile. */
const INTERVAL = 512;
/** Results that are held at a time, to see what one takes. */
const HELD = 20_000;
/** Bytes of a batch that the profile may be wrong by: it samples. */
const SLACK = 16;

/** Bytes for each function, by its name and file. */
type Allocated = ReadonlyMap<string, number>;

/** Finds the answer. */
export async function allocation({ effort, report }: Context): Promise<Answer> {
  const count = effort.isQuick ? 5_000 : BATCHES;
  const profiled = effort.isQuick ? 2_000 : PROFILED;
  const runtime = await createRuntime({ lanes: 0, memory: '8MiB' });
  const batch = filled(runtime, [1, 64]);
  report('allocation, warm-up');
  await small(runtime, batch, Math.min(count, 200_000));
  const before = await heap();
  report(`${count.toLocaleString('en')} batches`);
  await small(runtime, batch, count);
  const kept = (await heap()) - before;
  const handle = await held(runtime, batch);
  report('profile');
  const allocated = await profile(() => small(runtime, batch, profiled));
  const { leases } = runtime.metrics().arena;
  await runtime.close();
  if (leases !== 1) throw new Error(`Expected one lease, the input, got ${leases}`);
  const total = [...allocated.values()].reduce((sum, bytes) => sum + bytes, 0) / profiled;
  const bar = (work: string, value: number, bound?: Bar['bound']): Bar => ({
    work,
    rival: '',
    unit: 'bytes',
    measured: { value, low: value, high: value },
    bound,
  });
  const text = places(allocated, profiled);
  return {
    bars: [
      bar(`heap after ${count.toLocaleString('en')} batches of 1 x 64, more than before`, kept, { most: 1_000_000 }),
      bar('what a result holds while it is kept', handle),
      bar('allocated for a batch, quantizeSync', total),
      bar('the same, besides what a result holds', total - handle, { most: SLACK }),
    ],
    text,
    data: Object.fromEntries(allocated),
  };
}

/** Batches one after the other; now and then others have their turn, so that what is finalized is. */
async function small(runtime: Runtime, batch: TensorLease<'float32'>, count: number): Promise<void> {
  const options = { keep: true };
  for (let done = 0; done < count; done += TURN) {
    for (let index = 0; index < TURN; index++) runtime.quantizeSync(batch, PRESET, options).release();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Bytes of the heap that a result takes until it is released: the handle, and whatever it holds. */
async function held(runtime: Runtime, batch: TensorLease<'float32'>): Promise<number> {
  const results = new Array<Disposable | undefined>(HELD).fill(undefined);
  const before = await heap();
  for (let index = 0; index < HELD; index++) results[index] = runtime.quantizeSync(batch, PRESET, { keep: true });
  const bytes = ((await heap()) - before) / HELD;
  for (const result of results) result![Symbol.dispose]();
  return bytes;
}

/** Bytes of the heap that are reachable. */
async function heap(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Twice: finalizers that the first one calls let go of more.
  for (let time = 0; time < 2; time++) {
    collect();
    await sleep(20);
  }
  return process.memoryUsage().heapUsed;
}

/** What functions of the library allocate, whether or not it was collected meanwhile. */
async function profile(run: () => Promise<void>): Promise<Allocated> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: INTERVAL,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await run();
  const { profile } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  const found = new Map<string, number>();
  const visit = (node: (typeof profile)['head'], owner: string): void => {
    const { functionName, url } = node.callFrame;
    // What a builtin allocates, a view for instance, belongs to who called it.
    const place = url.includes('/src/') ? `${functionName} ${url}` : owner;
    if (place !== '') found.set(place, (found.get(place) ?? 0) + node.selfSize);
    for (const child of node.children) visit(child, place);
  };
  visit(profile.head, '');
  return found;
}

/** The functions that allocate most. */
function places(allocated: Allocated, batches: number): string {
  const sorted = [...allocated].sort(([, a], [, b]) => b - a).slice(0, 12);
  const rows = sorted.map(([place, bytes]) => [place.replace(/ .*\/src\//, ' src/'), digits(bytes / batches)]);
  return table(['Function', 'Bytes a batch'], rows);
}
