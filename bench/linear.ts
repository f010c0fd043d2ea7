/**
 * Question: how fast is a linear layer of int8 weights and dynamically quantized rows, against ONNX Runtime for Node
 * (DynamicQuantizeLinear and MatMulInteger, one thread) on the same codes? All on one thread, by processor time.
 * @module
 */
import { createRequire } from 'node:module';
import type * as Onnx from 'onnxruntime-node';
import { createRuntime, type StreamingRuntime } from '../src/index.js';
import { createLinear, type WeightKind, weightScheme } from '../src/linear/index.js';
import { type Contender, compare, processorTime } from './contender.js';
import { encodeModel } from './onnx-model.js';

// The package is CommonJS.
const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof Onnx;

/** A row of the answer. */
export interface LinearRow {
  /** Rows, inputs and outputs. */
  readonly shape: readonly [number, number, number];
  readonly name: string;
  /** 10⁹ products a second. */
  readonly rate: number;
  /** Rate against ONNX Runtime on one thread. */
  readonly ratio: number;
}

const SHAPES = [
  [1, 4096, 4096],
  [1, 2048, 2048],
  [4, 4096, 4096],
  [128, 2048, 2048],
] as const;
const RIVAL = 'ONNX Runtime, 1 thread';

/** Runs the comparison. */
export async function linear(report: (text: string) => void): Promise<LinearRow[]> {
  const memory = '256MiB';
  const relaxed = await createRuntime({ lanes: 0, memory });
  const simd128 = await createRuntime({ lanes: 0, memory, kernels: 'simd128' });
  const answer: LinearRow[] = [];
  try {
    for (const shape of SHAPES) {
      report(shape.join(' x '));
      const [rows, inputs, outputs] = shape;
      const x = new Float32Array(rows * inputs).map((_, index) => Math.sin(index * 1.7));
      const w = new Float32Array(outputs * inputs).map((_, index) => Math.sin(index * 0.37 + (index >> 12)));
      const session = await rival(relaxed, w, inputs, outputs);
      const feeds = { x: new Tensor('float32', x, [rows, inputs]) };
      const own = [
        await contender('quantlane int8', relaxed, w, shape, x),
        await contender('quantlane int8, without relaxed', simd128, w, shape, x),
        await contender('quantlane int8, groups of 128', relaxed, w, shape, x, 'int8-groups'),
        await contender('quantlane int4, floats', relaxed, w, shape, x, 'int4'),
        await contender('quantlane float32', relaxed, w, shape, x, 'float32'),
      ];
      await assertSameBits(session, feeds, own.slice(0, 2));
      // Before an engine has compiled kernels well, it runs them as they come.
      for (const { run } of own) for (let end = performance.now() + 500; performance.now() < end; ) await run();
      const measured = await compare([{ name: RIVAL, run: async () => session.run(feeds) }, ...own], processorTime);
      const products = rows * inputs * outputs;
      const rate = (name: string) => products / measured.find((each) => each.name === name)!.milliseconds / 1e6;
      for (const { name } of measured) answer.push({ shape, name, rate: rate(name), ratio: rate(name) / rate(RIVAL) });
      for (const { end } of own) end();
      await session.release();
    }
  } finally {
    for (const runtime of [relaxed, simd128]) await runtime.close();
  }
  return answer;
}

/** A layer that is applied to `x` at once. */
async function contender(
  name: string,
  runtime: StreamingRuntime,
  w: Float32Array,
  [rows, inputs, outputs]: readonly [number, number, number],
  x: Float32Array,
  weights: WeightKind = 'int8',
): Promise<Contender & { readonly end: () => void }> {
  const weight = { dtype: 'float32', shape: [outputs, inputs], data: w } as const;
  const activations = weights.startsWith('int8') ? 'onnx-dynamic' : 'none';
  const layer = await createLinear(runtime, { weight, weights, activations });
  const batch = runtime.lease('float32', [rows, inputs]);
  batch.data.set(x);
  const run = () => {
    using y = layer.forwardSync(batch, { keep: true });
    return y.data;
  };
  const end = () => {
    batch.release();
    layer.release();
  };
  return { name, run, end };
}

/** A session with the weights that the layer makes of `w`, as constants. */
async function rival(
  runtime: StreamingRuntime,
  w: Float32Array,
  inputs: number,
  outputs: number,
): Promise<Onnx.InferenceSession> {
  using q = await runtime.quantize({ dtype: 'float32', shape: [outputs, inputs], data: w }, weightScheme('int8'));
  const data = new Uint8Array(inputs * outputs);
  const codes = q.data;
  for (let o = 0; o < outputs; o++) for (let k = 0; k < inputs; k++) data[k * outputs + o] = codes[o * inputs + k]!;
  const scales = new Uint8Array(Float32Array.from(q.scale as Float32Array).buffer);
  const model = encodeModel({
    opset: 13,
    nodes: [
      { operator: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['q', 'sx', 'z'] },
      { operator: 'MatMulInteger', inputs: ['q', 'w', 'z'], outputs: ['sums'] },
      { operator: 'Cast', inputs: ['sums'], outputs: ['floats'], attributes: { to: 1 } },
      { operator: 'Mul', inputs: ['sx', 'sw'], outputs: ['scale'] },
      { operator: 'Mul', inputs: ['floats', 'scale'], outputs: ['y'] },
    ],
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    tensors: {
      w: { type: 'int8', shape: [inputs, outputs], data },
      sw: { type: 'float32', shape: [outputs], data: scales },
    },
  });
  return InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
}

/** A comparison of different answers would be worth nothing. */
async function assertSameBits(
  session: Onnx.InferenceSession,
  feeds: { x: Onnx.Tensor },
  contenders: readonly Contender[],
): Promise<void> {
  const expected = (await session.run(feeds))['y']!.data as Float32Array;
  for (const { name, run } of contenders) {
    const found = run() as Float32Array;
    const at = expected.findIndex((value, index) => value !== found[index]);
    if (at >= 0) throw new Error(`${name}: ${found[at]} at ${at}, not ${expected[at]}`);
  }
}
