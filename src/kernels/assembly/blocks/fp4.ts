/**
 * MXFP4 and NVFP4: floats of 4 bits, E2M1 (ggml `quantize_row_mxfp4_ref`, `quantize_row_nvfp4_ref`). As in ggml the
 * table holds twice the values and the scales are halved, so that all of them are integers.
 */
import { bytes } from './integers';
import { pack } from './nibbles';
import { largestBits, magnitudeOf, magnitudes, quad } from './values';

/** Twice the values, as signed bytes; the code 8 is 0 too. */
// @ts-ignore: decorator
@inline
export function table(): v128 {
  return i8x16(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
}

/** Half of the power of two with the exponent byte `e`. */
// @ts-ignore: decorator
@inline
export function halfPower(e: i32): f32 {
  return reinterpret<f32>(e < 2 ? 0x00200000 << e : (e - 1) << 23);
}

/** Half of the unsigned E4M3 of a byte; the NaN of the format is 0. */
export function halfE4m3(byte: i32): f32 {
  if (byte == 0 || byte == 0x7f) return 0;
  const exponent = (byte >> 3) & 15;
  const fraction = byte & 7;
  // 2^-10, the half of the smallest step.
  if (exponent == 0) return <f32>fraction * reinterpret<f32>(0x3a800000);
  return reinterpret<f32>(((exponent + 119) << 23) | (fraction << 20));
}

/** MXFP4. The exponent of a tiny block wraps around; that of an infinite or NaN amax is 255. */
export function mxfp4<T, S>(p: usize, q: usize, amax: f32, limit: f32): void {
  const bits = reinterpret<i32>(amax);
  let e = 0;
  if (bits >= 0x00800000) e = min<i32>(255, (bits >> 23) - 2);
  else if (bits != 0) e = (31 - clz(bits) - 149 + 125) & 255;
  if (bits >= 0x7f800000) e = 255;
  store<u8>(q, <u8>e);
  const d = halfPower(e & 255);
  const plain = amax < Infinity;
  const low = sixteen<T, S>(p, d, plain, limit);
  pack<i8>(q + 1, low, sixteen<T, S>(p + 16 * sizeof<T>(), d, plain, limit));
}

/** NVFP4: a scale for every 16 values, whose byte j holds the codes j and j + 8. */
export function nvfp4<T, S>(p: usize, q: usize, _amax: f32, limit: f32): void {
  for (let part: usize = 0; part < 4; part++) {
    const amax = magnitudeOf(largestBits<T, S>(p, 16, limit));
    const byte = toE4m3(amax / 6);
    store<u8>(q + part, <u8>byte);
    const d = halfE4m3(byte);
    const codes = sixteen<T, S>(p, d, amax <= 65536 * d, limit);
    store<i64>(q + 4 + (part << 3), i64x2.extract_lane(codes, 0) | (i64x2.extract_lane(codes, 1) << 4));
    p += 16 * sizeof<T>();
  }
}

/** The unsigned E4M3 of a number: halves up; what rounds to 256 or more is 448, as in ggml. NaN is 0. */
function toE4m3(x: f32): i32 {
  if (!(x > 0)) return 0;
  if (x >= 256) return 0x7e;
  if (x < 0.015625) return min<i32>(7, <i32>(x * 512 + 0.5));
  // The bit below the last one kept is added to it; a carry into the exponent is the right number too.
  const byte = ((reinterpret<i32>(x) + 0x00080000) >> 20) - (120 << 3);
  return byte < 0x78 ? byte : 0x7e;
}

/**
 * Sixteen codes with the scale `d`, as bytes. `plain`: every value is finite and below 2^16 · d, and so is 12 · d; then
 * the code is the number of middles below the magnitude, which float32 finds exactly.
 */
// @ts-ignore: decorator
@inline
function sixteen<T, S>(p: usize, d: f32, plain: bool, limit: f32): v128 {
  const step = 4 * sizeof<T>();
  const a = quad<T, S>(p, limit);
  const b = quad<T, S>(p + step, limit);
  const c = quad<T, S>(p + 2 * step, limit);
  const e = quad<T, S>(p + 3 * step, limit);
  if (plain) return bytes(signed(a, counted(a, d)), signed(b, counted(b, d)), signed(c, counted(c, d)), signed(e, counted(e, d)));
  return bytes(signed(a, searched(a, d)), signed(b, searched(b, d)), signed(c, searched(c, d)), signed(e, searched(e, d)));
}

/** How many of the middles are below the magnitudes. */
// @ts-ignore: decorator
@inline
function counted(x: v128, d: f32): v128 {
  const size = magnitudes(x);
  let count = f32x4.gt(size, f32x4.splat(0.5 * d));
  count = i32x4.add(count, f32x4.gt(size, f32x4.splat(1.5 * d)));
  count = i32x4.add(count, f32x4.gt(size, f32x4.splat(2.5 * d)));
  count = i32x4.add(count, f32x4.gt(size, f32x4.splat(3.5 * d)));
  count = i32x4.add(count, f32x4.gt(size, f32x4.splat(5 * d)));
  count = i32x4.add(count, f32x4.gt(size, f32x4.splat(7 * d)));
  count = i32x4.add(count, f32x4.gt(size, f32x4.splat(10 * d)));
  return i32x4.neg(count);
}

/** The first code from 0 to 7 whose distance, in float32, from the magnitude is the smallest. */
function searched(x: v128, d: f32): v128 {
  const size = magnitudes(x);
  let least = size;
  let best = i32x4.splat(0);
  for (let code = 1; code < 8; code++) {
    const twice: f32 = code < 5 ? <f32>code : code == 5 ? 6 : code == 6 ? 8 : 12;
    const error = f32x4.abs(f32x4.sub(f32x4.splat(twice * d), size));
    const isLess = f32x4.lt(error, least);
    least = v128.bitselect(error, least, isLess);
    best = v128.bitselect(i32x4.splat(code), best, isLess);
  }
  return best;
}

/** Codes with the sign of the values; zero has none. */
// @ts-ignore: decorator
@inline
function signed(x: v128, code: v128): v128 {
  const sign = v128.and(i32x4.shr_u(x, 28), i32x4.splat(8));
  return v128.or(code, v128.and(sign, i32x4.ne(code, i32x4.splat(0))));
}
