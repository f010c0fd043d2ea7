/**
 * Taps: inner values of an ONNX model as outputs of it, so that they can be watched while it runs.
 * @module
 */
import type proto from 'onnx-proto';
import { fail } from '../../errors.js';
import { constantNode } from './constants.js';
import { onnx, subgraphsOf } from './model.js';

/** Has `If` give a value of one of its branches. */
const IN_BRANCH = '_tapped';

/**
 * Makes inner values of a model outputs of it. Values within the branches of an `If` are tapped too: they are empty
 * where the other branch ran.
 * @param names names of values, each that of an output of a node
 * @returns the names of the outputs, in the order of `names`
 * @throws ERR_QUANTLANE_ARGUMENT for a name that no node gives, or one within a loop
 */
export function addOutputs(model: proto.onnx.ModelProto, names: readonly string[]): string[] {
  const graph = model.graph!;
  return names.map((name) => {
    const visible = expose(graph, name);
    if (visible === undefined) {
      const text = `Expected the name of a value that a node of the model gives, got '${name}'`;
      throw fail('ERR_QUANTLANE_ARGUMENT', text, { details: { name } });
    }
    if (!graph.output!.some((output) => output.name === visible)) {
      graph.output!.push(onnx.ValueInfoProto.create({ name: visible }));
    }
    return visible;
  });
}

/** The name under which a graph gives a value of its own or of a branch within; undefined where it has none of that name. */
function expose(graph: proto.onnx.IGraphProto, name: string): string | undefined {
  for (const node of graph.node ?? []) {
    if (node.output?.includes(name)) return name;
    const graphs = subgraphsOf(node);
    const found = new Map<string, string>();
    for (const [key, inner] of graphs) {
      const visible = expose(inner, name);
      if (visible !== undefined) found.set(key, visible);
    }
    if (found.size === 0) continue;
    if (node.opType !== 'If') {
      throw fail(
        'ERR_QUANTLANE_ARGUMENT',
        `Expected a value outside of loops, got '${name}', within a ${node.opType}`,
        {
          details: { name },
        },
      );
    }
    const outer = `${name}${IN_BRANCH}`;
    if (node.output!.includes(outer)) return outer;
    for (const [key, inner] of graphs) inner.output!.push(branchOutput(inner, found.get(key) ?? absent(inner, name)));
    node.output!.push(outer);
    return outer;
  }
  return undefined;
}

/** An output of a branch: every branch of an `If` gives a value of its own for each output. */
function branchOutput(graph: proto.onnx.IGraphProto, name: string): proto.onnx.ValueInfoProto {
  if (graph.output!.some((output) => output.name === name)) {
    const copy = `${name}${IN_BRANCH}`;
    graph.node!.push(onnx.NodeProto.create({ opType: 'Identity', input: [name], output: [copy] }));
    return onnx.ValueInfoProto.create({ name: copy });
  }
  return onnx.ValueInfoProto.create({ name });
}

/** Name of an empty float32 tensor that stands for a value which a branch does not have. */
function absent(graph: proto.onnx.IGraphProto, name: string): string {
  const output = `${name}_absent`;
  graph.node!.push(constantNode(output, { dims: [0], dataType: onnx.TensorProto.DataType.FLOAT }));
  return output;
}
