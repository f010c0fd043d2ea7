/**
 * Question: what is left of the kernel's speed at the end of a pipeline of single tokens? The rival is the kernel itself
 * on the same values, executed again and again on a descriptor that stands ready: `quantizeSync` would hide what the
 * runtime costs, which is most of what a pipeline of tokens pays.
 * @module
 */
import { lastValueFrom, Observable, tap } from 'rxjs';
import { createRuntime, quantize, type Runtime, type TensorLease } from '../../src/index.js';
import { bare, bareKernel } from '../bare-kernel.js';
import { faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { type Contender, measure, toldTimes } from '../rounds.js';
import { activations, assertSame, atOnce, awaited, filled } from '../work.js';

const PRESET = 'vllm-int8-per-token';
const SHAPE = [1, 4_096];
/** Tokens that the source emits in a turn of the event loop. */
const TURN = 128;

/** Finds the answer. */
export async function pipeline({ effort, report }: Context): Promise<Answer> {
  report('pipeline');
  const kernel = await bareKernel(PRESET, SHAPE);
  activations(kernel.values);
  kernel.run();
  const runtime = await createRuntime({ lanes: 0, memory: '16MiB' });
  const batch = filled(runtime, SHAPE);
  using codes = runtime.quantizeSync(batch, PRESET, { keep: true });
  assertSame('codes', codes.data, kernel.codes);
  const contenders = [
    bare('bare kernel', kernel),
    atOnce('quantizeSync', runtime, batch, PRESET),
    awaited('quantize', runtime, batch, PRESET),
    operator(runtime),
  ];
  const times = await measure(contenders, effort);
  await runtime.close();
  const bar = (mine: string, least?: number) =>
    faster(times, `${PRESET}, ${SHAPE.join(' x ')}, ${mine}`, mine, 'bare kernel', least);
  return { bars: [bar('RxJS operator, in place', 0.5), bar('quantizeSync'), bar('quantize')], text: toldTimes(times) };
}

/** One long-lived pipeline for all runs of a block; its results are released as they come. */
function operator(runtime: Runtime): Contender {
  // Tokens that are kept and come again: to write them is the producer's work, not the pipeline's.
  const tokens = Array.from({ length: 8 }, () => filled(runtime, SHAPE));
  const time = async (runs: number): Promise<number> => {
    const start = process.hrtime.bigint();
    let seen = 0;
    const results = turns(tokens, runs).pipe(
      quantize(runtime, PRESET, { keep: true }),
      tap((result) => {
        seen++;
        result.release();
      }),
    );
    await lastValueFrom(results);
    const took = Number(process.hrtime.bigint() - start);
    if (seen !== runs) throw new Error(`Expected ${runs} results, got ${seen}`);
    return took;
  };
  return { name: 'RxJS operator, in place', time };
}

/** Emits `count` tokens, `TURN` in a turn of the event loop. Each is out of work before it comes again. */
function turns(tokens: readonly TensorLease<'float32'>[], count: number): Observable<TensorLease<'float32'>> {
  return new Observable((subscriber) => {
    let emitted = 0;
    const turn = (): void => {
      const end = Math.min(emitted + TURN, count);
      for (; emitted < end && !subscriber.closed; emitted++) subscriber.next(tokens[emitted % tokens.length]!);
      if (emitted === count) subscriber.complete();
      else if (!subscriber.closed) setImmediate(turn);
    };
    turn();
  });
}
