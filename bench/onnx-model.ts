/**
 * Models of a few nodes, as the protocol buffers that ONNX Runtime loads.
 * @module
 */

type Bytes = readonly number[];

/** Element types of tensors, with the numbers of TensorProto.DataType. */
export const ONNX_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  uint2: 25,
  int2: 26,
} as const;

/** Name of an element type. */
export type OnnxType = keyof typeof ONNX_TYPES;

/** A node: an operator, the names of what goes in and comes out, and integer attributes, none of them negative. */
export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number>>;
}

/** A model; its tensors may have any shape. */
export interface OnnxModel {
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: Readonly<Record<string, OnnxType>>;
  readonly outputs: Readonly<Record<string, OnnxType>>;
  /** Float32 scalars by name. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Constant tensors by name. */
  readonly tensors?: Readonly<Record<string, OnnxTensor>>;
}

/** A constant tensor; its data little-endian and row-major. */
export interface OnnxTensor {
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** `x` float32 of any shape; `y` uint8 of the same shape, `scale` float32 and `zero` uint8 scalars. */
export const DYNAMIC_QUANTIZE: OnnxModel = {
  opset: 13,
  nodes: [{ operator: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['y', 'scale', 'zero'] }],
  inputs: { x: 'float32' },
  outputs: { y: 'uint8', scale: 'float32', zero: 'uint8' },
};

/** The bytes of a model (ModelProto of ONNX). */
export function encodeModel({ opset, nodes, inputs, outputs, constants = {}, tensors = {} }: OnnxModel): Uint8Array {
  const graph = [
    ...nodes.flatMap((node) => field(1, encodeNode(node))),
    ...field(2, 'graph'),
    ...Object.entries(constants).flatMap(([name, value]) => field(5, scalar(name, value))),
    ...Object.entries(inputs).flatMap(([name, type]) => field(11, valueInfo(name, type))),
    ...Object.entries(outputs).flatMap(([name, type]) => field(12, valueInfo(name, type))),
  ];
  const opsets = [...field(1, ''), ...integer(2, opset)];
  // The version of the format that came with the first of these element types.
  const model = Uint8Array.from([...integer(1, opset < 21 ? 8 : 10), ...field(7, graph), ...field(8, opsets)]);
  return Buffer.concat([model, ...Object.entries(tensors).map(([name, tensor]) => initializer(name, tensor))]);
}

/** A graph with nothing but a constant tensor: a reader adds the parts of a message that comes in several fields up. */
function initializer(name: string, { type, shape, data }: OnnxTensor): Uint8Array {
  const head = [...shape.flatMap((size) => integer(1, size)), ...integer(2, ONNX_TYPES[type]), ...field(8, name)];
  const tensor = Buffer.concat([Uint8Array.from(head), prefix(9, data.length), data]);
  const graph = Buffer.concat([prefix(5, tensor.length), tensor]);
  return Buffer.concat([prefix(7, graph.length), graph]);
}

/** What stands before the bytes of a field. */
function prefix(number: number, length: number): Uint8Array {
  return Uint8Array.from([...varint((number << 3) | 2), ...varint(length)]);
}

/** NodeProto. */
function encodeNode({ operator, inputs, outputs, attributes = {} }: OnnxNode): Bytes {
  return [
    ...inputs.flatMap((name) => field(1, name)),
    ...outputs.flatMap((name) => field(2, name)),
    ...field(4, operator),
    ...Object.entries(attributes).flatMap(([name, value]) => field(5, attribute(name, value))),
  ];
}

/** AttributeProto of the type INT. */
function attribute(name: string, value: number): Bytes {
  return [...field(1, name), ...integer(3, value), ...integer(20, 2)];
}

/** TensorProto of no dimensions. */
function scalar(name: string, value: number): Bytes {
  const raw = [...new Uint8Array(Float32Array.of(value).buffer)];
  return [...integer(2, ONNX_TYPES.float32), ...field(8, name), ...field(9, raw)];
}

/** ValueInfoProto of a tensor of any shape. */
function valueInfo(name: string, type: OnnxType): Bytes {
  return [...field(1, name), ...field(2, field(1, integer(1, ONNX_TYPES[type])))];
}

/** A field that holds bytes, text or a message. */
function field(number: number, content: Bytes | string): Bytes {
  const bytes = typeof content === 'string' ? [...Buffer.from(content)] : content;
  return [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes];
}

/** A field that holds an integer. */
function integer(number: number, value: number): Bytes {
  return [...varint(number << 3), ...varint(value)];
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}
