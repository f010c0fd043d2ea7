/**
 * A matrix product of a model, and the nodes that compute it with int8.
 * @module
 */
import type proto from 'onnx-proto';
import { type Constants, dimensionsOf, floatsOf } from './constants.js';
import { floatAttribute, integerAttribute, onnx } from './model.js';
import { type Matrix, transposed } from './weights.js';

/** A product of activations and constant weights, with a bias or without. */
export class Product {
  /** Name of the node; that of its output where it has none. */
  readonly name: string;
  /** Name of the activations. */
  readonly input: string;
  /** Name of the weights. */
  readonly weights: string;
  /** The weights as the model has them. */
  readonly tensor: proto.onnx.ITensorProto;
  /** The weights, `[inputs, outputs]`. */
  readonly matrix: Matrix;
  /** Whether the model has them the other way round. */
  readonly isTransposed: boolean;
  readonly #output: string;
  readonly #bias: string | undefined;

  constructor(node: proto.onnx.INodeProto, tensor: proto.onnx.ITensorProto, matrix: Matrix, isTransposed: boolean) {
    const [input, weights, bias] = node.input ?? [];
    this.#output = node.output?.[0] ?? '';
    this.name = node.name || this.#output;
    this.input = input!;
    this.weights = weights!;
    this.tensor = tensor;
    this.matrix = isTransposed ? transposed(matrix) : matrix;
    this.isTransposed = isTransposed;
    this.#bias = bias || undefined;
  }

  /** `DynamicQuantizeLinear` of the activations. */
  quantizeInput(): proto.onnx.INodeProto {
    const outputs = ['quantized', 'scale', 'zero_point'].map((suffix) => `${this.input}_${suffix}`);
    return node('DynamicQuantizeLinear', `${this.input}_QuantizeLinear`, [this.input], outputs);
  }

  /** The product with the weights whose codes are named `codes`, its scales and the bias. */
  nodes(codes: string): proto.onnx.INodeProto[] {
    const { name, input } = this;
    const output = this.#output;
    const integers = `${output}_output_quantized`;
    const floats = `${output}_output_float`;
    const scales = `${output}_scales`;
    const scaled = this.#bias === undefined ? output : `${output}_scaled`;
    const nodes = [
      node(
        'MatMulInteger',
        `${name}_quant`,
        [`${input}_quantized`, codes, `${input}_zero_point`, `${codes}_zero_point`],
        [integers],
      ),
      node('Cast', `${integers}_cast`, [integers], [floats], { to: onnx.TensorProto.DataType.FLOAT }),
      node('Mul', `${name}_quant_scales_mul`, [`${input}_scale`, `${codes}_scale`], [scales]),
      node('Mul', `${name}_quant_output_scale_mul`, [floats, scales], [scaled]),
    ];
    if (this.#bias !== undefined) nodes.push(node('Add', `${name}_Add`, [scaled, this.#bias], [output]));
    return nodes;
  }
}

/** The product that a MatMul or Gemm node is, or why it cannot be quantized. */
export function productOf(node: proto.onnx.INodeProto, constants: Constants): Product | string {
  const weights = constants.get(node.input?.[1] ?? '');
  if (weights === undefined) return 'its second factor is not constant';
  const dims = dimensionsOf(weights);
  if (dims.length !== 2) return `its weights have ${dims.length} dimensions`;
  const data = floatsOf(weights);
  if (data === undefined) return 'its weights are not float32 within the model';
  const [rows, columns] = dims as [number, number];
  if (data.length !== rows * columns) return `its weights hold ${data.length} values for ${rows} × ${columns}`;
  if (data.length === 0) return 'its weights are empty';
  const matrix = { rows, columns, data };
  if (node.opType === 'MatMul') return new Product(node, weights, matrix, false);
  if (integerAttribute(node, 'transA', 0) !== 0) return 'its activations are transposed';
  if (floatAttribute(node, 'alpha', 1) !== 1) return 'its alpha is not 1';
  if (node.input?.[2] && floatAttribute(node, 'beta', 1) !== 1) return 'its beta is not 1';
  return new Product(node, weights, matrix, integerAttribute(node, 'transB', 0) !== 0);
}

function node(
  opType: string,
  name: string,
  input: string[],
  output: string[],
  attributes: Readonly<Record<string, number>> = {},
): proto.onnx.INodeProto {
  const attribute = Object.entries(attributes).map(([key, i]) => ({
    name: key,
    i,
    type: onnx.AttributeProto.AttributeType.INT,
  }));
  return onnx.NodeProto.create({ opType, name, input, output, attribute });
}
