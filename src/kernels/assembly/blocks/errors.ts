/**
 * Error statistics of blocks, by the rules of `measure`: value i of a row adds to sum i & 3, in order. Codes of these
 * formats do not saturate, so none is counted.
 */
import { BlockFormat, Dtype } from '../../../scheme/codes';
import { bytesOf, fourExact, one } from '../load';
import { canonical, raiseLargest } from '../measure';
import { bytesOfBlock, fourBack, groupOf, minimumAt, oneBack, scaleAt, sizeOf } from './back';

/** Adds a row of `n` values at `p` and what its blocks at `q` read back as. */
export function addErrors(format: BlockFormat, dtype: i32, record: usize, p: usize, n: usize, q: usize): void {
  if (format == BlockFormat.Q8_0 || format == BlockFormat.Q8_0X86) each(BlockFormat.Q8_0, dtype, record, p, n, q);
  else if (format == BlockFormat.Q8_1) each(BlockFormat.Q8_1, dtype, record, p, n, q);
  else if (format == BlockFormat.Q8_K) each(BlockFormat.Q8_K, dtype, record, p, n, q);
  else if (format == BlockFormat.Q4_0) each(BlockFormat.Q4_0, dtype, record, p, n, q);
  else if (format == BlockFormat.Q4_1) each(BlockFormat.Q4_1, dtype, record, p, n, q);
  else if (format == BlockFormat.Q5_0) each(BlockFormat.Q5_0, dtype, record, p, n, q);
  else if (format == BlockFormat.Q5_1) each(BlockFormat.Q5_1, dtype, record, p, n, q);
  else if (format == BlockFormat.Iq4Nl) each(BlockFormat.Iq4Nl, dtype, record, p, n, q);
  else if (format == BlockFormat.Mxfp4) each(BlockFormat.Mxfp4, dtype, record, p, n, q);
  else if (format == BlockFormat.Nvfp4) each(BlockFormat.Nvfp4, dtype, record, p, n, q);
  else if (format == BlockFormat.Float16) ragged(BlockFormat.Float16, dtype, record, p, n, q);
  else if (format == BlockFormat.Bfloat16) ragged(BlockFormat.Bfloat16, dtype, record, p, n, q);
  else if (format == BlockFormat.UsearchI8) ragged(BlockFormat.UsearchI8, dtype, record, p, n, q);
  else if (format == BlockFormat.BitsHigh) ragged(BlockFormat.BitsHigh, dtype, record, p, n, q);
  else if (format == BlockFormat.BitsHighInt8) ragged(BlockFormat.BitsHighInt8, dtype, record, p, n, q);
  else ragged(BlockFormat.BitsLow, dtype, record, p, n, q);
}

/** Whole blocks. */
// @ts-ignore: decorator
@inline
function each(format: BlockFormat, dtype: i32, record: usize, p: usize, n: usize, q: usize): void {
  const infinity = i32x4.splat(0x7f800000);
  const magnitude = i32x4.splat(i32.MAX_VALUE);
  let e01 = v128.load(record);
  let e23 = v128.load(record, 16);
  let s01 = v128.load(record, 32);
  let s23 = v128.load(record, 48);
  let largest = i32x4.splat(0);
  const width = bytesOf(dtype);
  const size = sizeOf(format);
  const group = groupOf(format);
  for (const end = p + n * width; p < end; q += bytesOfBlock(format)) {
    const minimum = f32x4.splat(minimumAt(format, q));
    for (let from: usize = 0; from < size; from += group) {
      const scale = f32x4.splat(scaleAt(format, q, from));
      for (let i = from; i < from + group; i += 4) {
        let x = valuesAt(dtype, p + i * width);
        const isFinite = i32x4.lt_s(v128.and(x, magnitude), infinity);
        x = v128.and(x, isFinite);
        const e = v128.and(f32x4.sub(x, fourBack(format, q, i, scale, minimum)), isFinite);
        largest = i32x4.max_s(largest, v128.and(e, magnitude));
        const eLow = f64x2.promote_low_f32x4(e);
        const eHigh = f64x2.promote_low_f32x4(v128.shuffle<i32>(e, e, 2, 3, 0, 1));
        const xLow = f64x2.promote_low_f32x4(x);
        const xHigh = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 0, 1));
        e01 = f64x2.add(e01, f64x2.mul(eLow, eLow));
        e23 = f64x2.add(e23, f64x2.mul(eHigh, eHigh));
        s01 = f64x2.add(s01, f64x2.mul(xLow, xLow));
        s23 = f64x2.add(s23, f64x2.mul(xHigh, xHigh));
      }
    }
    p += size * width;
  }
  v128.store(record, canonical(e01));
  v128.store(record, canonical(e23), 16);
  v128.store(record, s01, 32);
  v128.store(record, s23, 48);
  raiseLargest(record, i32x4.extract_lane(largest, 0));
  raiseLargest(record, i32x4.extract_lane(largest, 1));
  raiseLargest(record, i32x4.extract_lane(largest, 2));
  raiseLargest(record, i32x4.extract_lane(largest, 3));
}

/** A row that may end within a block: its last values one by one. */
// @ts-ignore: decorator
@inline
function ragged(format: BlockFormat, dtype: i32, record: usize, p: usize, n: usize, q: usize): void {
  const whole = n & ~(sizeOf(format) - 1);
  each(format, dtype, record, p, whole, q);
  for (let i = whole; i < n; i++) addError(record, i & 3, one(dtype, p + i * bytesOf(dtype)), oneBack(format, q, i));
}

/** Four values of any type. */
function valuesAt(dtype: i32, p: usize): v128 {
  if (dtype == Dtype.Float32) return v128.load(p);
  return dtype == Dtype.Float16 ? fourExact<u16>(p) : fourExact<i16>(p);
}

/** Adds one value, and what it reads back as, to sum `sum`. */
export function addError(record: usize, sum: usize, x: f32, back: f32): void {
  if (!(abs(x) < Infinity)) return;
  const e = x - back;
  const at = record + (sum << 3);
  const total = load<f64>(at) + <f64>e * <f64>e;
  store<f64>(at, total == total ? total : NaN);
  store<f64>(at + 32, load<f64>(at + 32) + <f64>x * <f64>x);
  raiseLargest(record, reinterpret<i32>(abs(e)));
}
