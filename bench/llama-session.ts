/**
 * A Llama model in ONNX Runtime: its graph run token by token, as a generator on it would.
 * @module
 */
import { createRequire } from 'node:module';
import type * as Onnx from 'onnxruntime-node';
import type { LlamaSizes } from './llama-onnx.js';

// The package is CommonJS.
const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof Onnx;

/** A text in the making, in ONNX Runtime. */
export class LlamaSession {
  readonly #session: Onnx.InferenceSession;
  readonly #sizes: LlamaSizes;
  readonly #theta: number;
  /** Keys and values of all layers, by the names of the inputs that take them. */
  #past: Record<string, Onnx.Tensor> = {};
  #length = 0;

  private constructor(session: Onnx.InferenceSession, sizes: LlamaSizes, theta: number) {
    this.#session = session;
    this.#sizes = sizes;
    this.#theta = theta;
    this.reset();
  }

  /** Opens the graph that `llamaOnnx` gives, on a number of threads. */
  static async open(model: Uint8Array, sizes: LlamaSizes, theta: number, threads: number): Promise<LlamaSession> {
    const options = { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new LlamaSession(await InferenceSession.create(model, options), sizes, theta);
  }

  /** Forgets all tokens. */
  reset(): void {
    const { num_hidden_layers: layers, num_key_value_heads: heads, head_dim: dim } = this.#sizes;
    this.#length = 0;
    this.#past = {};
    for (let layer = 0; layer < layers; layer++) {
      for (const kind of ['key', 'value']) {
        this.#past[`past_${kind}.${layer}`] = new Tensor('float32', new Float32Array(0), [heads, 0, dim]);
      }
    }
  }

  /** Appends tokens; the logits after the last of them. */
  async step(ids: readonly number[]): Promise<Float32Array> {
    const { head_dim: dim } = this.#sizes;
    const [count, past] = [ids.length, this.#length];
    const cos = new Float32Array(count * dim);
    const sin = new Float32Array(count * dim);
    const mask = new Float32Array(count * (past + count));
    for (let token = 0; token < count; token++) {
      for (let k = 0; k < dim; k++) {
        const angle = (past + token) * this.#theta ** (-(2 * (k % (dim / 2))) / dim);
        cos[token * dim + k] = Math.cos(angle);
        sin[token * dim + k] = Math.sin(angle);
      }
      mask.fill(Number.NEGATIVE_INFINITY, token * (past + count) + past + token + 1, (token + 1) * (past + count));
    }
    const results = await this.#session.run({
      ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [count]),
      cos: new Tensor('float32', cos, [count, dim]),
      sin: new Tensor('float32', sin, [count, dim]),
      mask: new Tensor('float32', mask, [count, past + count]),
      ...this.#past,
    });
    for (const name of Object.keys(this.#past)) this.#past[name] = results[name.replace('past_', '')]!;
    this.#length += count;
    const logits = results['logits']!;
    const words = logits.dims.at(-1)!;
    return (logits.data as Float32Array).slice(-words);
  }

  /** The most likely continuation of a prompt. */
  async greedy(prompt: readonly number[], count: number): Promise<number[]> {
    this.reset();
    const ids: number[] = [];
    let logits = await this.step(prompt);
    while (ids.length < count) {
      const next = logits.indexOf(logits.reduce((most, each) => Math.max(most, each)));
      ids.push(next);
      if (ids.length < count) logits = await this.step([next]);
    }
    return ids;
  }

  /** Ends the session. */
  release(): Promise<void> {
    return this.#session.release();
  }
}
