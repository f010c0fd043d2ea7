/**
 * Rows of blocks of a foreign format (`Op.Blocks`). The format and the type of the values are chosen once a row; then a
 * loop of their own looks at each block, and where a value is not finite does as the policy says.
 */
import { BlockFormat, Dtype, Mode, NonFinite } from '../../../scheme/codes';
import { Size, Word } from '../../../scheme/descriptor';
import { bytesOf } from '../load';
import { clearRecord, recordOf } from '../measure';
import { clearRange, dirty, extend, high, low } from '../range';
import { address, word } from '../words';
import { bytesOfBlock, isBits, sizeOf } from './back';
import { pack } from './bits';
import { decodeRow } from './decode';
import { q8_0, q8_0x86, q8_1 } from './eights';
import { addErrors } from './errors';
import { convert } from './floats';
import { mxfp4, nvfp4 } from './fp4';
import { iq4_nl } from './iq4nl';
import { centred, raised } from './nibbles';
import { q8_k } from './q8k';
import { unitCodes } from './unit';
import { largestBits } from './values';

/** Rows `First` to `Last` of `Length` values. */
export function blocks(d: usize): void {
  const length: usize = address(d, Word.Length);
  const rowBytes: usize = address(d, Word.Inner);
  const values = address(d, Word.Values);
  const codes = address(d, Word.Codes);
  const last: usize = address(d, Word.Last);
  const dtype = word(d, Word.Dtype);
  const decodes = word(d, Word.Mode) == Mode.Dequantize;
  const size: usize = decodes ? 4 : bytesOf(dtype);
  for (let row: usize = address(d, Word.First); row < last; row++) {
    const p = values + row * length * size;
    const q = codes + row * rowBytes;
    if (decodes) {
      decodeRow(word(d, Word.Format), q, length, p);
      continue;
    }
    const bad = word(d, Word.BadCount);
    if (dtype == Dtype.Float32) encodeRow<f32>(d, p, length, q, row);
    else if (dtype == Dtype.Float16) encodeRow<u16>(d, p, length, q, row);
    else encodeRow<i16>(d, p, length, q, row);
    if (word(d, Word.Statistics) == 0) continue;
    clearRecord(recordOf(d, row));
    // A row with values that are refused has no codes to measure.
    if (word(d, Word.NonFinite) == NonFinite.Error && word(d, Word.BadCount) != bad) continue;
    addErrors(word(d, Word.Format), dtype, recordOf(d, row), p, length, q);
  }
}

function encodeRow<T>(d: usize, p: usize, n: usize, q: usize, row: usize): void {
  const format: BlockFormat = word(d, Word.Format);
  if (format == BlockFormat.Q8_0) each<T>(BlockFormat.Q8_0, d, p, n, q, row);
  else if (format == BlockFormat.Q8_0X86) each<T>(BlockFormat.Q8_0X86, d, p, n, q, row);
  else if (format == BlockFormat.Q8_1) each<T>(BlockFormat.Q8_1, d, p, n, q, row);
  else if (format == BlockFormat.Q8_K) each<T>(BlockFormat.Q8_K, d, p, n, q, row);
  else if (format == BlockFormat.Q4_0) each<T>(BlockFormat.Q4_0, d, p, n, q, row);
  else if (format == BlockFormat.Q4_1) each<T>(BlockFormat.Q4_1, d, p, n, q, row);
  else if (format == BlockFormat.Q5_0) each<T>(BlockFormat.Q5_0, d, p, n, q, row);
  else if (format == BlockFormat.Q5_1) each<T>(BlockFormat.Q5_1, d, p, n, q, row);
  else if (format == BlockFormat.Iq4Nl) each<T>(BlockFormat.Iq4Nl, d, p, n, q, row);
  else if (format == BlockFormat.Mxfp4) each<T>(BlockFormat.Mxfp4, d, p, n, q, row);
  else if (format == BlockFormat.Nvfp4) each<T>(BlockFormat.Nvfp4, d, p, n, q, row);
  else if (format == BlockFormat.Float16) tiles<T>(BlockFormat.Float16, d, p, n, q, row);
  else if (format == BlockFormat.Bfloat16) tiles<T>(BlockFormat.Bfloat16, d, p, n, q, row);
  else if (format == BlockFormat.UsearchI8) unit<T>(d, p, n, q, row);
  else if (format == BlockFormat.BitsHigh) tiles<T>(BlockFormat.BitsHigh, d, p, n, q, row);
  else if (format == BlockFormat.BitsHighInt8) tiles<T>(BlockFormat.BitsHighInt8, d, p, n, q, row);
  else tiles<T>(BlockFormat.BitsLow, d, p, n, q, row);
}

/** Every block of a row. */
// @ts-ignore: decorator
@inline
function each<T>(format: BlockFormat, d: usize, p: usize, n: usize, q: usize, row: usize): void {
  const size = sizeOf(format);
  let element = <i32>(row * n);
  for (const end = p + n * sizeof<T>(); p < end; p += size * sizeof<T>()) {
    const bits = largestBits<T, i8>(p, size, 0);
    if (bits < 0x7f800000) {
      encode<T, i8>(format, p, q, reinterpret<f32>(bits), 0);
    } else {
      const limit = limitOf(d, p, size, element, bits);
      const policy = word(d, Word.NonFinite);
      if (policy == NonFinite.Saturate) encode<T, i16>(format, p, q, limit, limit);
      else if (policy == NonFinite.Propagate) encode<T, i8>(format, p, q, limit, 0);
    }
    q += bytesOfBlock(format);
    element += <i32>size;
  }
}

/**
 * Reports the values of a block that are not finite; the largest magnitude that its codes follow: of the finite values,
 * or under `propagate` infinity or NaN.
 */
function limitOf(d: usize, p: usize, n: usize, element: i32, bits: i32): f32 {
  clearRange();
  extend(d, p, bytesOf(word(d, Word.Dtype)), n, element, 1);
  if (word(d, Word.NonFinite) == NonFinite.Propagate) return bits > 0x7f800000 ? NaN : Infinity;
  return largestFinite();
}

/** The largest magnitude of the range collected. */
// @ts-ignore: decorator
@inline
function largestFinite(): f32 {
  return reinterpret<f32>(max<i32>(high, low & i32.MAX_VALUE));
}

// @ts-ignore: decorator
@inline
function encode<T, S>(format: BlockFormat, p: usize, q: usize, amax: f32, limit: f32): void {
  if (format == BlockFormat.Q8_0) q8_0<T, S>(p, q, amax, limit);
  else if (format == BlockFormat.Q8_0X86) q8_0x86<T, S>(p, q, amax, limit);
  else if (format == BlockFormat.Q8_1) q8_1<T, S>(p, q, amax, limit);
  else if (format == BlockFormat.Q8_K) q8_k<T, S>(p, q, amax, limit);
  else if (format == BlockFormat.Q4_0) centred<T, S, i8>(p, q, amax, limit);
  else if (format == BlockFormat.Q4_1) raised<T, S, i8>(p, q, amax, limit);
  else if (format == BlockFormat.Q5_0) centred<T, S, i16>(p, q, amax, limit);
  else if (format == BlockFormat.Q5_1) raised<T, S, i16>(p, q, amax, limit);
  else if (format == BlockFormat.Iq4Nl) iq4_nl<T, S>(p, q, amax, limit);
  else if (format == BlockFormat.Mxfp4) mxfp4<T, S>(p, q, amax, limit);
  else nvfp4<T, S>(p, q, amax, limit);
}

/** A row of values that stand alone, in tiles; under `error` a tile with a value that is not finite is left out. */
// @ts-ignore: decorator
@inline
function tiles<T>(format: BlockFormat, d: usize, p: usize, n: usize, q: usize, row: usize): void {
  const policy = word(d, Word.NonFinite);
  for (let i: usize = 0; i < n; i += Size.CacheTile) {
    const count = min<usize>(Size.CacheTile, n - i);
    const from = p + i * sizeof<T>();
    clearRange();
    extend(d, from, sizeof<T>(), count, <i32>(row * n + i), 1);
    if (dirty && policy == NonFinite.Error) continue;
    alone<T>(format, d, from, count, q, i, dirty && policy == NonFinite.Saturate);
  }
}

/** `n` values from value `i` of a row on. */
// @ts-ignore: decorator
@inline
function alone<T>(format: BlockFormat, d: usize, p: usize, n: usize, q: usize, i: usize, saturates: bool): void {
  const dtype = word(d, Word.Dtype);
  if (isBits(format)) {
    // NaN is no positive value, and infinities keep their sign: nothing is to be made finite first.
    pack<T>(format, dtype, p, n, q + (i >> 3));
  } else if (format == BlockFormat.Float16) {
    if (saturates) convert<T, i16, u16>(dtype, p, n, q + (i << 1));
    else convert<T, i8, u16>(dtype, p, n, q + (i << 1));
  } else {
    if (saturates) convert<T, i16, i16>(dtype, p, n, q + (i << 1));
    else convert<T, i8, i16>(dtype, p, n, q + (i << 1));
  }
}

/** A row as a unit vector; under `error` one that has a value which is not finite is left out. */
function unit<T>(d: usize, p: usize, n: usize, q: usize, row: usize): void {
  const policy = word(d, Word.NonFinite);
  const dtype = word(d, Word.Dtype);
  clearRange();
  extend(d, p, sizeof<T>(), n, <i32>(row * n), 1);
  if (!dirty || policy == NonFinite.Propagate) unitCodes<T, i8>(dtype, p, n, q, 0);
  else if (policy == NonFinite.Saturate) unitCodes<T, i16>(dtype, p, n, q, largestFinite());
}
