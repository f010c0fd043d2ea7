/**
 * ONNX Runtime: quantized batches as its tensors, its results in leases, its inner activations as a stream, and its
 * models with int8 products.
 * @module
 */

export { createOnnxAdapter, OnnxAdapter, type QuantizedOnnxTensors } from './adapter.js';
export type { ModelSource } from './model.js';
export { type QuantizedModel, type QuantizeModelOptions, quantizeDynamic } from './quantize-dynamic.js';
export { type Activation, type Feeds, Tap } from './tap.js';
