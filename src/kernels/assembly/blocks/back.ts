/**
 * From blocks back to float32. `format` is a constant wherever these are called, so that each format has a loop of its
 * own; `q` is a block, and `i`, a multiple of 4, a value in it.
 */
import { BlockFormat } from '../../../scheme/codes';
import { fourExact, halfBits } from '../load';
import { fourSigns, oneSign } from './bits';
import { halfE4m3, halfPower, table as fp4Table } from './fp4';
import { table as iq4Table } from './iq4nl';

/** 1 / 127 − 1 / 128. */
const OVER: f32 = 1.0 / 16256.0;

/** Whether each value has a bit of its own. */
// @ts-ignore: decorator
@inline
export function isBits(format: BlockFormat): bool {
  return format == BlockFormat.BitsHigh || format == BlockFormat.BitsHighInt8 || format == BlockFormat.BitsLow;
}

/** Values of a block; those of one value are taken four at a time. */
// @ts-ignore: decorator
@inline
export function sizeOf(format: BlockFormat): usize {
  if (isBits(format)) return 8;
  if (format == BlockFormat.Q8_K) return 256;
  if (format == BlockFormat.Nvfp4) return 64;
  return format >= BlockFormat.Float16 ? 4 : 32;
}

/** Bytes of so many values. */
// @ts-ignore: decorator
@inline
export function bytesOfBlock(format: BlockFormat): usize {
  if (format == BlockFormat.Q8_0 || format == BlockFormat.Q8_0X86) return 34;
  if (format == BlockFormat.Q8_1 || format == BlockFormat.Nvfp4) return 36;
  if (format == BlockFormat.Q8_K) return 292;
  if (format == BlockFormat.Q4_0 || format == BlockFormat.Iq4Nl) return 18;
  if (format == BlockFormat.Q4_1) return 20;
  if (format == BlockFormat.Q5_0) return 22;
  if (format == BlockFormat.Q5_1) return 24;
  if (format == BlockFormat.UsearchI8) return 4;
  if (isBits(format)) return 1;
  return format == BlockFormat.Mxfp4 ? 17 : 8;
}

/** Values that share a scale. */
// @ts-ignore: decorator
@inline
export function groupOf(format: BlockFormat): usize {
  return format == BlockFormat.Nvfp4 ? 16 : sizeOf(format);
}

/** The scale at value `i`. */
// @ts-ignore: decorator
@inline
export function scaleAt(format: BlockFormat, q: usize, i: usize): f32 {
  if (format == BlockFormat.Q8_K) return load<f32>(q);
  if (format == BlockFormat.Mxfp4) return halfPower(load<u8>(q));
  if (format == BlockFormat.Nvfp4) return halfE4m3(load<u8>(q + (i >> 4)));
  if (format >= BlockFormat.Float16) return 1;
  return reinterpret<f32>(halfBits(load<u16>(q)));
}

/** The minimum, where the format has one. */
// @ts-ignore: decorator
@inline
export function minimumAt(format: BlockFormat, q: usize): f32 {
  if (format != BlockFormat.Q4_1 && format != BlockFormat.Q5_1) return 0;
  return reinterpret<f32>(halfBits(load<u16>(q, 2)));
}

/** Four values from value `i` on, with their scale and minimum; every NaN the canonical one. */
// @ts-ignore: decorator
@inline
export function fourBack(format: BlockFormat, q: usize, i: usize, scale: v128, minimum: v128): v128 {
  let x: v128;
  if (format == BlockFormat.Float16) x = fourExact<u16>(q);
  else if (format == BlockFormat.Bfloat16) x = fourExact<i16>(q);
  else x = f32x4.convert_i32x4_s(integers(format, q, i));
  // x / 127 for every x from −128 to 127: what 1 / 127 has over 1 / 128 is added.
  if (format == BlockFormat.UsearchI8) return f32x4.add(f32x4.mul(x, f32x4.splat(0.0078125)), f32x4.mul(x, f32x4.splat(OVER)));
  if (format < BlockFormat.Float16) x = f32x4.mul(x, scale);
  if (format == BlockFormat.Q4_1 || format == BlockFormat.Q5_1) x = f32x4.add(x, minimum);
  return v128.bitselect(x, f32x4.splat(NaN), f32x4.eq(x, x));
}

/** What the scale is multiplied with. */
// @ts-ignore: decorator
@inline
function integers(format: BlockFormat, q: usize, i: usize): v128 {
  if (format == BlockFormat.Q8_0 || format == BlockFormat.Q8_0X86) return widened(v128.load32_zero(q + 2 + i));
  if (format == BlockFormat.Q8_1 || format == BlockFormat.Q8_K) return widened(v128.load32_zero(q + 4 + i));
  if (format == BlockFormat.UsearchI8) return widened(v128.load32_zero(q + i));
  if (isBits(format)) return fourSigns(format, q, <i32>i);
  if (format == BlockFormat.Q4_0) return i32x4.sub(widened(nibbles(q + 2, i)), i32x4.splat(8));
  if (format == BlockFormat.Q4_1) return widened(nibbles(q + 4, i));
  if (format == BlockFormat.Iq4Nl) return widened(i8x16.swizzle(iq4Table(), nibbles(q + 2, i)));
  if (format == BlockFormat.Mxfp4) return widened(i8x16.swizzle(fp4Table(), nibbles(q + 1, i)));
  if (format == BlockFormat.Nvfp4) return widened(i8x16.swizzle(fp4Table(), eighths(q + 4, i)));
  if (format == BlockFormat.Q5_0) return i32x4.sub(fives(q + 2, i), i32x4.splat(16));
  return fives(q + 4, i);
}

/** Value `i` of a row that may end within a block; every NaN the canonical one. */
// @ts-ignore: decorator
@inline
export function oneBack(format: BlockFormat, q: usize, i: usize): f32 {
  if (isBits(format)) return oneSign(format, q, i);
  if (format == BlockFormat.UsearchI8) return <f32>load<i8>(q + i) / 127;
  const bits = <i32>load<u16>(q + (i << 1));
  const x = reinterpret<f32>(format == BlockFormat.Float16 ? halfBits(bits) : bits << 16);
  return x == x ? x : NaN;
}

/** The low four signed bytes in 32-bit lanes. */
// @ts-ignore: decorator
@inline
function widened(codes: v128): v128 {
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(codes));
}

/** Four codes of 4 bits, where byte j holds j and j + 16. */
// @ts-ignore: decorator
@inline
function nibbles(q: usize, i: usize): v128 {
  const pairs = i32x4.shr_u(v128.load32_zero(q + (i & 15)), <i32>((i & 16) >> 2));
  return v128.and(pairs, i8x16.splat(15));
}

/** Four codes of 4 bits, where byte j of each eight holds j and j + 8. */
// @ts-ignore: decorator
@inline
function eighths(q: usize, i: usize): v128 {
  const pairs = i32x4.shr_u(v128.load32_zero(q + ((i >> 4) << 3) + (i & 7)), <i32>((i & 8) >> 1));
  return v128.and(pairs, i8x16.splat(15));
}

/** Four codes of 5 bits. */
// @ts-ignore: decorator
@inline
function fives(q: usize, i: usize): v128 {
  const high = i32x4.splat(load<i32>(q) >>> <i32>i);
  const fifths = v128.and(high, i32x4(1, 2, 4, 8));
  const isSet = i32x4.ne(fifths, i32x4.splat(0));
  return v128.or(widened(nibbles(q + 4, i)), v128.and(isSet, i32x4.splat(16)));
}
