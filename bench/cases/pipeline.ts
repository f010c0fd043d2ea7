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
import { Marks } from '../marks.js';
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
    operator(runtime, effort.isQuick),
  ];
  const times = await measure(contenders, effort);
  await runtime.close();
  const bar = (mine: string, least?: number) =>
    faster(times, `${PRESET}, ${SHAPE.join(' x ')}, ${mine}`, mine, 'bare kernel', least);
  return { bars: [bar('RxJS operator, in place', 0.5), bar('quantizeSync'), bar('quantize')], text: toldTimes(times) };
}

/** One pipeline for many turns of the event loop; its results are released as they come. A block is one of the turns. */
function operator(runtime: Runtime, isQuick: boolean): Contender {
  // Tokens that are kept and come again: to write them is the producer's work, not the pipeline's.
  const tokens = Array.from({ length: 8 }, () => filled(runtime, SHAPE));
  const time = async (runs: number): Promise<number> => {
    const marks = new Marks(TURN);
    const results = turns(tokens, runs).pipe(
      quantize(runtime, PRESET, { keep: true }),
      tap((result) => {
        result.release();
        marks.count();
      }),
    );
    await lastValueFrom(results);
    return marks.timeOf(runs);
  };
  return { name: 'RxJS operator, in place', time, runs: TURN * (isQuick ? 1 : 32) };
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
