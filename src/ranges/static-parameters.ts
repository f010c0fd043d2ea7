/**
 * Scale and zero point of a static preset from a calibrated range, as `onnxruntime.quantization` makes them
 * (`compute_scale_zp` of onnxruntime 1.28-dev python/tools/quantization/quant_utils.py).
 *
 *     min = min(min, 0)   max = max(max, 0)                  symmetric: max = max(−min, max), min = −max
 *     scale₆₄ = f32(max − min) / (hi − lo)                   below the smallest normal float32: 1, and zero point 0
 *     scale = f32(scale₆₄)
 *     zeroPoint = R(lo − min / scale₆₄)                      R half to even; symmetric: R((lo + hi) / 2)
 *
 * @module
 */
import { fail } from '../errors.js';
import { roundHalfEven } from '../numbers.js';
import type { Range } from './observer.js';

/** The smallest normal float32. */
const TINY = 2 ** -126;

/** What the parameters are for. */
export interface StaticTarget {
  /** Smallest and largest code that the range is spread over. */
  readonly codes: readonly [lo: number, hi: number];
  /** Whether both ends of the range lie equally far from zero. */
  readonly symmetric: boolean;
}

/** Scale and zero point of every parameter. */
export interface StaticParameters {
  readonly scale: Float32Array;
  /** Stored zero points: `q = round(x / scale) + zeroPoint`. */
  readonly zeroPoint: Int32Array;
}

/**
 * Codes and symmetry that `onnxruntime.quantization` has for a type by default: unsigned codes are affine, signed ones
 * symmetric and without the smallest code.
 */
export function staticTarget(codes: readonly [lo: number, hi: number]): StaticTarget {
  const [lo, hi] = codes;
  return lo < 0 ? { codes: [-hi, hi], symmetric: true } : { codes, symmetric: false };
}

/**
 * Scale and zero point for each parameter of a range.
 * @throws `ERR_QUANTLANE_PARAMETERS` where the extent of a range is no float32
 */
export function staticParameters({ min, max }: Range, { codes: [lo, hi], symmetric }: StaticTarget): StaticParameters {
  const scale = new Float32Array(min.length);
  const zeroPoint = new Int32Array(min.length);
  for (let index = 0; index < min.length; index++) {
    let [low, high] = [Math.min(min[index]!, 0), Math.max(max[index]!, 0)];
    if (symmetric) [low, high] = [Math.min(low, -high), Math.max(-low, high)];
    const extent = Math.fround(high - low);
    if (!Number.isFinite(extent)) {
      const text = `Expected a range whose extent is a float32, got ${low} to ${high} at ${index}`;
      throw fail('ERR_QUANTLANE_PARAMETERS', text);
    }
    const exact = extent / (hi - lo);
    const isTiny = exact < TINY;
    scale[index] = isTiny ? 1 : exact;
    if (!isTiny) zeroPoint[index] = roundHalfEven(symmetric ? (lo + hi) / 2 : lo - low / exact);
  }
  return { scale, zeroPoint };
}
