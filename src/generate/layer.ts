/**
 * The weights of one layer, and the parts of its arithmetic that are no product with them.
 * @module
 */
import type { Checkpoint } from './checkpoint.js';
import type { LlamaConfig } from './config.js';
import { exp } from './functions.js';
import type { Projection, Projector } from './projection.js';

/** One layer of a Llama model. Projections that share their input are one: their outputs stand side by side. */
export interface Layer {
  readonly attentionNorm: Float32Array;
  /** Queries, keys and values. */
  readonly queriesKeysValues: Projection;
  readonly attentionOut: Projection;
  readonly innerNorm: Float32Array;
  /** Gates, then what they are multiplied with. */
  readonly gatesUps: Projection;
  readonly innerOut: Projection;
}

/** Reads the layer `index` and makes its projections. */
export async function readLayer(
  checkpoint: Checkpoint,
  { width, inner, heads, keyValueHeads, headDim, attentionBias, innerBias }: LlamaConfig,
  index: number,
  project: Projector,
): Promise<Layer> {
  const prefix = `model.layers.${index}`;
  const projection = async (
    inputs: number,
    hasBias: boolean,
    parts: readonly (readonly [string, number])[],
  ): Promise<Projection> => {
    const outputs = parts.reduce((sum, [, count]) => sum + count, 0);
    const data = new Float32Array(outputs * inputs);
    const bias = new Float32Array(outputs);
    let row = 0;
    for (const [name, count] of parts) {
      data.set(await checkpoint.read(`${prefix}.${name}.weight`, [count, inputs]), row * inputs);
      if (hasBias) bias.set(await checkpoint.read(`${prefix}.${name}.bias`, [count]), row);
      row += count;
    }
    return project({ data, inputs, outputs, ...(hasBias && { bias }) });
  };
  const keys = keyValueHeads * headDim;
  return {
    attentionNorm: await checkpoint.read(`${prefix}.input_layernorm.weight`, [width]),
    queriesKeysValues: await projection(width, attentionBias, [
      ['self_attn.q_proj', heads * headDim],
      ['self_attn.k_proj', keys],
      ['self_attn.v_proj', keys],
    ]),
    attentionOut: await projection(heads * headDim, attentionBias, [['self_attn.o_proj', width]]),
    innerNorm: await checkpoint.read(`${prefix}.post_attention_layernorm.weight`, [width]),
    gatesUps: await projection(width, innerBias, [
      ['mlp.gate_proj', inner],
      ['mlp.up_proj', inner],
    ]),
    innerOut: await projection(inner, innerBias, [['mlp.down_proj', width]]),
  };
}

/** Gives back what the projections of a layer hold. */
export function releaseLayer({ queriesKeysValues, attentionOut, gatesUps, innerOut }: Layer): void {
  for (const projection of [queriesKeysValues, attentionOut, gatesUps, innerOut]) projection.release();
}

/**
 * RMS norm of rows: x · (1 / √(mean x² + ε)) · weight. The squares are added in float64 in the order of the values, and the
 * result is rounded to float32 once.
 */
export function rmsNorm(x: Float32Array, weight: Float32Array, epsilon: number): Float32Array {
  const width = weight.length;
  const y = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += x[start + i]! * x[start + i]!;
    const inverse = 1 / Math.sqrt(sum / width + epsilon);
    for (let i = 0; i < width; i++) y[start + i] = x[start + i]! * inverse * weight[i]!;
  }
  return y;
}

/**
 * SwiGLU: gate / (1 + e^−gate) · up, in float64, rounded to float32 once.
 * @param gatesUps rows of `inner` gates, then as many others
 * @returns rows of `inner` values
 */
export function swiglu(gatesUps: Float32Array, inner: number): Float32Array {
  const y = new Float32Array(gatesUps.length / 2);
  for (let row = 0; row < y.length; row += inner) {
    for (let at = row; at < row + inner; at++) {
      const gate = gatesUps[row + at]!;
      y[at] = (gate / (1 + exp(-gate))) * gatesUps[row + at + inner]!;
    }
  }
  return y;
}

/** Adds the values of `b` to those of `a`, in float32. */
export function add(a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += b[i]!;
}
