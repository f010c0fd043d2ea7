/**
 * From codes back to float32: `(code − zeroPoint) · scale` (equation 14), and the same for other kinds of codes.
 */
import { Apply, Element, Storage, ZeroPointRule } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { codeBytes } from './codes';
import { chooseFloat } from './floats';
import { minimum, storedScale, zeroPoint } from './parameters';
import { codeAt, fourValues, valueOf } from './values';
import { word } from './words';

/** `n` contiguous codes at `q` to values at `p`, with the current parameters. */
export function decode(d: usize, q: usize, n: usize, p: usize): void {
  const storage = word(d, Word.Storage);
  const element = word(d, Word.Element);
  if (element == Element.Minifloat) chooseFloat(d);
  // 0 · Infinity is a NaN whose sign engines differ in: such scales go value by value, where NaN becomes canonical.
  const whole = abs(storedScale) < Infinity ? n & ~3 : 0;
  if (element == Element.Minifloat) decodeFours<u8, f32>(q, whole, p);
  else if (element == Element.Nf4) decodeFours<u8, u8>(q, whole, p);
  else if (element == Element.Fp4) decodeFours<u8, u16>(q, whole, p);
  else if (word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum) {
    if (word(d, Word.Apply) == Apply.Unit) decodeFours<u8, i64>(q, whole, p);
    else if (storage == Storage.Int8) decodeFours<i8, f64>(q, whole, p);
    else decodeFours<u8, f64>(q, whole, p);
  } else if (storage == Storage.Int8) decodeFours<i8, i8>(q, whole, p);
  else if (storage == Storage.Uint8) decodeFours<u8, i8>(q, whole, p);
  else if (storage == Storage.Int16) decodeFours<i16, i8>(q, whole, p);
  else decodeFours<u16, i8>(q, whole, p);
  const size = codeBytes(d);
  decodeEach(d, q + whole * size, size, n - whole, p + (whole << 2), 4);
}

function decodeFours<W, E>(q: usize, n: usize, p: usize): void {
  const scale = f32x4.splat(storedScale);
  const zero = i32x4.splat(zeroPoint);
  const least = f32x4.splat(minimum);
  for (let i: usize = 0; i < n; i += 4) {
    let x = fourValues<W, E>(q + i * sizeof<W>(), scale, zero, least);
    // Only small floats have codes for infinity and NaN.
    if (isFloat<E>()) x = v128.bitselect(x, f32x4.splat(NaN), f32x4.eq(x, x));
    v128.store(p + (i << 2), x);
  }
}

/** `n` codes `step` bytes apart to values `stride` bytes apart. */
export function decodeEach(d: usize, q: usize, step: usize, n: usize, p: usize, stride: usize): void {
  const storage = word(d, Word.Storage);
  if (word(d, Word.Element) == Element.Minifloat) chooseFloat(d);
  for (let i: usize = 0; i < n; i++) {
    const x = valueOf(d, codeAt(storage, q + i * step));
    store<f32>(p + i * stride, x == x ? x : NaN);
  }
}
