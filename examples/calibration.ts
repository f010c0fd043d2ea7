/**
 * Scale and zero point, or the range, of a tensor for a consumer that wants them given.
 * @module
 */

import type { TensorFile } from '../src/formats/index.js';
import type { GivenParameters, GivenRange, Scheme, StreamingRuntime } from '../src/index.js';
import { roundHalfEven } from '../src/numbers.js';
import { pageTokens, readLease, type TokenTensor } from './tokens.js';

/** Smallest positive float32 that is not subnormal. */
const TINY = 2 ** -126;

/** What a scheme wants given, from the smallest and the largest value of the whole tensor. */
export async function calibrate(
  runtime: StreamingRuntime,
  file: TensorFile,
  tensor: TokenTensor,
  scheme: Scheme,
): Promise<{ parameters: GivenParameters } | { range: GivenRange }> {
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
  if (scheme.parameters === 'range') return { range: { min: low, max: high } };
  return { parameters: parametersOf(low, high, scheme) };
}

/**
 * Scale and zero point for a range with zero in it: for affine codes as ONNX Runtime's quantization tool computes them,
 * for symmetric ones the largest magnitude over the largest code.
 */
export function parametersOf(low: number, high: number, scheme: Pick<Scheme, 'codes' | 'symmetric'>): GivenParameters {
  const [lowest, highest] = scheme.codes;
  const scale = scheme.symmetric ? Math.max(-low, high) / highest : Math.fround(high - low) / (highest - lowest);
  if (scale < TINY) return scheme.symmetric ? { scale: 1 } : { scale: 1, zeroPoint: lowest };
  if (scheme.symmetric) return { scale: Math.fround(scale) };
  return { scale: Math.fround(scale), zeroPoint: lowest + roundHalfEven((0 - low) / scale) };
}
