/**
 * Products with the weights of a model.
 * @module
 */

/** y = x · Wᵀ + b for any number of rows; a row's result does not depend on the other rows. */
export interface Projection {
  readonly inputs: number;
  readonly outputs: number;
  /**
   * Applies it to rows, which stay the caller's.
   * @param x [rows, inputs]
   * @returns [rows, outputs], the caller's to write to
   */
  forward(x: Float32Array, rows: number): Promise<Float32Array>;
  /** Gives back what it holds. */
  release(): void;
}

/** What a projection is made of. */
export interface Weights {
  /** [outputs, inputs] */
  readonly data: Float32Array<ArrayBuffer>;
  readonly inputs: number;
  readonly outputs: number;
  /** A number for each output. */
  readonly bias?: Float32Array;
}

/** Makes the projections of a model, and decides by that how its products are computed. */
export type Projector = (weights: Weights) => Promise<Projection>;

/** Outputs, and rows, whose sums run side by side. */
const TILE = 4;

/**
 * Products in plain TypeScript, as a reference: the products of a row and an output are added in float64 in the order of
 * the inputs, then the bias, and rounded to float32 once.
 */
export class PlainProjection implements Projection {
  readonly inputs: number;
  readonly outputs: number;
  readonly #weights: Weights;

  constructor(weights: Weights) {
    this.inputs = weights.inputs;
    this.outputs = weights.outputs;
    this.#weights = weights;
  }

  async forward(x: Float32Array, rows: number): Promise<Float32Array> {
    const { data, bias } = this.#weights;
    const { inputs, outputs } = this;
    const y = new Float32Array(rows * outputs);
    const sums = new Float64Array(TILE * TILE);
    for (let output = 0; output < outputs; output += TILE) {
      for (let row = 0; row < rows; row += TILE) {
        // Beyond the end the last one is taken once more, and not stored.
        tile(sums, x, data, inputs, row, rows - 1, output, outputs - 1);
        for (let i = 0; i < TILE && row + i < rows; i++) {
          for (let j = 0; j < TILE && output + j < outputs; j++) {
            y[(row + i) * outputs + output + j] = sums[i * TILE + j]! + (bias?.[output + j] ?? 0);
          }
        }
      }
    }
    return y;
  }

  release(): void {}
}

/** The sums of four rows from `row` and four outputs from `output`. */
function tile(
  sums: Float64Array,
  x: Float32Array,
  w: Float32Array,
  inputs: number,
  row: number,
  lastRow: number,
  output: number,
  lastOutput: number,
): void {
  const w0 = output * inputs;
  const w1 = Math.min(output + 1, lastOutput) * inputs;
  const w2 = Math.min(output + 2, lastOutput) * inputs;
  const w3 = Math.min(output + 3, lastOutput) * inputs;
  for (let i = 0; i < TILE && row + i <= lastRow; i++) {
    const start = (row + i) * inputs;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let k = 0; k < inputs; k++) {
      const value = x[start + k]!;
      s0 += value * w[w0 + k]!;
      s1 += value * w[w1 + k]!;
      s2 += value * w[w2 + k]!;
      s3 += value * w[w3 + k]!;
    }
    sums[i * TILE] = s0;
    sums[i * TILE + 1] = s1;
    sums[i * TILE + 2] = s2;
    sums[i * TILE + 3] = s3;
  }
}
