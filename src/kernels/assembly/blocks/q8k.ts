/**
 * Q8_K: 256 codes of 8 bits with a float32 scale and the sums of each 16 codes (ggml `quantize_row_q8_K_ref`).
 */
import { bytes, nearestInteger, sumOf } from './integers';
import { peak, quad } from './values';

const CODES: usize = 4;
const SUMS: usize = CODES + 256;

/** A block; where the inverse scale is not finite, or a value, ggml's rounding gives codes of 0. */
export function q8_k<T, S>(p: usize, q: usize, amax: f32, limit: f32): void {
  const most = peak<T, S>(p, 256, amax, limit);
  const scale: f32 = most == 0 ? 0 : <f32>-127 / most;
  const d: f32 = most == 0 ? 0 : <f32>1 / scale;
  store<f32>(q, d == d ? d : NaN);
  if (!(amax < Infinity && abs(scale) < Infinity)) {
    memory.fill(q + CODES, 0, 256 + 32);
    return;
  }
  const m = f32x4.splat(scale);
  const step = 4 * sizeof<T>();
  for (let part: usize = 0; part < 16; part++) {
    const a = nearestInteger<i8>(f32x4.mul(quad<T, S>(p, limit), m));
    const b = nearestInteger<i8>(f32x4.mul(quad<T, S>(p + step, limit), m));
    const c = nearestInteger<i8>(f32x4.mul(quad<T, S>(p + 2 * step, limit), m));
    const e = nearestInteger<i8>(f32x4.mul(quad<T, S>(p + 3 * step, limit), m));
    const codes = bytes(a, b, c, e);
    v128.store(q + CODES + (part << 4), codes);
    store<i16>(q + SUMS + (part << 1), <i16>sumOf(codes));
    p += 4 * step;
  }
}
