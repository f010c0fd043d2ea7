/**
 * Question: how fast is a dynamic range and uint8 codes for one tensor, against ONNX Runtime for Node and a plain
 * JavaScript loop, on the same bytes?
 * @module
 */
import type * as Onnx from 'onnxruntime-node';
import { createRuntime, type StreamingRuntime } from '../../src/index.js';
import { type Bar, faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { table } from '../document.js';
import { DYNAMIC_QUANTIZE } from '../onnx-model.js';
import { type Feeds, feed, openSession, rival } from '../onnx-session.js';
import { measure, now, type Times, timesOf } from '../rounds.js';
import { median } from '../statistics.js';
import { activations, assertSame, atOnce, awaited, filled } from '../work.js';

/** A row of the answer. */
interface Rate {
  readonly elements: number;
  readonly name: string;
  /** 10⁹ elements a second. */
  readonly rate: number;
}

const ONE_THREAD = 'ONNX Runtime, 1 thread';
const TWO_THREADS = 'ONNX Runtime, 2 threads';
const AT_ONCE = 'quantlane, quantizeSync';
const TWO_LANES = 'quantlane, 2 lanes';

/** Elements, and how many times as fast one thread and two lanes should be as the rival on as many threads. */
const SIZES: readonly { readonly elements: number; readonly one: number; readonly two?: number }[] = [
  { elements: 4_096, one: 15 },
  { elements: 65_536, one: 4, two: 3 },
  { elements: 1_048_576, one: 3.5, two: 1.3 },
  { elements: 16_777_216, one: 1.5, two: 1.1 },
];

/** Finds the answer. */
export async function dynamic({ effort, report }: Context): Promise<Answer> {
  const one = await openSession(DYNAMIC_QUANTIZE, 1);
  const two = await openSession(DYNAMIC_QUANTIZE, 2);
  const runtimes = await Promise.all([0, 1, 2].map((lanes) => createRuntime({ lanes })));
  const [inPlace, lane, lanes] = runtimes as [StreamingRuntime, StreamingRuntime, StreamingRuntime];
  const bars: Bar[] = [];
  const rates: Rate[] = [];
  try {
    for (const { elements, one: least, two: leastOfTwo } of SIZES) {
      const work = `onnx-dynamic, ${elements.toLocaleString('en')} values`;
      report(work);
      const values = activations(new Float32Array(elements));
      const feeds = { x: feed(values) };
      const [here, there, apart] = runtimes.map((runtime) => filled(runtime, [elements]));
      await assertSameBytes(one, feeds, runtimes, values);
      const times = await measure(
        [
          rival(ONE_THREAD, one, feeds),
          atOnce(AT_ONCE, inPlace, here!, 'onnx-dynamic'),
          awaited('quantlane, in place', inPlace, here!, 'onnx-dynamic'),
          awaited('quantlane, 1 lane', lane, there!, 'onnx-dynamic'),
          rival(TWO_THREADS, two, feeds),
          awaited(TWO_LANES, lanes, apart!, 'onnx-dynamic'),
          now('plain JavaScript', () => plain(values)),
        ],
        effort,
      );
      bars.push(faster(times, `${work}, quantizeSync`, AT_ONCE, ONE_THREAD, least));
      if (leastOfTwo !== undefined) bars.push(faster(times, `${work}, 2 lanes`, TWO_LANES, TWO_THREADS, leastOfTwo));
      rates.push(...ratesOf(times, elements));
      for (const batch of [here, there, apart]) batch!.release();
    }
  } finally {
    for (const runtime of runtimes) await runtime.close();
    await one.release();
    await two.release();
  }
  return { bars, text: rateTable(rates), data: rates };
}

function ratesOf(times: Times, elements: number): Rate[] {
  return [...times.keys()].map((name) => ({ elements, name, rate: elements / median(timesOf(times, name)) }));
}

/** Contenders by sizes: the rate of the rival on one thread, and how many times as fast the others are. */
function rateTable(rates: readonly Rate[]): string {
  const rate = (name: string, elements: number): number =>
    rates.find((each) => each.name === name && each.elements === elements)!.rate;
  const cell = (name: string, elements: number): string =>
    name === ONE_THREAD
      ? rate(name, elements).toFixed(2)
      : `${(rate(name, elements) / rate(ONE_THREAD, elements)).toFixed(2)} ×`;
  const names = [...new Set(rates.map(({ name }) => name))];
  const rows = names.map((name) => [name, ...SIZES.map(({ elements }) => cell(name, elements))]);
  const head = ['Values', ...SIZES.map(({ elements }) => elements.toLocaleString('en'))];
  return `The first row in 10⁹ values a second:\n\n${table(head, rows)}`;
}

async function assertSameBytes(
  session: Onnx.InferenceSession,
  feeds: Feeds,
  runtimes: readonly StreamingRuntime[],
  data: Float32Array,
): Promise<void> {
  const expected = await session.run(feeds);
  for (const runtime of runtimes) {
    using quantized = await runtime.quantize({ dtype: 'float32', shape: [data.length], data }, 'onnx-dynamic');
    assertSame('codes', quantized.data, expected['y']!.data as Uint8Array);
    assertSame('scale', quantized.scale!, expected['scale']!.data as Float32Array);
  }
}

/** What one would write by hand, without care for ties to even or special values. */
function plain(values: Float32Array): Uint8Array {
  let min = 0;
  let max = 0;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const scale = (max - min) / 255;
  const zero = Math.round(-min / scale);
  const codes = new Uint8Array(values.length);
  for (let index = 0; index < values.length; index++) {
    codes[index] = Math.max(0, Math.min(255, Math.round(values[index]! / scale) + zero));
  }
  return codes;
}
