/**
 * F16 and BF16: each value by itself, half to even, every NaN the canonical one (ggml `ggml_fp32_to_fp16_row`,
 * `ggml_fp32_to_bf16_row_ref`). H `u16` is float16, `i16` bfloat16, as in `load`.
 */
import { one } from '../load';
import { quad } from './values';

/** What ±Inf becomes under `saturate`: the largest number of the type. */
// @ts-ignore: decorator
@inline
function largest<H>(): f32 {
  return isSigned<H>() ? reinterpret<f32>(0x7f7f0000) : 65504;
}

/** `n` values of type `dtype` at `p` to `q`. */
export function convert<T, S, H>(dtype: i32, p: usize, n: usize, q: usize): void {
  const whole = n & ~7;
  for (let i: usize = 0; i < whole; i += 8) {
    const a = narrow<H>(known<S, H>(quad<T, i8>(p + i * sizeof<T>(), 0)));
    const b = narrow<H>(known<S, H>(quad<T, i8>(p + (i + 4) * sizeof<T>(), 0)));
    v128.store(q + (i << 1), i16x8.narrow_i32x4_u(a, b));
  }
  for (let i = whole; i < n; i++) {
    const x = known<S, H>(f32x4.splat(one(dtype, p + i * sizeof<T>())));
    store<u16>(q + (i << 1), <u16>i32x4.extract_lane(narrow<H>(x), 0));
  }
}

/** For S `i16` NaN as 0 and ±Inf as the largest number; finite values as they are. */
// @ts-ignore: decorator
@inline
function known<S, H>(x: v128): v128 {
  if (sizeof<S>() == 1) return x;
  const number = v128.and(x, f32x4.eq(x, x));
  const end = v128.or(f32x4.splat(largest<H>()), v128.and(x, i32x4.splat(i32.MIN_VALUE)));
  return v128.bitselect(end, number, f32x4.eq(f32x4.abs(number), f32x4.splat(Infinity)));
}

/** Four float32 as 16 bits each, in 32-bit lanes. */
// @ts-ignore: decorator
@inline
function narrow<H>(x: v128): v128 {
  const isNumber = f32x4.eq(x, x);
  if (isSigned<H>()) {
    const even = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
    const bits = i32x4.shr_u(i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), even), 16);
    return v128.bitselect(bits, i32x4.splat(0x7fc0), isNumber);
  }
  const magnitude = v128.and(x, i32x4.splat(i32.MAX_VALUE));
  const even = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const rebased = i32x4.add(i32x4.sub(magnitude, i32x4.splat(0x38000000 - 0xfff)), even);
  // Below 2^-14 the result is subnormal: adding 0.5 puts its last place where float32 rounds half to even.
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  let bits = v128.bitselect(subnormal, i32x4.shr_u(rebased, 13), i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  bits = v128.bitselect(i32x4.splat(0x7c00), bits, i32x4.ge_s(magnitude, i32x4.splat(0x477ff000)));
  bits = v128.or(bits, v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000)));
  return v128.bitselect(bits, i32x4.splat(0x7e00), isNumber);
}
