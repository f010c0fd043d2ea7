/**
 * Codes with a parameter a column back to float32, sixteen columns at a time; W and E are as in `values`.
 */
import { Apply, Element, ScaleType, Storage, ZeroPointRule } from '../../scheme/codes';
import { Size, Word } from '../../scheme/descriptor';
import { codeBytes } from './codes';
import { asRead, loadParameters, minimum, storedScale, zeroPoint } from './parameters';
import { fourValues } from './values';
import { address, word } from './words';

/** Scales, zero points and minimums of the four columns that `loadFour` read, and whether all scales are finite. */
let fourScales: v128 = i32x4.splat(0);
let fourZeros: v128 = i32x4.splat(0);
let fourMinimums: v128 = i32x4.splat(0);
let isFinite: bool = false;

/** A strip of sixteen columns (see `columns`); false where a scale needs the path value by value. */
export function decodeStrip(d: usize, element: usize, rows: usize, index: usize): bool {
  const storage = word(d, Word.Storage);
  const kind = word(d, Word.Element);
  isFinite = true;
  for (let k: usize = 0; k < <usize>Size.StripColumns && isFinite; k += 4) {
    loadFour(d, index + k);
    if (!isFinite) return false;
    const at = element + k;
    if (kind == Element.Minifloat) {
      decodeFour<u8, f32>(d, at, rows);
    } else if (kind == Element.Nf4) decodeFour<u8, u8>(d, at, rows);
    else if (kind == Element.Fp4) decodeFour<u8, u16>(d, at, rows);
    else if (word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum) {
      if (word(d, Word.Apply) == Apply.Unit) decodeFour<u8, i64>(d, at, rows);
      else if (storage == Storage.Int8) decodeFour<i8, f64>(d, at, rows);
      else decodeFour<u8, f64>(d, at, rows);
    } else if (storage == Storage.Int8) decodeFour<i8, i8>(d, at, rows);
    else if (storage == Storage.Uint8) decodeFour<u8, i8>(d, at, rows);
    else if (storage == Storage.Int16) decodeFour<i16, i8>(d, at, rows);
    else decodeFour<u16, i8>(d, at, rows);
  }
  return isFinite;
}

/** Four columns, with the parameters read. */
function decodeFour<W, E>(d: usize, element: usize, rows: usize): void {
  const scale = fourScales;
  const zero = fourZeros;
  const least = fourMinimums;
  const inner = address(d, Word.Inner);
  const codeStep = inner * codeBytes(d);
  let q = address(d, Word.Codes) + element * codeBytes(d);
  let p = address(d, Word.Values) + (element << 2);
  for (let row: usize = 0; row < rows; row++) {
    let x = fourValues<W, E>(q, scale, zero, least);
    // Only small floats have codes for infinity and NaN.
    if (isFloat<E>() && sizeof<E>() == 4) x = v128.bitselect(x, f32x4.splat(NaN), f32x4.eq(x, x));
    v128.store(p, x);
    q += codeStep;
    p += inner << 2;
  }
}

function loadFour(d: usize, index: usize): void {
  const zeros = address(d, Word.ZeroPoint);
  const isWord = word(d, Word.ScaleType) == ScaleType.Float32 && word(d, Word.ScaleStride) == 4;
  if (isWord && zeros != 0 && word(d, Word.ZeroPointStorage) == Storage.Float32) {
    fourScales = asRead(d, v128.load(address(d, Word.Scale) + (index << 2)));
    fourZeros = i32x4.splat(word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum ? word(d, Word.LowCode) : 0);
    fourMinimums = v128.load(zeros + (index << 2));
    isFinite = i32x4.all_true(f32x4.lt(f32x4.abs(fourScales), f32x4.splat(Infinity)));
    return;
  }
  loadOne(d, index);
  fourScales = f32x4.splat(storedScale);
  fourZeros = i32x4.splat(zeroPoint);
  fourMinimums = f32x4.splat(minimum);
  loadOne(d, index + 1);
  fourScales = f32x4.replace_lane(fourScales, 1, storedScale);
  fourZeros = i32x4.replace_lane(fourZeros, 1, zeroPoint);
  fourMinimums = f32x4.replace_lane(fourMinimums, 1, minimum);
  loadOne(d, index + 2);
  fourScales = f32x4.replace_lane(fourScales, 2, storedScale);
  fourZeros = i32x4.replace_lane(fourZeros, 2, zeroPoint);
  fourMinimums = f32x4.replace_lane(fourMinimums, 2, minimum);
  loadOne(d, index + 3);
  fourScales = f32x4.replace_lane(fourScales, 3, storedScale);
  fourZeros = i32x4.replace_lane(fourZeros, 3, zeroPoint);
  fourMinimums = f32x4.replace_lane(fourMinimums, 3, minimum);
}

function loadOne(d: usize, index: usize): void {
  loadParameters(d, index);
  isFinite = isFinite && abs(storedScale) < Infinity;
}
