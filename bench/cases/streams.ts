/**
 * Question: do 64 streams of single tokens, worked off by two lanes and in place together, keep up with one thread that
 * does nothing but execute the kernel?
 * @module
 */
import { createRuntime, type StreamingRuntime, type TensorLease } from '../../src/index.js';
import { bare, bareKernel } from '../bare-kernel.js';
import { faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { type Contender, measure, toldTimes } from '../rounds.js';
import { activations, assertSame, filled } from '../work.js';

const PRESET = 'vllm-int8-per-token';
const SHAPE = [1, 4_096];
const STREAMS = 64;
/** Tokens of each stream that are in memory; as many as a stream has in work by default. */
const TOKENS = 8;

/** Finds the answer. */
export async function streams({ effort, report }: Context): Promise<Answer> {
  report('streams');
  const kernel = await bareKernel(PRESET, SHAPE);
  activations(kernel.values);
  kernel.run();
  const runtimes = await Promise.all([2, 0].map((lanes) => createRuntime({ lanes, memory: '64MiB' })));
  const names = ['2 lanes and in place', 'in place'];
  for (const runtime of runtimes) {
    using codes = await runtime.quantize(filled(runtime, SHAPE), PRESET);
    assertSame('codes', codes.data, kernel.codes);
  }
  const contenders = runtimes.map((runtime, index) => together(names[index]!, runtime, effort.isQuick ? 2 : 64));
  const times = await measure([bare('bare kernel', kernel), ...contenders], effort);
  for (const runtime of runtimes) await runtime.close();
  const work = (name: string): string => `${STREAMS} streams of ${SHAPE.join(' x ')} tokens, ${name}`;
  const bar = (name: string, least?: number) => faster(times, work(name), name, 'bare kernel', least);
  return { bars: [bar(names[0]!, 0.9), bar(names[1]!)], text: toldTimes(times) };
}

/** All streams at a time, `length` tokens each; a run is one token of one of them. */
function together(name: string, runtime: StreamingRuntime, length: number): Contender {
  const tokens = Array.from({ length: STREAMS }, () => Array.from({ length: TOKENS }, () => filled(runtime, SHAPE)));
  const time = async (runs: number): Promise<number> => {
    const start = process.hrtime.bigint();
    let seen = 0;
    const drain = async (own: readonly TensorLease<'float32'>[]): Promise<void> => {
      for await (const result of runtime.stream(repeated(own, length), PRESET, { keep: true })) {
        seen++;
        result.release();
      }
    };
    await Promise.all(tokens.map(drain));
    const took = Number(process.hrtime.bigint() - start);
    if (seen !== runs) throw new Error(`Expected ${runs} results, got ${seen}`);
    return took;
  };
  return { name, time, runs: STREAMS * length };
}

/** Tokens that come again and again. */
function* repeated(tokens: readonly TensorLease<'float32'>[], length: number): Generator<TensorLease<'float32'>> {
  for (let index = 0; index < length; index++) yield tokens[index % tokens.length]!;
}
