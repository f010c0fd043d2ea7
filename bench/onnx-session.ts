/**
 * Sessions of ONNX Runtime as rivals.
 * @module
 */
import { createRequire } from 'node:module';
import type * as Onnx from 'onnxruntime-node';
import { encodeModel, type OnnxModel } from './onnx-model.js';
import { type Contender, later } from './rounds.js';

// The package is CommonJS.
const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof Onnx;

/** What goes into a model, by name. */
export type Feeds = Readonly<Record<string, Onnx.Tensor>>;

/** A session of a model of a few nodes, on a number of threads. */
export function openSession(model: OnnxModel, threads: number): Promise<Onnx.InferenceSession> {
  return InferenceSession.create(encodeModel(model), { intraOpNumThreads: threads, interOpNumThreads: 1 });
}

/** A tensor of one dimension, on ordinary memory. */
export function feed(data: Float32Array | Int8Array): Onnx.Tensor {
  return data instanceof Float32Array
    ? new Tensor('float32', data, [data.length])
    : new Tensor('int8', data, [data.length]);
}

/** A session at work. */
export function rival(name: string, session: Onnx.InferenceSession, feeds: Feeds): Contender {
  return later(name, () => session.run(feeds));
}
