/**
 * Scale and zero point of a tensor for a consumer that wants them given.
 * @module
 */
import type { TensorFile } from '../src/formats/index.js';
import type { GivenParameters, StreamingRuntime } from '../src/index.js';
import { pageTokens, readLease, type TokenTensor } from './tokens.js';

/** Smallest positive float32 that is not subnormal. */
const TINY = 2 ** -126;

/** Parameters of uint8 codes from the smallest and the largest value of the whole tensor. */
export async function calibrate(
  runtime: StreamingRuntime,
  file: TensorFile,
  tensor: TokenTensor,
): Promise<GivenParameters> {
  const size = pageTokens(runtime, tensor);
  let low = 0;
  let high = 0;
  for (let first = 0; first < tensor.tokens; first += size) {
    const count = Math.min(size, tensor.tokens - first);
    using lease = runtime.lease(tensor.dtype, [count, tensor.columns]);
    await readLease(file, tensor, first, lease);
    // One range for all values, with zero in it: that of the dynamic twin of the scheme.
    const { min, max } = await runtime.range(lease, 'onnx-dynamic');
    low = Math.min(low, min[0]!);
    high = Math.max(high, max[0]!);
  }
  return parametersOf(low, high);
}

/** Scale and zero point as ONNX Runtime's quantization tool computes them for uint8. */
export function parametersOf(low: number, high: number): { scale: number; zeroPoint: number } {
  const scale = Math.fround(high - low) / 255;
  if (scale < TINY) return { scale: 1, zeroPoint: 0 };
  return { scale: Math.fround(scale), zeroPoint: halfEven((0 - low) / scale) };
}

/** The nearest integer to a number from 0 to 255, ties to the even one. */
function halfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
