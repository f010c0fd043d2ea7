/**
 * The opset of a model: raised where it is older than the operators of dynamic quantization.
 * @module
 */
import type proto from 'onnx-proto';
import { fail } from '../../errors.js';
import { constantNode } from './constants.js';
import { graphsOf, onnx } from './model.js';

/** The opset that first has DynamicQuantizeLinear. */
const FIRST_OPSET = 11;
/** The oldest opset that is raised: operators of older ones changed in more ways. */
const OLDEST_OPSET = 9;

/** Operators whose attributes became inputs by opset 11, in the order of the inputs, with the type of each. */
const MOVED: Readonly<Record<string, Readonly<Record<string, 'floats' | 'ints'>>>> = {
  Clip: { min: 'floats', max: 'floats' },
  Slice: { starts: 'ints', ends: 'ints', axes: 'ints' },
  Pad: { pads: 'ints', value: 'floats' },
};

/** Operators that changed by opset 11 in ways which this does not follow. */
const CHANGED = new Set(['Resize', 'Scatter', 'TopK', 'Upsample']);

/**
 * Raises the opset of a model to 11, with the operators written as they are there.
 * @throws ERR_QUANTLANE_FORMAT where that cannot be
 */
export function raiseOpset(model: proto.onnx.ModelProto): void {
  const imported = model.opsetImport.find(({ domain }) => (domain ?? '') === '');
  const version = Number(imported?.version ?? 0);
  if (version >= FIRST_OPSET) return;
  if (version < OLDEST_OPSET) throw old(`an ONNX model of opset ${OLDEST_OPSET} or later`, `one of opset ${version}`);
  for (const graph of graphsOf(model.graph!)) {
    graph.node = (graph.node ?? []).flatMap((node) => {
      const { opType } = node;
      if (CHANGED.has(opType ?? '')) {
        throw old(`a model of opset ${FIRST_OPSET} or later where there is a ${opType}`, `one of opset ${version}`);
      }
      const moved = opType === 'Slice' && version >= 10 ? undefined : MOVED[opType ?? ''];
      return moved === undefined ? [node] : withInputs(node, moved);
    });
  }
  imported!.version = FIRST_OPSET;
}

/** A node whose attributes are inputs, after the constants that give them. */
function withInputs(
  node: proto.onnx.INodeProto,
  moved: Readonly<Record<string, 'floats' | 'ints'>>,
): proto.onnx.INodeProto[] {
  const constants: proto.onnx.INodeProto[] = [];
  const inputs = [...(node.input ?? [])];
  for (const [name, kind] of Object.entries(moved)) {
    const attribute = node.attribute?.find((each) => each.name === name);
    // An input that is left out, with others after it.
    if (attribute === undefined) inputs.push('');
    else {
      const output = `${node.output?.[0]}_${name}`;
      inputs.push(output);
      constants.push(constantNode(output, kind === 'ints' ? integers(attribute) : single(attribute)));
    }
  }
  while (inputs.at(-1) === '') inputs.pop();
  node.input = inputs;
  node.attribute = node.attribute?.filter(({ name }) => !(name! in moved)) ?? [];
  return [...constants, node];
}

function single(attribute: proto.onnx.IAttributeProto): proto.onnx.ITensorProto {
  return { dims: [], dataType: onnx.TensorProto.DataType.FLOAT, floatData: [attribute.f ?? 0] };
}

function integers(attribute: proto.onnx.IAttributeProto): proto.onnx.ITensorProto {
  const int64Data = [...(attribute.ints ?? [])];
  return { dims: [int64Data.length], dataType: onnx.TensorProto.DataType.INT64, int64Data };
}

function old(expected: string, actual: string): Error {
  return fail('ERR_QUANTLANE_FORMAT', `Expected ${expected}, got ${actual}`);
}
