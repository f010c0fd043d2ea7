/**
 * Question: how fast is a dynamic range and uint8 codes for one tensor, against ONNX Runtime for Node and a plain
 * JavaScript loop, on the same bytes?
 * @module
 */
import { createRequire } from 'node:module';
import type * as Onnx from 'onnxruntime-node';
import { createRuntime, type StreamingRuntime, type TensorLease } from '../src/index.js';
import { type Contender, compare } from './contender.js';
import { DYNAMIC_QUANTIZE, encodeModel } from './onnx-model.js';

// The package is CommonJS.
const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof Onnx;

/** A row of the answer. */
export interface DynamicRow {
  readonly elements: number;
  readonly name: string;
  /** 10⁹ elements a second. */
  readonly rate: number;
  /** Rate against ONNX Runtime on one thread. */
  readonly ratio: number;
}

const SIZES = [4_096, 65_536, 1_048_576, 16_777_216];
const RIVAL = 'ONNX Runtime, 1 thread';

/** Runs the comparison. */
export async function dynamic(report: (text: string) => void): Promise<DynamicRow[]> {
  const model = encodeModel(DYNAMIC_QUANTIZE);
  const options = (threads: number) => ({ intraOpNumThreads: threads, interOpNumThreads: 1 });
  const one = await InferenceSession.create(model, options(1));
  const two = await InferenceSession.create(model, options(2));
  const runtimes = [
    { name: 'quantlane, in place', runtime: await createRuntime({ lanes: 0 }) },
    { name: 'quantlane, 1 lane', runtime: await createRuntime({ lanes: 1 }) },
    { name: 'quantlane, 2 lanes', runtime: await createRuntime({ lanes: 2 }) },
  ];
  const rows: DynamicRow[] = [];
  try {
    for (const elements of SIZES) {
      report(`${elements} elements`);
      const values = Float32Array.from({ length: elements }, (_, index) => Math.sin(index * 1.7) * (1 + (index % 5)));
      const feeds = { x: new Tensor('float32', values, [elements]) };
      const batches = new Map(runtimes.map(({ runtime }) => [runtime, lease(runtime, values)]));
      const later = (runtime: StreamingRuntime) => {
        const batch = batches.get(runtime)!;
        return async () => (await runtime.quantize(batch, 'onnx-dynamic', { keep: true })).release();
      };
      const now = (runtime: StreamingRuntime) =>
        runtime.quantizeSync(batches.get(runtime)!, 'onnx-dynamic', { keep: true }).release();
      const contenders: Contender[] = [
        { name: RIVAL, run: async () => one.run(feeds) },
        ...runtimes.map(({ name, runtime }) => ({ name, run: later(runtime) })),
        { name: 'quantlane, quantizeSync', run: () => now(runtimes[0]!.runtime) },
        { name: 'ONNX Runtime, 2 threads', run: async () => two.run(feeds) },
        { name: 'plain JavaScript', run: () => plain(values) },
      ];
      await assertSameBytes(one, feeds, runtimes[0]!.runtime, values);
      const measured = await compare(contenders);
      const rate = (name: string) => elements / measured.find((each) => each.name === name)!.milliseconds / 1e6;
      for (const { name } of measured) rows.push({ elements, name, rate: rate(name), ratio: rate(name) / rate(RIVAL) });
      for (const batch of batches.values()) batch.release();
    }
  } finally {
    for (const { runtime } of runtimes) await runtime.close();
    await one.release();
    await two.release();
  }
  return rows;
}

/** The values in the memory of a runtime. */
function lease(runtime: StreamingRuntime, values: Float32Array): TensorLease<'float32'> {
  const batch = runtime.lease('float32', [values.length]);
  batch.data.set(values);
  return batch;
}

/** A comparison of different answers would be worth nothing. */
async function assertSameBytes(
  session: Onnx.InferenceSession,
  feeds: { x: Onnx.Tensor },
  runtime: StreamingRuntime,
  values: Float32Array,
): Promise<void> {
  const expected = await session.run(feeds);
  using quantized = await runtime.quantize({ dtype: 'float32', shape: [values.length], data: values }, 'onnx-dynamic');
  const codes = expected['y']!.data as Uint8Array;
  if (Buffer.compare(Buffer.from(quantized.data as Uint8Array), codes) !== 0) throw new Error('the codes differ');
  if (quantized.scale![0] !== (expected['scale']!.data as Float32Array)[0]) throw new Error('the scales differ');
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
