/**
 * From codes back to float32: `(code − zeroPoint) · scale` (equation 14), and the same for other kinds of codes. Type
 * parameters W and E are as in `values`.
 */
import { Apply, Element, Storage, ZeroPointRule } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { codeBytes } from './codes';
import { anySpecial, mantissaBits, plainFloatValues } from './floats';
import { minimum, storedScale, zeroPoint } from './parameters';
import { codeAt, extended, fourValues, valueOf, valuesOf } from './values';
import { word } from './words';

/** `n` contiguous codes at `q` to values at `p`, with the current parameters. */
export function decode(d: usize, q: usize, n: usize, p: usize): void {
  // 0 · Infinity is a NaN whose sign engines differ in: such scales go value by value, where NaN becomes canonical.
  const whole = abs(storedScale) < Infinity ? n & ~3 : 0;
  if (whole != 0) decodeKind(d, q, whole, p);
  if (whole == n) return;
  const size = codeBytes(d);
  decodeEach(d, q + whole * size, size, n - whole, p + (whole << 2), 4);
}

function decodeKind(d: usize, q: usize, n: usize, p: usize): void {
  const storage = word(d, Word.Storage);
  const element = word(d, Word.Element);
  if (element == Element.Minifloat) decodeFloats(d, q, n, p);
  else if (element == Element.Nf4) decodeRun<u8, u8>(q, n, p);
  else if (element == Element.Fp4) decodeRun<u8, u16>(q, n, p);
  else if (word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum) {
    if (word(d, Word.Apply) == Apply.Unit) decodeRun<u8, i64>(q, n, p);
    else if (storage == Storage.Int8) decodeRun<i8, f64>(q, n, p);
    else decodeRun<u8, f64>(q, n, p);
  } else if (storage == Storage.Int8) decodeRun<i8, i8>(q, n, p);
  else if (storage == Storage.Uint8) decodeRun<u8, i8>(q, n, p);
  else if (storage == Storage.Int16) decodeRun<i16, i8>(q, n, p);
  else decodeRun<u16, i8>(q, n, p);
}

/** A multiple of four codes: sixteen at a time, a tail the last sixteen again. */
function decodeRun<W, E>(q: usize, n: usize, p: usize): void {
  const scale = f32x4.splat(storedScale);
  const zero = i32x4.splat(zeroPoint);
  const least = f32x4.splat(minimum);
  const end = q + n * sizeof<W>();
  if (n < 16) {
    for (; q < end; q += 4 * sizeof<W>()) {
      v128.store(p, fourValues<W, E>(q, scale, zero, least));
      p += 16;
    }
    return;
  }
  const last = end - 16 * sizeof<W>();
  for (; q < last; q += 16 * sizeof<W>()) {
    decodeSixteen<W, E>(q, p, scale, zero, least);
    p += 64;
  }
  decodeSixteen<W, E>(last, p - ((q - last) / sizeof<W>()) * 4, scale, zero, least);
}

// @ts-ignore: decorator
@inline
function decodeSixteen<W, E>(q: usize, p: usize, scale: v128, zero: v128, least: v128): void {
  const low = extended<W>(q, 0);
  const high = extended<W>(q, 1);
  if (isSigned<W>()) {
    v128.store(p, valuesOf<E>(i32x4.extend_low_i16x8_s(low), scale, zero, least));
    v128.store(p, valuesOf<E>(i32x4.extend_high_i16x8_s(low), scale, zero, least), 16);
    v128.store(p, valuesOf<E>(i32x4.extend_low_i16x8_s(high), scale, zero, least), 32);
    v128.store(p, valuesOf<E>(i32x4.extend_high_i16x8_s(high), scale, zero, least), 48);
  } else {
    v128.store(p, valuesOf<E>(i32x4.extend_low_i16x8_u(low), scale, zero, least));
    v128.store(p, valuesOf<E>(i32x4.extend_high_i16x8_u(low), scale, zero, least), 16);
    v128.store(p, valuesOf<E>(i32x4.extend_low_i16x8_u(high), scale, zero, least), 32);
    v128.store(p, valuesOf<E>(i32x4.extend_high_i16x8_u(high), scale, zero, least), 48);
  }
}

/** A multiple of four small floats. */
function decodeFloats(d: usize, q: usize, n: usize, p: usize): void {
  let plain: usize = 0;
  const mantissa = mantissaBits();
  if (mantissa == 3) plain = plainFloats<i8>(q, n, p);
  else if (mantissa == 2) plain = plainFloats<i16>(q, n, p);
  else if (mantissa == 1) plain = plainFloats<i32>(q, n, p);
  const scale = f32x4.splat(storedScale);
  for (let i = plain; i < n; i += 4) {
    const x = fourValues<u8, f32>(q + i, scale, scale, scale);
    v128.store(p + (i << 2), v128.bitselect(x, f32x4.splat(NaN), f32x4.eq(x, x)));
  }
}

/** Sixteen at a time as long as all are plain numbers; how many that were. */
function plainFloats<M>(q: usize, n: usize, p: usize): usize {
  const scale = f32x4.splat(storedScale);
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    const codes = v128.load(q + i);
    if (anySpecial(codes)) break;
    const low = i16x8.extend_low_i8x16_u(codes);
    const high = i16x8.extend_high_i8x16_u(codes);
    const at = p + (i << 2);
    v128.store(at, f32x4.mul(plainFloatValues<M>(i32x4.extend_low_i16x8_u(low)), scale));
    v128.store(at, f32x4.mul(plainFloatValues<M>(i32x4.extend_high_i16x8_u(low)), scale), 16);
    v128.store(at, f32x4.mul(plainFloatValues<M>(i32x4.extend_low_i16x8_u(high)), scale), 32);
    v128.store(at, f32x4.mul(plainFloatValues<M>(i32x4.extend_high_i16x8_u(high)), scale), 48);
  }
  return i;
}

/** `n` codes `step` bytes apart to values `stride` bytes apart. */
export function decodeEach(d: usize, q: usize, step: usize, n: usize, p: usize, stride: usize): void {
  const storage = word(d, Word.Storage);
  for (let i: usize = 0; i < n; i++) {
    const x = valueOf(d, codeAt(storage, q + i * step));
    store<f32>(p + i * stride, x == x ? x : NaN);
  }
}
