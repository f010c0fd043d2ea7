/**
 * Codes from a minimum with a parameter a column; T, R and U are as in `offset`.
 */
import { Apply, Dtype, Rounding } from '../../scheme/codes';
import { Word } from '../../scheme/descriptor';
import { fourKeys, keyOf } from './alone';
import { flipMask, zeroOffset } from './codes';
import { sixteenFrom, spanOf } from './offset';
import { deriveFour, fourDivisors, isSimple, fourMinimums as minimums } from './offset-parameters';
import { minimum, multiplier } from './parameters';
import { deriveFast } from './runs';
import { address, word } from './words';

/** A strip of sixteen columns (see `columns`); false, with nothing written that matters, where it needs the slow path. */
export function stripOffset(d: usize, element: usize, rows: usize, index: usize): bool {
  const dtype = word(d, Word.Dtype);
  if (dtype == Dtype.Float32) return stripFrom<f32>(d, element, rows, index);
  if (dtype == Dtype.Float16) return stripFrom<u16>(d, element, rows, index);
  return stripFrom<i16>(d, element, rows, index);
}

function stripFrom<T>(d: usize, element: usize, rows: usize, index: usize): bool {
  if (word(d, Word.Apply) == Apply.Unit) return strip<T, i32, f32>(d, element, rows, index);
  if (word(d, Word.Rounding) == Rounding.HalfAway) return strip<T, i16, i8>(d, element, rows, index);
  return strip<T, i32, i8>(d, element, rows, index);
}

/** Scales and minimums of the four columns that `columnsOf` looked at, and whether all may go fast. */
let fourScales: v128 = i32x4.splat(0);
let fourMinimums: v128 = i32x4.splat(0);
let isFast: bool = false;

function strip<T, R, U>(d: usize, element: usize, rows: usize, index: usize): bool {
  const step = address(d, Word.Inner) * sizeof<T>();
  const start = address(d, Word.Values) + element * sizeof<T>();
  isFast = true;
  columnsOf<T>(d, start, step, rows, index);
  const m0 = fourScales;
  const b0 = fourMinimums;
  columnsOf<T>(d, start + 4 * sizeof<T>(), step, rows, index + 4);
  const m1 = fourScales;
  const b1 = fourMinimums;
  columnsOf<T>(d, start + 8 * sizeof<T>(), step, rows, index + 8);
  const m2 = fourScales;
  const b2 = fourMinimums;
  columnsOf<T>(d, start + 12 * sizeof<T>(), step, rows, index + 12);
  if (!isFast) return false;
  const z = i32x4.splat(zeroOffset<i8>(d, word(d, Word.LowCode)));
  const flip = flipMask<i8>(d);
  const span = spanOf(d);
  const inner = address(d, Word.Inner);
  let q = address(d, Word.Codes) + element;
  let p = start;
  for (let row: usize = 0; row < rows; row++) {
    sixteenFrom<T, R, U>(p, q, m0, m1, m2, fourScales, b0, b1, b2, fourMinimums, span, z, flip);
    p += step;
    q += inner;
  }
  return true;
}

/** Ranges and parameters of four columns. */
function columnsOf<T>(d: usize, p: usize, step: usize, rows: usize, index: usize): void {
  let h = i32x4.splat(i32.MIN_VALUE);
  let l = i32x4.splat(i32.MAX_VALUE);
  for (let row: usize = 0; row < rows; row++) {
    const keys = fourKeys<T>(p);
    h = i32x4.max_s(h, keys);
    l = i32x4.min_s(l, keys);
    p += step;
  }
  if (isSimple(d)) {
    isFast = isFast && deriveFour(d, h, l, index);
    fourScales = fourDivisors;
    fourMinimums = minimums;
    return;
  }
  deriveOne(d, i32x4.extract_lane(h, 0), i32x4.extract_lane(l, 0), index);
  fourScales = f32x4.splat(multiplier);
  fourMinimums = f32x4.splat(minimum);
  deriveOne(d, i32x4.extract_lane(h, 1), i32x4.extract_lane(l, 1), index + 1);
  fourScales = f32x4.replace_lane(fourScales, 1, multiplier);
  fourMinimums = f32x4.replace_lane(fourMinimums, 1, minimum);
  deriveOne(d, i32x4.extract_lane(h, 2), i32x4.extract_lane(l, 2), index + 2);
  fourScales = f32x4.replace_lane(fourScales, 2, multiplier);
  fourMinimums = f32x4.replace_lane(fourMinimums, 2, minimum);
  deriveOne(d, i32x4.extract_lane(h, 3), i32x4.extract_lane(l, 3), index + 3);
  fourScales = f32x4.replace_lane(fourScales, 3, multiplier);
  fourMinimums = f32x4.replace_lane(fourMinimums, 3, minimum);
}

function deriveOne(d: usize, highKey: i32, lowKey: i32, index: usize): void {
  isFast = isFast && deriveFast(d, keyOf(highKey), keyOf(lowKey), index);
}
