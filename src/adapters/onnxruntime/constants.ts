/**
 * Constant tensors of a model: initializers, and what `Constant` nodes give.
 * @module
 */
import type proto from 'onnx-proto';
import { bytesIn } from '../../memory/index.js';
import { onnx } from './model.js';

type Tensor = proto.onnx.ITensorProto;

/** The constants that a graph sees: its own, and those of the graphs around it. */
export class Constants {
  readonly #own = new Map<string, Tensor>();
  readonly #outer: Constants | undefined;

  constructor(graph: proto.onnx.IGraphProto, outer?: Constants) {
    this.#outer = outer;
    for (const tensor of graph.initializer ?? []) this.#own.set(tensor.name ?? '', tensor);
    for (const node of graph.node ?? []) {
      const value = node.opType === 'Constant' ? node.attribute?.find(({ name }) => name === 'value')?.t : undefined;
      if (value) this.#own.set(node.output?.[0] ?? '', value);
    }
  }

  /** The constant of a name. */
  get(name: string): Tensor | undefined {
    return this.#own.get(name) ?? this.#outer?.get(name);
  }
}

/** Dimensions of a tensor. */
export function dimensionsOf(tensor: Tensor): number[] {
  return (tensor.dims ?? []).map(Number);
}

/** The values of a float32 tensor that lies within the model; undefined for every other. */
export function floatsOf(tensor: Tensor): Float32Array | undefined {
  const { dataType, floatData, rawData, dataLocation } = tensor;
  if (dataType !== onnx.TensorProto.DataType.FLOAT) return undefined;
  if (dataLocation === onnx.TensorProto.DataLocation.EXTERNAL) return undefined;
  // A field that a model may give as itself or as raw bytes, little-endian, which may lie at an odd address.
  if (rawData && rawData.length > 0) return new Float32Array(new Uint8Array(rawData).buffer);
  return Float32Array.from(floatData ?? []);
}

/** An initializer of the raw bytes of `data`. */
export function initializer(
  name: string,
  dims: readonly number[],
  data: Float32Array | Int8Array,
): proto.onnx.TensorProto {
  const { FLOAT, INT8 } = onnx.TensorProto.DataType;
  return onnx.TensorProto.create({
    name,
    dims: [...dims],
    dataType: data instanceof Float32Array ? FLOAT : INT8,
    rawData: bytesIn(data),
  });
}

/** A node that gives `tensor` under the name `output`. */
export function constantNode(output: string, tensor: Tensor): proto.onnx.INodeProto {
  const attribute = [{ name: 'value', type: onnx.AttributeProto.AttributeType.TENSOR, t: tensor }];
  return onnx.NodeProto.create({ opType: 'Constant', name: `${output}_constant`, output: [output], attribute });
}

/** Removes initializers and `Constant` nodes of these names that nothing uses any more, from all graphs. */
export function removeUnused(graphs: readonly proto.onnx.IGraphProto[], names: ReadonlySet<string>): void {
  const used = new Set(
    graphs.flatMap(({ node, output }) => [
      ...(node ?? []).flatMap(({ input }) => input ?? []),
      ...(output ?? []).map(({ name }) => name ?? ''),
    ]),
  );
  const isGone = (name: string | null | undefined) => names.has(name ?? '') && !used.has(name ?? '');
  for (const graph of graphs) {
    graph.initializer = (graph.initializer ?? []).filter(({ name }) => !isGone(name));
    graph.input = (graph.input ?? []).filter(({ name }) => !isGone(name));
    graph.node = (graph.node ?? []).filter(({ opType, output }) => opType !== 'Constant' || !isGone(output?.[0]));
  }
}
