/**
 * ONNX models as protocol buffers: read, walked and written.
 * @module
 */
import { readFile } from 'node:fs/promises';
import proto from 'onnx-proto';
import { fail, got } from '../../errors.js';

/** The messages of ONNX: ModelProto, GraphProto and the like. */
export const { onnx } = proto;

/** A model: the path of its file, or its bytes. */
export type ModelSource = string | URL | Uint8Array;

/**
 * Reads a model.
 * @throws ERR_QUANTLANE_FORMAT for bytes that are none, ERR_QUANTLANE_ARGUMENT for another kind of source, and errors of
 * the file system
 */
export async function readModel(source: ModelSource): Promise<proto.onnx.ModelProto> {
  const isPath = typeof source === 'string' || source instanceof URL;
  if (!isPath && !(source instanceof Uint8Array)) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected the path or the bytes of an ONNX model, got ${got(source)}`);
  }
  const bytes = isPath ? await readFile(source) : source;
  let model: proto.onnx.ModelProto;
  try {
    model = onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw fail('ERR_QUANTLANE_FORMAT', `Expected an ONNX model, got bytes that are none: ${String(cause)}`, { cause });
  }
  if ((model.graph?.node?.length ?? 0) > 0) return model;
  throw fail('ERR_QUANTLANE_FORMAT', 'Expected an ONNX model, got one without nodes');
}

/** The bytes of a model. */
export function writeModel(model: proto.onnx.ModelProto): Uint8Array {
  return onnx.ModelProto.encode(model).finish();
}

/** The graphs that a node carries, such as the branches of `If`, by the name of their attribute. */
export function subgraphsOf(node: proto.onnx.INodeProto): ReadonlyMap<string, proto.onnx.IGraphProto> {
  const graphs = new Map<string, proto.onnx.IGraphProto>();
  for (const { name, g } of node.attribute ?? []) if (g) graphs.set(name ?? '', g);
  return graphs;
}

/** A graph and all graphs within, from the outermost on. */
export function* graphsOf(graph: proto.onnx.IGraphProto): Generator<proto.onnx.IGraphProto> {
  yield graph;
  for (const node of graph.node ?? []) {
    for (const inner of subgraphsOf(node).values()) yield* graphsOf(inner);
  }
}

/** A float attribute of a node, or its default. */
export function floatAttribute(node: proto.onnx.INodeProto, name: string, otherwise: number): number {
  const found = node.attribute?.find((attribute) => attribute.name === name);
  return found?.f ?? otherwise;
}

/** An integer attribute of a node, or its default. */
export function integerAttribute(node: proto.onnx.INodeProto, name: string, otherwise: number): number {
  const found = node.attribute?.find((attribute) => attribute.name === name);
  return found === undefined ? otherwise : Number(found.i ?? 0);
}
