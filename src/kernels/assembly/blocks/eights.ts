/**
 * Q8_0 and Q8_1: 32 codes of 8 bits with a float16 scale, made with the float32 one (ggml `quantize_row_q8_0_ref`,
 * `quantize_row_q8_1_ref`, and `quantize_row_q8_0` of its x86 path). `p` is a block's values, `q` its bytes.
 */
import { anyInteger, bytes, nearestInteger, sumOf } from './integers';
import { inverse, quad, storeHalf } from './values';

/** Q8_0 of the reference: x · (1 / (amax / 127)), ties away from zero. */
export function q8_0<T, S>(p: usize, q: usize, amax: f32, limit: f32): void {
  const d = amax / 127;
  storeHalf(q, d);
  scaled<T, S>(p, q + 2, inverse(d), amax, limit);
}

/** Q8_1: with the sum of the codes times the scale. */
export function q8_1<T, S>(p: usize, q: usize, amax: f32, limit: f32): void {
  const d = amax / 127;
  storeHalf(q, d);
  scaled<T, S>(p, q + 4, inverse(d), amax, limit);
  storeHalf(q + 2, <f32>(sumOf(v128.load(q + 4)) + sumOf(v128.load(q + 20))) * d);
}

// @ts-ignore: decorator
@inline
function scaled<T, S>(p: usize, q: usize, id: f32, amax: f32, limit: f32): void {
  const m = f32x4.splat(id);
  // What is not finite here is rare: values that are not, under `propagate`, or an inverse that overflows.
  if (abs(id) < Infinity && amax < Infinity) codes<T, S, i8>(p, q, m, limit);
  else codes<T, S, i16>(p, q, m, limit);
}

/** 32 codes; C `i8` for products below 2^22, `i16` for any. */
// @ts-ignore: decorator
@inline
function codes<T, S, C>(p: usize, q: usize, m: v128, limit: f32): void {
  const step = 4 * sizeof<T>();
  for (let end = q + 32; q < end; q += 16) {
    const a = code<C>(f32x4.mul(quad<T, S>(p, limit), m));
    const b = code<C>(f32x4.mul(quad<T, S>(p + step, limit), m));
    const c = code<C>(f32x4.mul(quad<T, S>(p + 2 * step, limit), m));
    const e = code<C>(f32x4.mul(quad<T, S>(p + 3 * step, limit), m));
    v128.store(q, bytes(a, b, c, e));
    p += 4 * step;
  }
}

// @ts-ignore: decorator
@inline
function code<C>(v: v128): v128 {
  return sizeof<C>() == 1 ? nearestInteger<i16>(v) : anyInteger<i16>(v);
}

/** Q8_0 of the x86 path: x · (127 / amax), ties to even; NaN and what no int32 holds become −128, as in its registers. */
export function q8_0x86<T, S>(p: usize, q: usize, amax: f32, limit: f32): void {
  const id: f32 = amax == 0 ? 0 : <f32>127 / amax;
  const m = f32x4.splat(id);
  storeHalf(q, amax / 127);
  const plain = abs(id) < Infinity && amax < Infinity;
  const step = 4 * sizeof<T>();
  q += 2;
  for (let end = q + 32; q < end; q += 16) {
    const a = f32x4.mul(quad<T, S>(p, limit), m);
    const b = f32x4.mul(quad<T, S>(p + step, limit), m);
    const c = f32x4.mul(quad<T, S>(p + 2 * step, limit), m);
    const e = f32x4.mul(quad<T, S>(p + 3 * step, limit), m);
    if (plain) v128.store(q, bytes(nearestInteger<i8>(a), nearestInteger<i8>(b), nearestInteger<i8>(c), nearestInteger<i8>(e)));
    else v128.store(q, bytes(register(a), register(b), register(c), register(e)));
    p += 4 * step;
  }
}

// @ts-ignore: decorator
@inline
function register(v: v128): v128 {
  const fits = f32x4.lt(f32x4.abs(v), f32x4.splat(2147483648));
  return v128.bitselect(anyInteger<i8>(v), i32x4.splat(i32.MIN_VALUE), fits);
}
