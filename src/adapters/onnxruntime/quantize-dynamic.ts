/**
 * Dynamic quantization of an ONNX file: matrix products by constant weights become products of int8, as ONNX Runtime's
 * Python tool `quantize_dynamic` makes them, with the names that it gives.
 * @module
 */
import type proto from 'onnx-proto';
import { fail, got } from '../../errors.js';
import type { Runtime } from '../../runtime/index.js';
import { Constants, initializer, removeUnused } from './constants.js';
import { graphsOf, type ModelSource, readModel, subgraphsOf, writeModel } from './model.js';
import { raiseOpset } from './opset.js';
import { Product, productOf } from './product.js';
import { quantizeMatrix } from './weights.js';

/** How a model is quantized. */
export interface QuantizeModelOptions {
  /** A scale for each column of the weights (default), or one for the whole matrix. */
  readonly perChannel?: boolean;
  /** Names of nodes that stay as they are. */
  readonly exclude?: readonly string[];
}

/** A model whose products are of int8. */
export interface QuantizedModel {
  /** Bytes of the new ONNX file. */
  readonly model: Uint8Array;
  /** Names of the nodes that were quantized; the first output's name where a node has none. */
  readonly quantized: readonly string[];
  /** Names of the MatMul and Gemm nodes that stayed, and why. */
  readonly kept: ReadonlyMap<string, string>;
}

/**
 * Rewrites the MatMul and Gemm nodes of an ONNX model, those within branches and loops too, whose weights are constant
 * float32 matrices: `DynamicQuantizeLinear` of the activations, `MatMulInteger` with symmetric int8 weights, and the
 * scales and a bias in float32 after it. Nothing else changes.
 * @param runtime quantizes the weights
 * @throws ERR_QUANTLANE_FORMAT for what is no ONNX model, or one of an opset before 11 that cannot be raised; ERR_QUANTLANE_ARGUMENT;
 * ERR_QUANTLANE_NON_FINITE for weights that are not finite
 */
export async function quantizeDynamic(
  runtime: Runtime,
  source: ModelSource,
  options: QuantizeModelOptions = {},
): Promise<QuantizedModel> {
  const { perChannel = true, exclude = [] } = options;
  if (!Array.isArray(exclude)) {
    throw fail('ERR_QUANTLANE_ARGUMENT', `Expected exclude: an array of names, got ${got(exclude)}`);
  }
  const model = await readModel(source);
  raiseOpset(model);
  const graphs = [...graphsOf(model.graph!)];
  const rewriter = new Rewriter(runtime, perChannel, new Set(exclude));
  await rewriter.rewrite(model.graph!);
  model.graph!.initializer!.push(...rewriter.weights);
  removeUnused(graphs, rewriter.replaced);
  return { model: writeModel(model), quantized: rewriter.quantized, kept: rewriter.kept };
}

/** Rewrites the graphs of one model. */
class Rewriter {
  readonly quantized: string[] = [];
  readonly kept = new Map<string, string>();
  /** Names of the constants that quantized ones stand for. */
  readonly replaced = new Set<string>();
  readonly #runtime: Runtime;
  readonly #isPerChannel: boolean;
  readonly #excluded: ReadonlySet<string>;
  /** Initializers of the main graph, which all graphs see: codes, scales and zero points of weights. */
  readonly weights: proto.onnx.TensorProto[] = [];
  /** Names of codes by what was quantized: weights may be shared, and branches may use one name for two of them. */
  readonly #codes = {
    straight: new Map<proto.onnx.ITensorProto, string>(),
    transposed: new Map<proto.onnx.ITensorProto, string>(),
  };

  constructor(runtime: Runtime, isPerChannel: boolean, excluded: ReadonlySet<string>) {
    this.#runtime = runtime;
    this.#isPerChannel = isPerChannel;
    this.#excluded = excluded;
  }

  async rewrite(graph: proto.onnx.IGraphProto, outer?: Constants): Promise<void> {
    const constants = new Constants(graph, outer);
    const nodes: proto.onnx.INodeProto[] = [];
    /** Activations that are quantized in this graph already: products of one input share them. */
    const activations = new Set<string>();
    for (const node of graph.node ?? []) {
      for (const inner of subgraphsOf(node).values()) await this.rewrite(inner, constants);
      const product = this.#productOf(node, constants);
      if (product === undefined) {
        nodes.push(node);
        continue;
      }
      const codes = await this.#codesOf(product);
      if (!activations.has(product.input)) nodes.push(product.quantizeInput());
      activations.add(product.input);
      nodes.push(...product.nodes(codes));
      this.quantized.push(product.name);
      this.replaced.add(product.weights);
    }
    graph.node = nodes;
  }

  /** The product that a node is; undefined for another node, and for one that stays, which is told then. */
  #productOf(node: proto.onnx.INodeProto, constants: Constants): Product | undefined {
    if (node.opType !== 'MatMul' && node.opType !== 'Gemm') return undefined;
    const product = this.#excluded.has(node.name ?? '') ? 'it is excluded' : productOf(node, constants);
    if (product instanceof Product) return product;
    this.kept.set(node.name || (node.output?.[0] ?? ''), product);
    return undefined;
  }

  /** Name of the codes of a product's weights, which are quantized where they were not before. */
  async #codesOf({ tensor, weights, matrix, isTransposed }: Product): Promise<string> {
    const names = isTransposed ? this.#codes.transposed : this.#codes.straight;
    const known = names.get(tensor);
    if (known !== undefined) return known;
    const isTaken = this.weights.some((each) => each.name === `${weights}_quantized`);
    const name = isTaken ? `${weights}_${this.weights.length}_quantized` : `${weights}_quantized`;
    names.set(tensor, name);
    const { codes, scales } = await quantizeMatrix(this.#runtime, matrix, this.#isPerChannel);
    const dims = this.#isPerChannel ? [scales.length] : [];
    this.weights.push(
      initializer(name, [matrix.rows, matrix.columns], codes),
      initializer(`${name}_scale`, dims, scales),
      initializer(`${name}_zero_point`, dims, new Int8Array(scales.length)),
    );
    return name;
  }
}
