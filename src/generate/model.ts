/**
 * A Llama model: from tokens to the logits of the next ones.
 * @module
 */
import { fail } from '../errors.js';
import type { AttentionCache, AttentionInput } from './cache.js';
import { Checkpoint } from './checkpoint.js';
import type { LlamaConfig } from './config.js';
import { add, type Layer, readLayer, releaseLayer, rmsNorm, swiglu } from './layer.js';
import type { Projection, Projector } from './projection.js';
import { Rotary } from './rotary.js';

/** New tokens of one text. */
export interface Segment {
  /** What came before; the tokens are added to it. */
  readonly cache: AttentionCache;
  /** At least one. */
  readonly ids: readonly number[];
  /** Whether the logits after every token are wanted, or (the default) those after the last one. */
  readonly all?: boolean;
}

/** One pass through the layers. */
interface Pass {
  readonly segments: readonly Segment[];
  /** Tokens of the caches before. */
  readonly starts: readonly number[];
  /** Why texts failed, by their index. */
  readonly failures: Map<number, unknown>;
}

/** A Llama model. */
export class LlamaModel {
  readonly config: LlamaConfig;
  /** [vocabulary, width] */
  readonly #embedding: Float32Array;
  readonly #layers: readonly Layer[];
  readonly #norm: Float32Array;
  readonly #head: Projection;
  readonly #rotary: Rotary;

  private constructor(
    config: LlamaConfig,
    embedding: Float32Array,
    layers: readonly Layer[],
    norm: Float32Array,
    head: Projection,
  ) {
    this.config = config;
    this.#embedding = embedding;
    this.#layers = layers;
    this.#norm = norm;
    this.#head = head;
    this.#rotary = new Rotary(config.rotary, config.headDim);
  }

  /**
   * Reads the weights of a folder.
   * @param project makes the projections
   * @throws ERR_QUANTLANE_FORMAT for weights that are not there or do not fit, and errors of `project`
   */
  static async load(folder: string, config: LlamaConfig, project: Projector): Promise<LlamaModel> {
    await using checkpoint = await Checkpoint.open(folder);
    const made: Projection[] = [];
    const tracked: Projector = async (weights) => {
      const projection = await project(weights);
      made.push(projection);
      return projection;
    };
    try {
      const { vocabulary, width } = config;
      const embedding = await checkpoint.read('model.embed_tokens.weight', [vocabulary, width]);
      const layers: Layer[] = [];
      for (let index = 0; index < config.layers; index++) {
        layers.push(await readLayer(checkpoint, config, index, tracked));
      }
      const norm = await checkpoint.read('model.norm.weight', [width]);
      const data = config.isTied ? embedding : await checkpoint.read('lm_head.weight', [vocabulary, width]);
      const head = await tracked({ data, inputs: width, outputs: vocabulary });
      return new LlamaModel(config, embedding, layers, norm, head);
    } catch (error) {
      for (const projection of made) projection.release();
      throw error;
    }
  }

  /**
   * Adds tokens to texts, all at once. The logits of a text do not depend on the other texts. Where it fails, the caches
   * have the tokens that they had.
   * @returns for each text, logits [tokens, vocabulary] of all its tokens or of the last one
   * @throws ERR_QUANTLANE_ARGUMENT for a token that is not in the vocabulary
   */
  async forward(segments: readonly Segment[]): Promise<Float32Array[]> {
    const outcomes = await this.attempt(segments);
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<Float32Array>).value);
  }

  /**
   * The same where a text may fail alone, as one whose cache finds no more room: the others go on, with the same numbers.
   * @throws errors of the products, which are those of all texts
   */
  async attempt(segments: readonly Segment[]): Promise<PromiseSettledResult<Float32Array>[]> {
    const pass: Pass = { segments, starts: segments.map(({ cache }) => cache.tokens), failures: new Map() };
    try {
      const logits = await this.#run(pass, this.#embed(segments.flatMap(({ ids }) => [...ids])));
      return logits.map((value, at) => {
        if (!pass.failures.has(at)) return { status: 'fulfilled', value };
        return { status: 'rejected', reason: pass.failures.get(at) };
      });
    } catch (error) {
      for (const [at, { cache }] of segments.entries()) cache.truncate(pass.starts[at]!);
      throw error;
    }
  }

  /** Gives back what the projections hold. */
  release(): void {
    for (const layer of this.#layers) releaseLayer(layer);
    this.#head.release();
  }

  /** All layers. */
  async #run(pass: Pass, x: Float32Array): Promise<Float32Array[]> {
    const { config } = this;
    const rows = x.length / config.width;
    for (const [index, layer] of this.#layers.entries()) {
      const normed = rmsNorm(x, layer.attentionNorm, config.epsilon);
      const projected = await layer.queriesKeysValues.forward(normed, rows);
      const attended = this.#attend(index, pass, projected);
      add(x, await layer.attentionOut.forward(attended, rows));
      const gatesUps = await layer.gatesUps.forward(rmsNorm(x, layer.innerNorm, config.epsilon), rows);
      add(x, await layer.innerOut.forward(swiglu(gatesUps, config.inner), rows));
    }
    return this.#logits(x, pass.segments);
  }

  #embed(ids: readonly number[]): Float32Array {
    const { vocabulary, width } = this.config;
    const x = new Float32Array(ids.length * width);
    for (const [row, id] of ids.entries()) {
      if (!Number.isInteger(id) || id < 0 || id >= vocabulary) {
        throw fail('ERR_QUANTLANE_ARGUMENT', `Expected tokens from 0 to ${vocabulary - 1}, got ${id}`);
      }
      x.set(this.#embedding.subarray(id * width, (id + 1) * width), row * width);
    }
    return x;
  }

  /** Attention of every text over its own tokens: [rows, heads, headDim]; zeros for those that failed. */
  #attend(layer: number, { segments, starts, failures }: Pass, projected: Float32Array): Float32Array {
    const { heads, keyValueHeads, headDim } = this.config;
    const [wide, narrow] = [heads * headDim, keyValueHeads * headDim];
    const attended = new Float32Array((projected.length / (wide + 2 * narrow)) * wide);
    let row = 0;
    for (const [at, { cache, ids }] of segments.entries()) {
      const first = row;
      row += ids.length;
      if (failures.has(at)) continue;
      try {
        const input = this.#split(projected.subarray(first * (wide + 2 * narrow)), ids.length, starts[at]!);
        attended.set(cache.attend(layer, input), first * wide);
      } catch (error) {
        failures.set(at, error);
        cache.truncate(starts[at]!);
      }
    }
    return attended;
  }

  /** Queries, keys and values of the first rows, turned by their positions. */
  #split(projected: Float32Array, tokens: number, start: number): AttentionInput {
    const { heads, keyValueHeads, headDim } = this.config;
    const [wide, narrow] = [heads * headDim, keyValueHeads * headDim];
    const queries = new Float32Array(tokens * wide);
    const keys = new Float32Array(tokens * narrow);
    const values = new Float32Array(tokens * narrow);
    for (let token = 0; token < tokens; token++) {
      const at = token * (wide + 2 * narrow);
      queries.set(projected.subarray(at, at + wide), token * wide);
      keys.set(projected.subarray(at + wide, at + wide + narrow), token * narrow);
      values.set(projected.subarray(at + wide + narrow, at + wide + 2 * narrow), token * narrow);
      this.#rotary.turn(queries, token * wide, heads, start + token);
      this.#rotary.turn(keys, token * narrow, keyValueHeads, start + token);
    }
    return { queries, keys, values };
  }

  /** Logits of the rows that are wanted. */
  async #logits(x: Float32Array, segments: readonly Segment[]): Promise<Float32Array[]> {
    const { vocabulary, width, epsilon } = this.config;
    const counts = segments.map(({ ids, all = false }) => (all ? ids.length : 1));
    const rows = counts.reduce((sum, count) => sum + count, 0);
    const wanted = new Float32Array(rows * width);
    let end = 0;
    let to = 0;
    for (const [at, count] of counts.entries()) {
      end += segments[at]!.ids.length;
      wanted.set(x.subarray((end - count) * width, end * width), to * width);
      to += count;
    }
    const logits = await this.#head.forward(rmsNorm(wanted, this.#norm, epsilon), rows);
    let row = 0;
    return counts.map((count) => {
      row += count;
      return logits.subarray((row - count) * vocabulary, row * vocabulary);
    });
  }
}
