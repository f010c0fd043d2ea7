/**
 * Rows of codes laid out for the product (`RowForm`), with scale and zero point of each. Codes are taken as u from 0 to
 * 255: int8 ones, and their zero points, are 128 more.
 */
import { RowForm, ScaleType, Storage } from '../../../scheme/codes';
import { Word } from '../../../scheme/descriptor';
import { halfBits } from '../load';
import { address, word } from '../words';

/** Rows `First` to `Last`. */
export function layRows(d: usize): void {
  const form = word(d, Word.RowForm);
  const length = address(d, Word.Length);
  const bytes = address(d, Word.Inner);
  const flip = word(d, Word.Storage) == Storage.Int8 ? 128 : 0;
  const last = address(d, Word.Last);
  for (let row = address(d, Word.First); row < last; row++) {
    const from = address(d, Word.Values) + row * length;
    const to = address(d, Word.Codes) + row * bytes;
    if (form == RowForm.Wide) widen(from, length, to, bytes, flip);
    else if (form == RowForm.Sevens) split(from, length, to, bytes, flip, 7);
    else split(from, length, to, bytes, flip, 4);
    layParameters(d, row, flip);
  }
}

/** u of each code as int16. */
function widen(from: usize, length: usize, to: usize, bytes: usize, flip: i32): void {
  const flips = i8x16.splat(<i8>flip);
  const whole = length & ~15;
  for (let k: usize = 0; k < whole; k += 16) {
    const u = v128.xor(v128.load(from + k), flips);
    v128.store(to + (k << 1), i16x8.extend_low_i8x16_u(u));
    v128.store(to + (k << 1), i16x8.extend_high_i8x16_u(u), 16);
  }
  for (let k = whole; k << 1 < bytes; k++) {
    store<u16>(to + (k << 1), k < length ? <u16>(<i32>load<u8>(from + k) ^ flip) : 0);
  }
}

/** The low `bits` of u for four codes, then the others of the same four. */
function split(from: usize, length: usize, to: usize, bytes: usize, flip: i32, bits: i32): void {
  const mask = (1 << bits) - 1;
  const flips = i8x16.splat(<i8>flip);
  const lows = i8x16.splat(<i8>mask);
  const highs = i8x16.splat(<i8>(255 >> bits));
  const whole = length & ~15;
  for (let k: usize = 0; k < whole; k += 16) {
    const u = v128.xor(v128.load(from + k), flips);
    const low = v128.and(u, lows);
    const high = v128.and(i32x4.shr_u(u, bits), highs);
    v128.store(to + (k << 1), v128.shuffle<i32>(low, high, 0, 4, 1, 5));
    v128.store(to + (k << 1), v128.shuffle<i32>(low, high, 2, 6, 3, 7), 16);
  }
  for (let k = whole; k << 1 < bytes; k++) {
    const u = k < length ? <i32>load<u8>(from + k) ^ flip : 0;
    const at = to + ((k >> 2) << 3) + (k & 3);
    store<u8>(at, u & mask);
    store<u8>(at + 4, u >> bits);
  }
}

/** Scale and zero point of a row; a stride of 0 is that of a whole tensor, whose rows share them. */
function layParameters(d: usize, row: usize, flip: i32): void {
  const stride = address(d, Word.ScaleStride);
  const to = address(d, Word.RangeLow) + (row << 3);
  store<f32>(to, scaleAt(word(d, Word.ScaleType), address(d, Word.Scale) + row * stride));
  const zeros = address(d, Word.ZeroPoint);
  let zero: i32 = 0;
  if (zeros != 0) {
    const at = zeros + (stride == 0 ? 0 : row);
    zero = word(d, Word.Storage) == Storage.Int8 ? <i32>load<i8>(at) : <i32>load<u8>(at);
  }
  store<i32>(to, zero + flip, 4);
}

/** A scale as float32. */
function scaleAt(type: i32, p: usize): f32 {
  if (type == ScaleType.Float64) return <f32>load<f64>(p);
  if (type == ScaleType.Float16) return reinterpret<f32>(halfBits(load<u16>(p)));
  return load<f32>(p);
}
