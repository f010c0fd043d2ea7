/**
 * From codes back to float32: `(code − zeroPoint) · scale` (equation 14).
 */
import { Storage } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { codeBytes } from './codes';
import { codeAt, fourCodes } from './measure';
import { storedScale, zeroPoint } from './parameters';
import { word } from './words';

/** `n` contiguous codes at `q` to values at `p`, with the current parameters. */
export function decode(d: usize, q: usize, n: usize, p: usize): void {
  const storage = word(d, Word.Storage);
  // 0 · Infinity is a NaN whose sign engines differ in: such scales go value by value, where NaN becomes canonical.
  const whole = abs(storedScale) < Infinity ? n & ~3 : 0;
  if (storage == Storage.Int8) decodeFours<i8>(q, whole, p);
  else if (storage == Storage.Uint8) decodeFours<u8>(q, whole, p);
  else if (storage == Storage.Int16) decodeFours<i16>(q, whole, p);
  else decodeFours<u16>(q, whole, p);
  const size = codeBytes(d);
  decodeEach(d, q + whole * size, size, n - whole, p + (whole << 2), 4);
}

function decodeFours<W>(q: usize, n: usize, p: usize): void {
  const scale = f32x4.splat(storedScale);
  const zero = i32x4.splat(zeroPoint);
  for (let i: usize = 0; i < n; i += 4) {
    const codes = fourCodes<W>(q + i * sizeof<W>());
    v128.store(p + (i << 2), f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(codes, zero)), scale));
  }
}

/** `n` codes `step` bytes apart to values `stride` bytes apart. */
export function decodeEach(d: usize, q: usize, step: usize, n: usize, p: usize, stride: usize): void {
  const storage = word(d, Word.Storage);
  for (let i: usize = 0; i < n; i++) {
    const x = <f32>(codeAt(storage, q + i * step) - zeroPoint) * storedScale;
    store<f32>(p + i * stride, x == x ? x : NaN);
  }
}
