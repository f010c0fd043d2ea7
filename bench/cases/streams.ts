/**
 * Question: do 64 streams of single tokens, worked off by two lanes and in place together, keep up with one thread that
 * does nothing but execute the kernel?
 * @module
 */
import { createRuntime, type StreamingRuntime, type TensorLease } from '../../src/index.js';
import { bare, bareKernel } from '../bare-kernel.js';
import { faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { Marks } from '../marks.js';
import { type Contender, measure, toldTimes } from '../rounds.js';
import { activations, assertSame, filled } from '../work.js';

const PRESET = 'vllm-int8-per-token';
const SHAPE = [1, 4_096];
const STREAMS = 64;
/** Tokens of each stream that are in memory; as many as a stream has in work by default. */
const TOKENS = 8;

/** Tokens of a block. */
const MARK = 512;

/** Finds the answer. */
export async function streams({ effort, report }: Context): Promise<Answer> {
  report('streams');
  // As many tokens as the streams have in memory, for the kernel is slower where they are not in the nearest cache.
  const kernel = await bareKernel(PRESET, SHAPE, STREAMS * TOKENS);
  const token = activations(kernel.values.subarray(0, SHAPE[1]));
  for (let at = SHAPE[1]; at < kernel.values.length; at += SHAPE[1]) kernel.values.set(token, at);
  kernel.run();
  const runtimes = await Promise.all([2, 0].map((lanes) => createRuntime({ lanes, memory: '64MiB' })));
  const names = ['2 lanes and in place', 'in place'];
  for (const runtime of runtimes) {
    using codes = await runtime.quantize(filled(runtime, SHAPE), PRESET);
    assertSame('codes', codes.data, kernel.codes.subarray(0, SHAPE[1]));
  }
  const contenders = runtimes.map((runtime, index) => together(names[index]!, runtime, effort.isQuick ? 8 : 256));
  const times = await measure([bare('bare kernel', kernel), ...contenders], effort);
  for (const runtime of runtimes) await runtime.close();
  const work = (name: string): string => `${STREAMS} streams of ${SHAPE.join(' x ')} tokens, ${name}`;
  const bar = (name: string, least?: number) => faster(times, work(name), name, 'bare kernel', least);
  return { bars: [bar(names[0]!, 0.9), bar(names[1]!)], text: toldTimes(times) };
}

/**
 * All streams at a time, `length` tokens each, from their beginning to their end; a run is one token of one of them.
 */
function together(name: string, runtime: StreamingRuntime, length: number): Contender {
  const tokens = Array.from({ length: STREAMS }, () => Array.from({ length: TOKENS }, () => filled(runtime, SHAPE)));
  const time = async (runs: number): Promise<number> => {
    const marks = new Marks(MARK);
    const drain = async (own: readonly TensorLease<'float32'>[]): Promise<void> => {
      for await (const result of runtime.stream(repeated(own, length), PRESET, { keep: true })) {
        result.release();
        marks.count();
      }
    };
    await Promise.all(tokens.map(drain));
    return marks.timeOf(runs);
  };
  return { name, time, runs: STREAMS * length };
}

/** Tokens that come again and again. */
function* repeated(tokens: readonly TensorLease<'float32'>[], length: number): Generator<TensorLease<'float32'>> {
  for (let index = 0; index < length; index++) yield tokens[index % tokens.length]!;
}
