/**
 * What codes stand for. E is a compile-time choice: `i8` integers, `f32` small floats, `u8` NF4, `u16` FP4, `f64` steps
 * from a minimum, `i64` middles of steps from a minimum; W is the storage of a code.
 */
import { Apply, Element, Storage, ZeroPointRule } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { floatValue, floatValues } from './floats';
import { minimum, storedScale, zeroPoint } from './parameters';
import { fp4Values, nf4Values } from './tables';
import { word } from './words';

/** Four codes at `q` in 32-bit lanes. */
// @ts-ignore: decorator
@inline
export function fourCodes<W>(q: usize): v128 {
  if (sizeof<W>() == 2) return v128.load_ext<W>(q);
  const bytes = v128.load32_zero(q);
  if (isSigned<W>()) return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes));
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
}

/** Codes 8 · `half` to 8 · `half` + 7 at `q` in 16-bit lanes. */
// @ts-ignore: decorator
@inline
export function extended<W>(q: usize, half: usize): v128 {
  return sizeof<W>() == 2 ? v128.load(q + (half << 4)) : v128.load_ext<W>(q + (half << 3));
}

/** The values of four codes, with their scale, zero point and minimum in every lane (equation 14 and its like). */
// @ts-ignore: decorator
@inline
export function fourValues<W, E>(q: usize, scale: v128, zero: v128, least: v128): v128 {
  return valuesOf<E>(fourCodes<W>(q), scale, zero, least);
}

/** The same for codes in 32-bit lanes. */
// @ts-ignore: decorator
@inline
export function valuesOf<E>(codes: v128, scale: v128, zero: v128, least: v128): v128 {
  if (sizeof<E>() == 8) {
    const steps = f32x4.convert_i32x4_s(i32x4.sub(codes, zero));
    if (isFloat<E>()) return f32x4.add(f32x4.mul(steps, scale), least);
    const middles = f32x4.div(f32x4.add(steps, f32x4.splat(0.5)), f32x4.splat(255));
    return f32x4.add(f32x4.mul(middles, scale), least);
  }
  if (isFloat<E>()) return f32x4.mul(floatValues(codes), scale);
  if (isSigned<E>()) return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(codes, zero)), scale);
  return f32x4.mul(sizeof<E>() == 1 ? nf4Values(codes) : fp4Values(codes), scale);
}

/** The value of a code, with the current parameters. */
export function valueOf(d: usize, code: i32): f32 {
  const element = word(d, Word.Element);
  if (element == Element.Integer) {
    const steps = <f32>(code - zeroPoint);
    if (word(d, Word.ZeroPointRule) != ZeroPointRule.Minimum) return steps * storedScale;
    const v: f32 = word(d, Word.Apply) == Apply.Unit ? (steps + 0.5) / 255 : steps;
    return v * storedScale + minimum;
  }
  if (element == Element.Minifloat) return floatValue(code) * storedScale;
  const codes = i32x4.splat(code);
  return f32x4.extract_lane(element == Element.Nf4 ? nf4Values(codes) : fp4Values(codes), 0) * storedScale;
}

/** The code at `q`. */
export function codeAt(storage: i32, q: usize): i32 {
  if (storage == Storage.Int8) return load<i8>(q);
  if (storage == Storage.Uint8) return load<u8>(q);
  if (storage == Storage.Int16) return load<i16>(q);
  return load<u16>(q);
}
