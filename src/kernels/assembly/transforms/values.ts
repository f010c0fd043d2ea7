/**
 * Values in and out of transforms; the type parameter T is that of `load`.
 */
import { halfBits } from '../load';

/** The value at `p` as float32, exactly. */
// @ts-ignore: decorator
@inline
export function single<T>(p: usize): f32 {
  if (isFloat<T>()) return load<f32>(p);
  if (isSigned<T>()) return reinterpret<f32>(<i32>load<u16>(p) << 16);
  return reinterpret<f32>(halfBits(load<u16>(p)));
}

/** Writes a float32, NaN as the canonical one. */
// @ts-ignore: decorator
@inline
export function put(q: usize, x: f32): void {
  store<f32>(q, x == x ? x : NaN);
}

/** Writes four float32, each NaN as the canonical one. */
// @ts-ignore: decorator
@inline
export function putFour(q: usize, x: v128): void {
  v128.store(q, v128.bitselect(x, f32x4.splat(NaN), f32x4.eq(x, x)));
}

