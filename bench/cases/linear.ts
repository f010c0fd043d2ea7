/**
 * Question: how fast is a linear layer of int8 weights and dynamically quantized rows, against ONNX Runtime for Node
 * (DynamicQuantizeLinear and MatMulInteger, one thread) on the same codes? All on one thread.
 * @module
 */
import { createRequire } from 'node:module';
import type * as Onnx from 'onnxruntime-node';
import { createOnnxAdapter } from '../../src/adapters/onnxruntime/index.js';
import { createRuntime, type StreamingRuntime } from '../../src/index.js';
import { createLinear, type WeightKind, weightScheme } from '../../src/linear/index.js';
import { type Bar, faster } from '../bars.js';
import type { Answer, Context } from '../case.js';
import { encodeModel } from '../onnx-model.js';
import { rival } from '../onnx-session.js';
import { later, measure, now } from '../rounds.js';

// The package is CommonJS.
const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof Onnx;

const SHAPES = [
  [1, 4096, 4096],
  [1, 2048, 2048],
  [4, 4096, 4096],
  [128, 2048, 2048],
] as const;
const RIVAL = 'ONNX Runtime, 1 thread';
const THROUGH = 'handed over to ONNX Runtime';

/** Ratios that a layer of int8 should reach for one row: with relaxed instructions, which Node has from 22 on, and without. */
const LEAST = { relaxed: 0.9, simd128: 0.6 };
/** For many rows. */
const LEAST_OF_MANY = 0.2;

/** Finds the answer. */
export async function linear({ effort, report }: Context): Promise<Answer> {
  const memory = '256MiB';
  const relaxed = await createRuntime({ lanes: 0, memory });
  const simd128 = await createRuntime({ lanes: 0, memory, kernels: 'simd128' });
  const isRelaxed = Number.parseInt(process.versions.node, 10) >= 22;
  const bars: Bar[] = [];
  try {
    for (const shape of SHAPES) {
      const work = shape.join(' × ');
      report(work);
      const [rows, inputs, outputs] = shape;
      const x = new Float32Array(rows * inputs).map((_, index) => Math.sin(index * 1.7));
      const w = new Float32Array(outputs * inputs).map((_, index) => Math.sin(index * 0.37 + (index >> 12)));
      const session = await rivalOf(relaxed, w, inputs, outputs);
      const feeds = { x: new Tensor('float32', x, [rows, inputs]) };
      const own = [
        await contender('int8', relaxed, w, shape, x),
        await contender('int8, SIMD128', simd128, w, shape, x),
        await contender('int8, groups of 128', relaxed, w, shape, x, 'int8-groups'),
        await contender('int4 and floats', relaxed, w, shape, x, 'int4'),
        await contender('float32', relaxed, w, shape, x, 'float32'),
      ];
      await assertSameBits(session, feeds, own.slice(0, 2));
      const { run: throughAdapter, end: endAdapter } = await handedOver(relaxed, session, shape, x);
      // Before an engine has compiled kernels well, it runs them as they come.
      const until = performance.now() + (effort.isQuick ? 0 : 500);
      for (const { run } of own) while (performance.now() < until) run();
      const times = await measure(
        [rival(RIVAL, session, feeds), ...own.map(({ name, run }) => now(name, run)), later(THROUGH, throughAdapter)],
        effort,
      );
      const isWanted = shape === SHAPES[0] || rows === 128;
      for (const { name } of own) {
        const least = name === 'int8' && isRelaxed ? LEAST.relaxed : LEAST.simd128;
        const bound = isWanted && name.startsWith('int8') && !name.includes('groups') ? least : undefined;
        bars.push(faster(times, `${work}: ${name}`, name, RIVAL, rows === 128 && bound ? LEAST_OF_MANY : bound));
      }
      bars.push(faster(times, `${work}: ${THROUGH}`, THROUGH, RIVAL, undefined));
      for (const { end } of own) end();
      endAdapter();
      await session.release();
    }
  } finally {
    for (const runtime of [relaxed, simd128]) await runtime.close();
  }
  return { bars };
}

/** A layer that is applied to the same rows again and again. */
interface Layer {
  readonly name: string;
  readonly run: () => Float32Array;
  readonly end: () => void;
}

/** A layer that is applied to `x` at once. */
async function contender(
  name: string,
  runtime: StreamingRuntime,
  w: Float32Array,
  [rows, inputs, outputs]: readonly [number, number, number],
  x: Float32Array,
  weights: WeightKind = 'int8',
): Promise<Layer> {
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

/** The rival's own product on leases, as a caller of quantlane hands it over; copied on Node 20. */
async function handedOver(
  runtime: StreamingRuntime,
  session: Onnx.InferenceSession,
  [rows, inputs, outputs]: readonly [number, number, number],
  values: Float32Array,
): Promise<{ readonly run: () => Promise<void>; readonly end: () => void }> {
  const adapter = await createOnnxAdapter(runtime);
  const x = runtime.lease('float32', [rows, inputs]);
  const y = runtime.lease('float32', [rows, outputs]);
  x.data.set(values);
  const end = () => {
    x.release();
    y.release();
  };
  return { run: () => adapter.run(session, { x }, { y }), end };
}

/** A session with the weights that the layer makes of `w`, as constants. */
async function rivalOf(
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
  contenders: readonly Layer[],
): Promise<void> {
  const expected = (await session.run(feeds))['y']!.data as Float32Array;
  for (const { name, run } of contenders) {
    const found = run() as Float32Array;
    const at = expected.findIndex((value, index) => value !== found[index]);
    if (at >= 0) throw new Error(`${name}: ${found[at]} at ${at}, not ${expected[at]}`);
  }
}
