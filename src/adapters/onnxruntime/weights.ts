/**
 * Weights of a matrix product as ONNX Runtime's `quantize_dynamic` makes them: symmetric int8 with codes from −127 to
 * 127, for each column or for the whole matrix (onnxruntime/python/tools/quantization/quant_utils.py,
 * compute_scale_zp with symmetric=True).
 * @module
 */
import type { Runtime } from '../../runtime/index.js';
import { defineScheme, type Granularity, perChannel, perTensor, preset, type Scheme } from '../../scheme/index.js';

/** A matrix of float32, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** Codes and scales of a matrix. */
export interface QuantizedMatrix {
  /** `[rows, columns]`. */
  readonly codes: Int8Array;
  /** One for each column, or one. */
  readonly scales: Float32Array;
}

const SCHEMES = { column: schemeOf(perChannel(1)), matrix: schemeOf(perTensor) } as const;

/** Quantizes the weights of a product `[inputs, outputs]`; what is returned is ordinary memory. */
export async function quantizeMatrix(
  runtime: Runtime,
  { rows, columns, data }: Matrix,
  isPerChannel: boolean,
): Promise<QuantizedMatrix> {
  const scheme = isPerChannel ? SCHEMES.column : SCHEMES.matrix;
  using quantized = await runtime.quantize({ dtype: 'float32', shape: [rows, columns], data }, scheme);
  return {
    codes: new Int8Array(quantized.data as Int8Array),
    scales: new Float32Array(quantized.scale as Float32Array),
  };
}

/** The matrix with its axes exchanged. */
export function transposed({ rows, columns, data }: Matrix): Matrix {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column]!;
  }
  return { rows: columns, columns: rows, data: result };
}

/** The rule of the weights: scale = amax / 127, or 1 for zeros alone; codes = round-half-even(x / scale). */
function schemeOf(granularity: Granularity): Scheme {
  return defineScheme({
    ...preset('torch-int8-per-channel'),
    name: 'onnx-weights',
    granularity,
    codes: [-127, 127],
    divisor: 127,
    scaleForm: 'divide',
    apply: 'divide',
    floor: null,
    allZero: { on: 'scale', scale: 1, multiplier: 1 },
  });
}
