/**
 * Work with a parameter a column (`Op.Columns`): channels on the last axis, or blocks on an axis that is not the last.
 * A unit is a strip of `Size.StripColumns` columns within a group of rows; a strip that is narrower, or holds values
 * that the fast path cannot take, goes column by column.
 */
import { Added, Apply, Dtype, Element, Mode, NonFinite, Rounding, Source, ZeroPointRule } from '../../scheme/codes';
import { Size, Word } from '../../scheme/descriptor';
import { careful, codeBytes, flipMask, highest, lowest, sixteen } from './codes';
import { decodeEach } from './decode';
import { decodeStrip } from './decode-columns';
import { chooseDerivation, deriveFour, fourMultipliers, fourOffsets } from './four-parameters';
import { bytesOf, fourExact } from './load';
import { measureEach, recordOf, startRecord } from './measure';
import { knowsRounding } from './offset';
import { stripOffset } from './offset-columns';
import { loadParameters, multiplies } from './parameters';
import { dirty, extend, high, low } from './range';
import { begin, conclude, storeRange } from './runs';
import { address, word } from './words';

/** Strips `First` to `Last`; strip u belongs to group u / strips of rows. */
export function columns(d: usize): void {
  const inner = address(d, Word.Inner);
  const length = address(d, Word.Length);
  const group = address(d, Word.Group);
  const strips = (inner + Size.StripColumns - 1) / Size.StripColumns;
  const groups = (length + group - 1) / group;
  const last = address(d, Word.Last);
  const mode = word(d, Word.Mode);
  chooseDerivation(d);
  for (let unit: usize = address(d, Word.First); unit < last; unit++) {
    const column = (unit % strips) * Size.StripColumns;
    const part = unit / strips;
    const row = (part % groups) * group;
    const rows = min(group, length - row);
    const element = ((part / groups) * length + row) * inner + column;
    const width = min<usize>(Size.StripColumns, inner - column);
    const index = part * inner + column;
    startRecord(d, unit);
    if (width < <usize>Size.StripColumns || !strip(d, mode, element, rows, index)) {
      for (let k: usize = 0; k < width; k++) single(d, element + k, rows, index + k);
    }
    if (mode == Mode.Quantize && word(d, Word.Statistics) != 0) measureStrip(d, unit, element, rows, width, index);
  }
}

/** One column of `rows` values from `element` on. */
function single(d: usize, element: usize, rows: usize, index: usize): void {
  const inner = address(d, Word.Inner);
  const codeSize = codeBytes(d);
  const q = address(d, Word.Codes) + element * codeSize;
  const mode = word(d, Word.Mode);
  if (mode == Mode.Dequantize) {
    loadParameters(d, index);
    return decodeEach(d, q, inner * codeSize, rows, address(d, Word.Values) + (element << 2), inner << 2);
  }
  const size = bytesOf(word(d, Word.Dtype));
  const p = address(d, Word.Values) + element * size;
  begin(d, index);
  extend(d, p, inner * size, rows, <i32>element, <i32>inner);
  if (mode == Mode.Range) return storeRange(d, index);
  if (word(d, Word.Source) == Source.Data) {
    if (!conclude(d, index)) return;
  } else if (dirty && word(d, Word.NonFinite) == NonFinite.Error) {
    return;
  }
  careful(d, p, inner * size, rows, q, inner * codeSize);
}

/** Error statistics of a strip, some rows at a time: so they do not depend on where a long strip is cut. */
function measureStrip(d: usize, unit: usize, element: usize, rows: usize, width: usize, index: usize): void {
  if (word(d, Word.BadCount) != 0 && word(d, Word.NonFinite) == NonFinite.Error) return;
  const inner = address(d, Word.Inner);
  const size = bytesOf(word(d, Word.Dtype));
  const codeSize = codeBytes(d);
  for (let row: usize = 0; row < rows; row += Size.StripRows) {
    const n = min<usize>(Size.StripRows, rows - row);
    for (let k: usize = 0; k < width; k++) {
      const p = address(d, Word.Values) + (element + row * inner + k) * size;
      const q = address(d, Word.Codes) + (element + row * inner + k) * codeSize;
      loadParameters(d, index + k);
      measureEach(d, recordOf(d, unit), p, inner * size, n, q, inner * codeSize);
    }
  }
}

/** Sixteen columns at once; false, with nothing written that matters, where they need `single`. */
function strip(d: usize, mode: i32, element: usize, rows: usize, index: usize): bool {
  if (mode == Mode.Dequantize) return decodeStrip(d, element, rows, index);
  if (mode != Mode.Quantize) return false;
  const rounding = word(d, Word.Rounding);
  if (word(d, Word.Added) != Added.After) return false;
  if (word(d, Word.ZeroPointRule) == ZeroPointRule.Minimum) {
    return knowsRounding(d) && stripOffset(d, element, rows, index);
  }
  const kind = word(d, Word.Element);
  if (kind > Element.Minifloat || word(d, Word.WithoutZero) != 0 || rounding > Rounding.Truncate) return false;
  const dtype = word(d, Word.Dtype);
  if (dtype == Dtype.Float32) return stripFrom<f32>(d, element, rows, index);
  if (dtype == Dtype.Float16) return stripFrom<u16>(d, element, rows, index);
  return stripFrom<i16>(d, element, rows, index);
}

function stripFrom<T>(d: usize, element: usize, rows: usize, index: usize): bool {
  const rounding = word(d, Word.Rounding);
  if (word(d, Word.Element) == Element.Minifloat) {
    if (multiplies(d)) return stripTo<T, f32, f32, i8>(d, element, rows, index);
    return stripTo<T, f64, f32, i8>(d, element, rows, index);
  }
  if (!multiplies(d)) {
    if (word(d, Word.Apply) != Apply.Divide) return false;
    if (rounding == Rounding.HalfEven) return stripAs<T, f64, i8>(d, element, rows, index);
    if (rounding == Rounding.HalfAway) return stripAs<T, f64, i16>(d, element, rows, index);
    return stripAs<T, f64, i32>(d, element, rows, index);
  }
  if (rounding == Rounding.HalfEven) return stripAs<T, f32, i8>(d, element, rows, index);
  if (rounding == Rounding.HalfAway) return stripAs<T, f32, i16>(d, element, rows, index);
  return stripAs<T, f32, i32>(d, element, rows, index);
}

// @ts-ignore: decorator
@inline
function stripAs<T, A, R>(d: usize, element: usize, rows: usize, index: usize): bool {
  if (codeBytes(d) == 2) return stripTo<T, A, R, i16>(d, element, rows, index);
  return stripTo<T, A, R, i8>(d, element, rows, index);
}

function stripTo<T, A, R, W>(d: usize, element: usize, rows: usize, index: usize): bool {
  const step = address(d, Word.Inner) * sizeof<T>();
  const start = address(d, Word.Values) + element * sizeof<T>();
  let h0 = i32x4.splat(0);
  let h1 = h0;
  let h2 = h0;
  let h3 = h0;
  let l0 = i32x4.splat(i32.MIN_VALUE);
  let l1 = l0;
  let l2 = l0;
  let l3 = l0;
  let p = start;
  for (let row: usize = 0; row < rows; row++) {
    const a = fourExact<T>(p);
    const b = fourExact<T>(p + 4 * sizeof<T>());
    const c = fourExact<T>(p + 8 * sizeof<T>());
    const e = fourExact<T>(p + 12 * sizeof<T>());
    h0 = i32x4.max_s(h0, a);
    h1 = i32x4.max_s(h1, b);
    h2 = i32x4.max_s(h2, c);
    h3 = i32x4.max_s(h3, e);
    l0 = i32x4.max_u(l0, a);
    l1 = i32x4.max_u(l1, b);
    l2 = i32x4.max_u(l2, c);
    l3 = i32x4.max_u(l3, e);
    p += step;
  }
  if (!deriveFour<W>(d, h0, l0, index)) return false;
  const m0 = fourMultipliers;
  const z0 = fourOffsets;
  if (!deriveFour<W>(d, h1, l1, index + 4)) return false;
  const m1 = fourMultipliers;
  const z1 = fourOffsets;
  if (!deriveFour<W>(d, h2, l2, index + 8)) return false;
  const m2 = fourMultipliers;
  const z2 = fourOffsets;
  if (!deriveFour<W>(d, h3, l3, index + 12)) return false;
  const m3 = fourMultipliers;
  const z3 = fourOffsets;
  const lo = lowest<W>(d);
  const hi = highest<W>(d);
  const flip = flipMask<W>(d);
  const qStep = address(d, Word.Inner) * sizeof<W>();
  let q = address(d, Word.Codes) + element * sizeof<W>();
  p = start;
  for (let row: usize = 0; row < rows; row++) {
    sixteen<T, A, R, W>(p, q, m0, m1, m2, m3, z0, z1, z2, z3, lo, hi, flip);
    p += step;
    q += qStep;
  }
  return true;
}
