/**
 * Products with the weights of a model on the lanes of a runtime.
 * @module
 */
import { fail } from '../errors.js';
import { createLinear, type Linear } from '../linear/index.js';
import { checkFactor, weightScheme } from '../linear/kinds.js';
import type { TensorLease } from '../memory/index.js';
import type { ErrorStatistics, Runtime, SchemeInput } from '../runtime/index.js';
import { BLOCK_FORMATS, perToken, resolveScheme, type Scheme } from '../scheme/index.js';
import type { Projection, Projector, Weights } from './projection.js';
import type { Reserve } from './reserve.js';

/** Bytes of an input that are in memory at most: the value, its codes in two layouts, its parameters, what it reads back as. */
const INPUT_BYTES = 24;
/** Bytes that leases are rounded up by. */
const EXTRA_BYTES = 1024;

/** Hears of the error of the activations of every product. */
export type ErrorListener = (statistics: ErrorStatistics) => void;

/**
 * Products of rows that are quantized at run time, each token by itself, with int8 weights that have a scale for each output.
 * Codes that are factors of an integer product are multiplied as integers; others are read back as float32, and multiplied
 * with what the codes of the weights stand for.
 * @param given a dynamic preset or scheme (one with a range for the tensor has one for each token here), or `none`: then
 * activations and weights are float32
 * @throws ERR_QUANTLANE_PRESET for a scheme whose codes of a token depend on other tokens, on given parameters, or keep no
 * length
 */
export function laneProjector(
  runtime: Runtime,
  given: SchemeInput | 'none',
  reserve: Reserve,
  onError?: ErrorListener,
): Projector {
  if (given === 'none') {
    return async (weights) => {
      reserve.raise(bytesOf(weights, 1));
      return new LaneProjection(runtime, await floatLayer(runtime, weights), undefined, onError);
    };
  }
  const scheme = tokenScheme(resolveScheme(given));
  const layerOf = isFactor(scheme) ? integerLayer : readBackLayer;
  return async (weights) => {
    const { granularity } = scheme;
    if (granularity.kind === 'perBlock' && granularity.axis === null && weights.inputs % granularity.size !== 0) {
      throw refuse(scheme, `blocks that end with a row of ${weights.inputs} values`);
    }
    reserve.raise(bytesOf(weights, 1));
    return new LaneProjection(runtime, await layerOf(runtime, weights, scheme), scheme, onError);
  };
}

class LaneProjection implements Projection {
  readonly inputs: number;
  readonly outputs: number;
  readonly #runtime: Runtime;
  readonly #layer: Linear;
  readonly #scheme: Scheme | undefined;
  readonly #onError: ErrorListener | undefined;

  constructor(runtime: Runtime, layer: Linear, scheme: Scheme | undefined, onError: ErrorListener | undefined) {
    this.inputs = layer.inputs;
    this.outputs = layer.outputs;
    this.#runtime = runtime;
    this.#layer = layer;
    this.#scheme = scheme;
    this.#onError = onError;
  }

  async forward(x: Float32Array, rows: number): Promise<Float32Array> {
    // Room is not waited for: sessions hold it, which may all be waiting for this product. Rows are independent.
    if (!this.#hasRoom(rows)) return this.#inHalves(x, rows);
    const input = this.#runtime.lease('float32', [rows, this.inputs]);
    input.data.set(x);
    using output = await this.#product(input);
    return Float32Array.from(output.data);
  }

  release(): void {
    this.#layer.release();
  }

  #hasRoom(rows: number): boolean {
    return this.#runtime.hasRoom('float32', [Math.ceil(bytesOf(this.#layer, rows) / 4)]);
  }

  async #inHalves(x: Float32Array, rows: number): Promise<Float32Array> {
    if (rows === 1) {
      const bytes = bytesOf(this.#layer, rows);
      throw fail('ERR_QUANTLANE_ARENA_FULL', `Expected room for ${bytes} bytes of a product, got less`);
    }
    const half = Math.ceil(rows / 2);
    const y = new Float32Array(rows * this.outputs);
    y.set(await this.forward(x.subarray(0, half * this.inputs), half));
    y.set(await this.forward(x.subarray(half * this.inputs), rows - half), half * this.outputs);
    return y;
  }

  /** Uses the input up. */
  async #product(input: TensorLease<'float32'>): Promise<TensorLease<'float32'>> {
    if (this.#scheme === undefined) return this.#layer.forward(input);
    using q = await this.#runtime.quantize(input, this.#scheme, { stats: this.#onError !== undefined });
    if (q.stats !== null) this.#onError?.(q.stats);
    if (this.#layer.weights === 'int8') return await this.#layer.forward(q);
    return await this.#layer.forward(await this.#runtime.dequantize(q));
  }
}

/** Bytes that a product takes at most while it runs. */
function bytesOf({ inputs, outputs }: Pick<Weights, 'inputs' | 'outputs'>, rows: number): number {
  return rows * (inputs * INPUT_BYTES + outputs * 4) + EXTRA_BYTES;
}

function floatLayer(runtime: Runtime, { data, inputs, outputs, bias }: Weights): Promise<Linear> {
  const weight = { dtype: 'float32', shape: [outputs, inputs], data } as const;
  return createLinear(runtime, { weight, weights: 'float32', ...(bias !== undefined && { bias }) });
}

function integerLayer(runtime: Runtime, { data, inputs, outputs, bias }: Weights, scheme: Scheme): Promise<Linear> {
  const weight = { dtype: 'float32', shape: [outputs, inputs], data } as const;
  return createLinear(runtime, { weight, activations: scheme, ...(bias !== undefined && { bias }) });
}

/** The same int8 weights, as the float32 values that they stand for. */
async function readBackLayer(runtime: Runtime, { data, inputs, outputs, bias }: Weights): Promise<Linear> {
  using q = await runtime.quantize({ dtype: 'float32', shape: [outputs, inputs], data }, weightScheme('int8'));
  const weight = await runtime.dequantize(q);
  return createLinear(runtime, { weight, weights: 'float32', ...(bias !== undefined && { bias }) });
}

/** The scheme with parameters for each token, so that no token's codes depend on its neighbours. */
function tokenScheme(scheme: Scheme): Scheme {
  const { granularity, parameters, outliers, format } = scheme;
  if (parameters !== 'dynamic') throw refuse(scheme, 'parameters that are found at run time');
  if (outliers !== null) throw refuse(scheme, 'codes that do not depend on the outliers of other tokens');
  if (format !== null && BLOCK_FORMATS[format].unscaled) throw refuse(scheme, 'codes that keep the length of a row');
  if (granularity.kind === 'perTensor') return { ...scheme, granularity: perToken };
  const isByRow = granularity.kind === 'perToken' || granularity.kind === 'perBlock';
  if (isByRow && (granularity.axis === -1 || granularity.axis === null)) return scheme;
  throw refuse(scheme, 'parameters for each token or parts of it');
}

function refuse({ name }: Scheme, expected: string): Error {
  return fail('ERR_QUANTLANE_PRESET', `Expected a scheme of activations with ${expected}, got '${name}'`);
}

/** Whether codes can be multiplied as integers. */
function isFactor(scheme: Scheme): boolean {
  try {
    checkFactor(scheme, 'activations');
    return true;
  } catch {
    return false;
  }
}
