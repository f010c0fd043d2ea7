/**
 * Ranges of the values alone, which zero need not be in. The bits of a float32, with all but the sign flipped where it
 * is negative, are ordered as signed integers; such a key serves both ends. −0 is below +0.
 */
import { Dtype } from '../../scheme/codes';
import { bytesOf, fourExact, one } from './load';

/** Keys of the ends that `keysOf` found. */
export let largestKey: i32 = i32.MIN_VALUE;
export let smallestKey: i32 = i32.MAX_VALUE;

/** The key of the bits of a float32, or the bits of a key. */
// @ts-ignore: decorator
@inline
export function keyOf(bits: i32): i32 {
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

// @ts-ignore: decorator
@inline
export function isHigher(bits: i32, than: i32): bool {
  return keyOf(bits) > keyOf(than);
}

// @ts-ignore: decorator
@inline
export function isLower(bits: i32, than: i32): bool {
  return keyOf(bits) < keyOf(than);
}

/** Sets the keys to those of `n` values `stride` bytes apart, whatever they are; at least one. */
export function keysOf(dtype: i32, p: usize, stride: usize, n: usize): void {
  largestKey = i32.MIN_VALUE;
  smallestKey = i32.MAX_VALUE;
  if (stride == bytesOf(dtype) && n >= 4) {
    if (dtype == Dtype.Float32) contiguous<f32>(p, n);
    else if (dtype == Dtype.Float16) contiguous<u16>(p, n);
    else contiguous<i16>(p, n);
    return;
  }
  for (let i: usize = 0; i < n; i++) {
    const key = keyOf(reinterpret<i32>(one(dtype, p + i * stride)));
    largestKey = max(largestKey, key);
    smallestKey = min(smallestKey, key);
  }
}

/** At least four values; a tail is the last four again, for a range does not mind a value twice. */
function contiguous<T>(p: usize, n: usize): void {
  let h = i32x4.splat(i32.MIN_VALUE);
  let l = i32x4.splat(i32.MAX_VALUE);
  const last = p + (n - 4) * sizeof<T>();
  for (; p < last; p += 4 * sizeof<T>()) {
    const keys = fourKeys<T>(p);
    h = i32x4.max_s(h, keys);
    l = i32x4.min_s(l, keys);
  }
  const keys = fourKeys<T>(last);
  h = i32x4.max_s(h, keys);
  l = i32x4.min_s(l, keys);
  h = i32x4.max_s(h, v128.shuffle<i32>(h, h, 2, 3, 0, 1));
  l = i32x4.min_s(l, v128.shuffle<i32>(l, l, 2, 3, 0, 1));
  largestKey = max(i32x4.extract_lane(h, 0), i32x4.extract_lane(h, 1));
  smallestKey = min(i32x4.extract_lane(l, 0), i32x4.extract_lane(l, 1));
}

// @ts-ignore: decorator
@inline
export function fourKeys<T>(p: usize): v128 {
  const bits = fourExact<T>(p);
  return v128.xor(bits, v128.and(i32x4.shr_s(bits, 31), i32x4.splat(0x7fffffff)));
}
