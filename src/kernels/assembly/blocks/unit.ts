/**
 * int8 codes of a row as a unit vector (equation 34; USearch `cast_to_i8_gt`): x · 127 / norm in float64, cut off.
 */
import { one } from '../load';
import { bytes } from './integers';
import { limited, quad } from './values';

/** `n` values of type `dtype` at `p` to `q`; a row without length, or with an infinite or NaN one, has codes of 0. */
export function unitCodes<T, S>(dtype: i32, p: usize, n: usize, q: usize, limit: f32): void {
  const norm = f64x2.splat(normOf<T, S>(dtype, p, n, limit));
  const step = 4 * sizeof<T>();
  const whole = n & ~15;
  for (let i: usize = 0; i < whole; i += 16) {
    const at = p + i * sizeof<T>();
    const a = codes(quad<T, S>(at, limit), norm);
    const b = codes(quad<T, S>(at + step, limit), norm);
    const c = codes(quad<T, S>(at + 2 * step, limit), norm);
    const e = codes(quad<T, S>(at + 3 * step, limit), norm);
    v128.store(q + i, bytes(a, b, c, e));
  }
  for (let i = whole; i < n; i++) {
    const x = limited<S>(f32x4.splat(one(dtype, p + i * sizeof<T>())), limit);
    store<u8>(q + i, <u8>i32x4.extract_lane(codes(x, norm), 0));
  }
}

/** Four codes. No |x| exceeds the norm by more than its rounding, so that cutting off also keeps to ±127; NaN is 0. */
// @ts-ignore: decorator
@inline
function codes(x: v128, norm: v128): v128 {
  const factor = f64x2.splat(127);
  const low = f64x2.div(f64x2.mul(f64x2.promote_low_f32x4(x), factor), norm);
  const high = f64x2.div(f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1)), factor), norm);
  return v128.shuffle<i32>(i32x4.trunc_sat_f64x2_s_zero(low), i32x4.trunc_sat_f64x2_s_zero(high), 0, 1, 4, 5);
}

/** √Σx², whose squares add in order. */
function normOf<T, S>(dtype: i32, p: usize, n: usize, limit: f32): f64 {
  let sum: f64 = 0;
  const whole = n & ~3;
  for (let i: usize = 0; i < whole; i += 4) {
    const x = quad<T, S>(p + i * sizeof<T>(), limit);
    const low = f64x2.promote_low_f32x4(x);
    const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1));
    const a = f64x2.mul(low, low);
    const b = f64x2.mul(high, high);
    sum += f64x2.extract_lane(a, 0);
    sum += f64x2.extract_lane(a, 1);
    sum += f64x2.extract_lane(b, 0);
    sum += f64x2.extract_lane(b, 1);
  }
  for (let i = whole; i < n; i++) {
    const x = limited<S>(f32x4.splat(one(dtype, p + i * sizeof<T>())), limit);
    const wide = <f64>f32x4.extract_lane(x, 0);
    sum += wide * wide;
  }
  return sqrt(sum);
}
