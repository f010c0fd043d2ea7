/**
 * A bit a value: whether it is positive (equation 33; sentence-transformers `quantize_embeddings`, USearch
 * `cast_to_b1x8_gt`, pgvector `binary_quantize`, Qdrant `encode_one_bit_vector`). NaN is not.
 */
import { BlockFormat, Dtype } from '../../../scheme/codes';
import { one } from '../load';

/** `n` values of type `dtype` at `p` to `q`, the bits after the last one clear. */
// @ts-ignore: decorator
@inline
export function pack<T>(format: BlockFormat, dtype: i32, p: usize, n: usize, q: usize): void {
  // As integers, positive values of 16 bits end with infinity, and NaNs come after it.
  const most = i16x8.splat(dtype == Dtype.Float16 ? 0x7c00 : 0x7f80);
  const whole = n & ~15;
  for (let i: usize = 0; i < whole; i += 16) {
    let isSet = sixteen<T>(p + i * sizeof<T>(), most);
    if (format != BlockFormat.BitsLow) isSet = turned(isSet);
    const bits = i8x16.bitmask(isSet);
    store<u16>(q + (i >> 3), <u16>(format == BlockFormat.BitsHighInt8 ? bits ^ 0x8080 : bits));
  }
  for (let i = whole; i < n; i += 8) {
    let bits = 0;
    const count = min<usize>(8, n - i);
    for (let k: usize = 0; k < count; k++) {
      bits |= <i32>(one(dtype, p + (i + k) * sizeof<T>()) > 0) << placeOf(format, <i32>k);
    }
    store<u8>(q + (i >> 3), <u8>flipped(format, bits));
  }
}

/** The bytes of each half the other way round. */
// @ts-ignore: decorator
@inline
function turned(v: v128): v128 {
  return v128.shuffle<i8>(v, v, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
}

/** Whether each of sixteen values is positive, in bytes of all ones. */
// @ts-ignore: decorator
@inline
function sixteen<T>(p: usize, most: v128): v128 {
  const zero = i32x4.splat(0);
  if (!isFloat<T>()) {
    const a = v128.load(p);
    const b = v128.load(p, 16);
    return i8x16.narrow_i16x8_s(
      v128.and(i16x8.gt_s(a, zero), i16x8.le_s(a, most)),
      v128.and(i16x8.gt_s(b, zero), i16x8.le_s(b, most)),
    );
  }
  return i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(f32x4.gt(v128.load(p), zero), f32x4.gt(v128.load(p, 16), zero)),
    i16x8.narrow_i32x4_s(f32x4.gt(v128.load(p, 32), zero), f32x4.gt(v128.load(p, 48), zero)),
  );
}

/** Place in its byte of the bit of value `i`. */
// @ts-ignore: decorator
@inline
function placeOf(format: BlockFormat, i: i32): i32 {
  return format == BlockFormat.BitsLow ? i & 7 : 7 - (i & 7);
}

/** A byte as bits, or such bits as a byte: of int8, where 128 is taken off, the highest one is the other way round. */
// @ts-ignore: decorator
@inline
function flipped(format: BlockFormat, byte: i32): i32 {
  return format == BlockFormat.BitsHighInt8 ? byte ^ 0x80 : byte;
}

/** The value of bit `i` of a row, 1 or −1. */
// @ts-ignore: decorator
@inline
export function oneSign(format: BlockFormat, q: usize, i: usize): f32 {
  return (flipped(format, load<u8>(q + (i >> 3))) >> placeOf(format, <i32>i)) & 1 ? 1 : -1;
}

/** The values of four bits of a byte from bit `i` on, 0 or 4, as integers. */
// @ts-ignore: decorator
@inline
export function fourSigns(format: BlockFormat, q: usize, i: i32): v128 {
  const byte = flipped(format, load<u8>(q));
  const isLow = format == BlockFormat.BitsLow;
  const bits = i32x4.splat(isLow ? byte >> i : byte << i);
  const isClear = i32x4.eq(v128.and(bits, isLow ? i32x4(1, 2, 4, 8) : i32x4(128, 64, 32, 16)), i32x4.splat(0));
  return v128.or(isClear, i32x4.splat(1));
}
