/**
 * ONNX Runtime for Node, answering live: `DynamicQuantizeLinear`, and `QuantizeLinear` with what `DequantizeLinear`
 * gives back.
 */
import { createRequire } from 'node:module';
import type * as Onnx from 'onnxruntime-node';
import { DYNAMIC_QUANTIZE, encodeModel, ONNX_TYPES, type OnnxModel, type OnnxType } from '../../bench/onnx-model.js';

// The package is CommonJS.
const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof Onnx;

/** The version of operators that knows every type of codes. */
const OPSET = 25;

/** Which values share a scale: absent, those of the tensor; an axis, each index of it, or with a size, blocks along it. */
export interface OnnxPlace {
  readonly axis?: number;
  readonly blockSize?: number;
}

/** What `DynamicQuantizeLinear` gives. */
export interface DynamicAnswer {
  readonly codes: Uint8Array;
  readonly scale: Float32Array;
  readonly zeroPoint: Uint8Array;
}

/** What `QuantizeLinear` gives, as the numbers that the codes stand for, and the values that come back from them. */
export interface StaticAnswer {
  readonly codes: Float32Array;
  readonly values: Float32Array;
}

/** A tensor of float32. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const sessions = new Map<string, Promise<Onnx.InferenceSession>>();

/** `DynamicQuantizeLinear` of a tensor. */
export async function dynamicAnswer(x: FloatTensor): Promise<DynamicAnswer> {
  const { y, scale, zero } = await run('dynamic', () => DYNAMIC_QUANTIZE, { x });
  return { codes: y as Uint8Array, scale: scale as Float32Array, zeroPoint: zero as Uint8Array };
}

/** `QuantizeLinear` of a tensor, and `DequantizeLinear` of that; zero points as numbers, none for types without them. */
export async function staticAnswer(
  dtype: OnnxType,
  place: OnnxPlace,
  x: FloatTensor,
  scale: FloatTensor,
  zeroPoint: FloatTensor,
): Promise<StaticAnswer> {
  const key = `${dtype}/${place.axis}/${place.blockSize}`;
  const { codes, values } = await run(key, () => staticModel(dtype, place), { x, scale, zeroPoint });
  return { codes: codes as Float32Array, values: values as Float32Array };
}

/** Why this ONNX Runtime does not quantize to a type of codes; undefined where it does. */
export async function refusalOf(dtype: OnnxType): Promise<string | undefined> {
  try {
    const one = { shape: [], data: Float32Array.of(1) };
    await staticAnswer(dtype, {}, { shape: [1], data: Float32Array.of(1) }, one, {
      shape: [],
      data: Float32Array.of(0),
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Ends every session. */
export async function closeSessions(): Promise<void> {
  const all = await Promise.allSettled(sessions.values());
  sessions.clear();
  for (const session of all) if (session.status === 'fulfilled') await session.value.release();
}

/**
 * The zero points go in as numbers, and the codes come out as numbers, `DequantizeLinear` with the scale 1, which is
 * exact: the tensors of JavaScript do not know every type of codes.
 */
function staticModel(dtype: OnnxType, { axis, blockSize }: OnnxPlace): OnnxModel {
  const attributes = {
    ...(axis !== undefined && { axis }),
    ...(blockSize !== undefined && { block_size: blockSize }),
  };
  return {
    opset: OPSET,
    nodes: [
      {
        operator: 'QuantizeLinear',
        inputs: ['zeroPoint', 'one'],
        outputs: ['z'],
        attributes: { output_dtype: ONNX_TYPES[dtype] },
      },
      { operator: 'QuantizeLinear', inputs: ['x', 'scale', 'z'], outputs: ['y'], attributes },
      { operator: 'DequantizeLinear', inputs: ['y', 'one'], outputs: ['codes'] },
      { operator: 'DequantizeLinear', inputs: ['y', 'scale', 'z'], outputs: ['values'], attributes },
    ],
    inputs: { x: 'float32', scale: 'float32', zeroPoint: 'float32' },
    outputs: { codes: 'float32', values: 'float32' },
    constants: { one: 1 },
  };
}

async function run(
  key: string,
  model: () => OnnxModel,
  inputs: Readonly<Record<string, FloatTensor>>,
): Promise<Record<string, unknown>> {
  const session = await (sessions.get(key) ?? open(key, model()));
  const feeds = Object.entries(inputs).map(
    ([name, { shape, data }]) => [name, new Tensor('float32', data, shape)] as const,
  );
  const outputs = await session.run(Object.fromEntries(feeds));
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
}

function open(key: string, model: OnnxModel): Promise<Onnx.InferenceSession> {
  const session = InferenceSession.create(encodeModel(model), {
    // As the operators are written, with nothing fused.
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // Only what is fatal: a refusal is told by its error.
    logSeverityLevel: 4,
  });
  sessions.set(key, session);
  return session;
}
