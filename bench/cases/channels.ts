/**
 * Question: what does it cost to be watched, and not to be? The rival of a watched call is the same call with nobody who
 * watches. What that one pays, a look at a channel, is measured alone.
 * @module
 */
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type BatchEvent, createRuntime } from '../../src/index.js';
import { faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { type Contender, measure, now, toldTimes } from '../rounds.js';
import { atOnce, filled } from '../work.js';

const PRESET = 'vllm-int8-per-token';
const CHANNEL = 'quantlane:batch';
const SHAPES = [
  [1, 64],
  [1, 4_096],
];
/** A look costs no more than this part of the smallest call. */
const LOOKS_A_CALL = 20;

/** What a subscriber adds up, so that it reads what it is told. */
let milliseconds = 0;

/** Finds the answer. */
export async function channels({ effort, report }: Context): Promise<Answer> {
  const runtime = await createRuntime({ lanes: 0, memory: '8MiB' });
  const bars = [];
  const texts = [];
  for (const shape of SHAPES) {
    const work = shape.join(' x ');
    report(`channels, ${work}`);
    const alone = atOnce('nobody watches', runtime, filled(runtime, shape), PRESET);
    const times = await measure([alone, seen(alone), look()], effort);
    bars.push(faster(times, `quantizeSync ${work}, watched`, 'watched', 'nobody watches', undefined));
    // The smallest call has most to lose.
    if (shape === SHAPES[0])
      bars.push(faster(times, `a look at the channel, ${work}`, 'a look', 'nobody watches', LOOKS_A_CALL));
    texts.push(`${work}: ${toldTimes(times)}`);
  }
  await runtime.close();
  return { bars, text: texts.join('\n\n') };
}

/** The same work with somebody who watches meanwhile. */
function seen({ time }: Contender): Contender {
  const listener = (event: unknown): void => {
    milliseconds += (event as BatchEvent).milliseconds;
  };
  const timed = async (runs: number): Promise<number> => {
    const before = milliseconds;
    subscribe(CHANNEL, listener);
    const took = await time(runs);
    unsubscribe(CHANNEL, listener);
    if (!(milliseconds > before)) throw new Error('Expected to be told of calls, got nothing');
    return took;
  };
  return { name: 'watched', time: timed };
}

/** What a call that nobody watches does more. */
function look(): Contender {
  const watched = channel(CHANNEL);
  let found = 0;
  return now('a look', () => {
    if (watched.hasSubscribers) found++;
    return found;
  });
}
