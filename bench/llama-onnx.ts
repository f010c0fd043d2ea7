/**
 * A model of the Llama architecture as an ONNX graph, as an exporter would write it: one graph for prefill and decoding,
 * with the keys and values of earlier tokens as inputs and outputs.
 * @module
 */
import type proto from 'onnx-proto';
import { onnx, writeModel } from '../src/adapters/onnxruntime/model.js';

/** The sizes that the graph is made of, as in `config.json`. */
export interface LlamaSizes {
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly rms_norm_eps: number;
}

/** A weight `[outputs, inputs]`, or `[inputs]`, by its name in Hugging Face's layout. */
export type WeightOf = (name: string) => { readonly shape: readonly number[]; readonly data: Float32Array };

const OPSET = 13;
const { FLOAT, INT64 } = onnx.TensorProto.DataType;

/**
 * The bytes of the graph. Inputs: `ids` int64 `[T]`; `cos` and `sin` `[T, head_dim]`; `mask` `[T, P + T]`, added to the
 * scores; `past_key.N` and `past_value.N` `[kv heads, P, head_dim]`. Outputs: `logits` `[T, vocabulary]`, `key.N` and
 * `value.N` with the new tokens behind the earlier ones. The embeddings are also the last layer (tied).
 */
export function llamaOnnx(sizes: LlamaSizes, weightOf: WeightOf): Uint8Array {
  const graph = new LlamaGraph(sizes, weightOf);
  graph.build();
  const opsetImport = [{ domain: '', version: OPSET }];
  return writeModel(onnx.ModelProto.create({ irVersion: 8, opsetImport, graph: graph.proto }));
}

/** The graph while it is built; methods return the name of what they give. */
class LlamaGraph {
  readonly proto = {
    name: 'llama',
    node: [] as proto.onnx.INodeProto[],
    initializer: [] as proto.onnx.ITensorProto[],
    input: [] as proto.onnx.IValueInfoProto[],
    output: [] as proto.onnx.IValueInfoProto[],
  };
  readonly #sizes: LlamaSizes;
  readonly #weightOf: WeightOf;

  constructor(sizes: LlamaSizes, weightOf: WeightOf) {
    this.#sizes = sizes;
    this.#weightOf = weightOf;
  }

  build(): void {
    const { num_hidden_layers: layers, rms_norm_eps: epsilon, head_dim: dim } = this.#sizes;
    this.#input('ids', INT64);
    for (const name of ['cos', 'sin', 'mask']) this.#input(name, FLOAT);
    this.#floats('epsilon', [], Float32Array.of(epsilon));
    this.#floats('root', [], Float32Array.of(1 / Math.sqrt(dim)));
    const { shape, data } = this.#weightOf('model.embed_tokens.weight');
    this.#floats('embeddings', shape, data);
    let x = this.#node('Gather', ['embeddings', 'ids'], 'embedded');
    for (let layer = 0; layer < layers; layer++) x = this.#layer(x, layer);
    const normal = this.#norm(x, 'model.norm');
    this.#node('MatMul', [normal, this.#transposed('logits_weight', data, shape)], 'logits');
    this.proto.output.push(valueInfo('logits', FLOAT));
  }

  #layer(x: string, layer: number): string {
    const at = `model.layers.${layer}`;
    const attended = this.#attention(this.#norm(x, `${at}.input_layernorm`), layer, `${at}.self_attn`);
    const middle = this.#node('Add', [x, attended], `${at}.middle`);
    const normal = this.#norm(middle, `${at}.post_attention_layernorm`);
    const gate = this.#linear(normal, `${at}.mlp.gate_proj`);
    const gated = this.#node('Mul', [gate, this.#node('Sigmoid', [gate], `${gate}.sigmoid`)], `${gate}.silu`);
    const up = this.#linear(normal, `${at}.mlp.up_proj`);
    const down = this.#linear(this.#node('Mul', [gated, up], `${at}.mlp.product`), `${at}.mlp.down_proj`);
    return this.#node('Add', [middle, down], `${at}.output`);
  }

  /** Grouped-query attention: the query heads that share keys lie side by side, so they are rows of one product. */
  #attention(x: string, layer: number, at: string): string {
    const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: dim } = this.#sizes;
    const query = this.#rotated(this.#heads(this.#linear(x, `${at}.q_proj`), heads));
    const key = this.#appended('key', layer, this.#rotated(this.#heads(this.#linear(x, `${at}.k_proj`), kvHeads)));
    const value = this.#appended('value', layer, this.#heads(this.#linear(x, `${at}.v_proj`), kvHeads));
    const scaled = this.#node('Mul', [query, 'root'], `${at}.scaled`);
    const rows = this.#reshape(scaled, [kvHeads, -1, dim], `${at}.rows`);
    const across = this.#node('Transpose', [key], `${at}.across`, { perm: [0, 2, 1] });
    const products = this.#node('MatMul', [rows, across], `${at}.products`);
    const apart = this.#node('Reshape', [products, this.#scoreShape(at, heads)], `${at}.apart`);
    const scores = this.#node('Add', [apart, 'mask'], `${at}.scores`);
    const shares = this.#node('Softmax', [scores], `${at}.shares`, { axis: -1 });
    const together = this.#node('Reshape', [shares, this.#node('Shape', [products], `${at}.shape`)], `${at}.together`);
    const mixed = this.#reshape(
      this.#node('MatMul', [together, value], `${at}.mixed`),
      [heads, -1, dim],
      `${at}.mixes`,
    );
    const tokens = this.#node('Transpose', [mixed], `${at}.tokens`, { perm: [1, 0, 2] });
    return this.#linear(this.#reshape(tokens, [-1, heads * dim], `${at}.flat`), `${at}.o_proj`);
  }

  /** Name of the shape `[heads, T, P + T]`: that of the mask with the heads before it. */
  #scoreShape(at: string, heads: number): string {
    const rest = this.#node('Shape', ['mask'], `${at}.mask_shape`);
    return this.#node('Concat', [this.#integers(`${at}.heads`, [heads]), rest], `${at}.score_shape`, { axis: 0 });
  }

  /** `[T, heads · dim]` to `[heads, T, dim]`. */
  #heads(x: string, heads: number): string {
    const split = this.#reshape(x, [-1, heads, this.#sizes.head_dim], `${x}.split`);
    return this.#node('Transpose', [split], `${x}.heads`, { perm: [1, 0, 2] });
  }

  /** Rotary position embeddings, the two halves of a head as Hugging Face has them. */
  #rotated(x: string): string {
    const half = this.#sizes.head_dim / 2;
    const sizes = this.#integers(`${x}.halves`, [half, half]);
    this.proto.node.push(nodeOf('Split', [x, sizes], [`${x}.first`, `${x}.second`], { axis: -1 }));
    const negative = this.#node('Neg', [`${x}.second`], `${x}.negative`);
    const turned = this.#node('Concat', [negative, `${x}.first`], `${x}.turned`, { axis: -1 });
    const straight = this.#node('Mul', [x, 'cos'], `${x}.straight`);
    return this.#node('Add', [straight, this.#node('Mul', [turned, 'sin'], `${x}.across`)], `${x}.rotated`);
  }

  /** The keys or values of the earlier tokens and those of the new ones. */
  #appended(kind: 'key' | 'value', layer: number, x: string): string {
    const past = `past_${kind}.${layer}`;
    this.#input(past, FLOAT);
    const all = this.#node('Concat', [past, x], `${kind}.${layer}`, { axis: 1 });
    this.proto.output.push(valueInfo(all, FLOAT));
    return all;
  }

  /** RMS norm, with the weights of a name. */
  #norm(x: string, name: string): string {
    const { shape, data } = this.#weightOf(`${name}.weight`);
    const weight = this.#floats(`${name}.weight`, shape, data);
    const square = this.#node('Mul', [x, x], `${name}.square`);
    const mean = this.#node('ReduceMean', [square], `${name}.mean`, { axes: [-1], keepdims: 1 });
    const root = this.#node('Sqrt', [this.#node('Add', [mean, 'epsilon'], `${name}.added`)], `${name}.root`);
    return this.#node('Mul', [this.#node('Div', [x, root], `${name}.unit`), weight], name);
  }

  #linear(x: string, name: string): string {
    const { shape, data } = this.#weightOf(`${name}.weight`);
    return this.#node('MatMul', [x, this.#transposed(`${name}.weight`, data, shape)], name);
  }

  /** A weight as the second factor of a MatMul: `[inputs, outputs]`. */
  #transposed(name: string, data: Float32Array, [outputs, inputs]: readonly number[]): string {
    const result = new Float32Array(data.length);
    for (let row = 0; row < outputs!; row++) {
      for (let column = 0; column < inputs!; column++) result[column * outputs! + row] = data[row * inputs! + column]!;
    }
    return this.#floats(name, [inputs!, outputs!], result);
  }

  #reshape(x: string, shape: readonly number[], output: string): string {
    return this.#node('Reshape', [x, this.#integers(`${output}.to`, shape)], output);
  }

  #node(operator: string, input: readonly string[], output: string, attributes: Attributes = {}): string {
    this.proto.node.push(nodeOf(operator, input, [output], attributes));
    return output;
  }

  #floats(name: string, dims: readonly number[], data: Float32Array): string {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.proto.initializer.push({ name, dims: [...dims], dataType: FLOAT, rawData });
    return name;
  }

  #integers(name: string, values: readonly number[]): string {
    this.proto.initializer.push({ name, dims: [values.length], dataType: INT64, int64Data: [...values] });
    return name;
  }

  #input(name: string, type: number): void {
    this.proto.input.push(valueInfo(name, type));
  }
}

type Attributes = Readonly<Record<string, number | readonly number[]>>;

function nodeOf(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Attributes,
): proto.onnx.INodeProto {
  const { INT, INTS } = onnx.AttributeProto.AttributeType;
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number' ? { name, type: INT, i: value } : { name, type: INTS, ints: [...value] },
  );
  return { opType, name: `${opType}:${output[0]}`, input: [...input], output: [...output], attribute };
}

function valueInfo(name: string, elemType: number): proto.onnx.IValueInfoProto {
  return { name, type: { tensorType: { elemType } } };
}
