/**
 * What all products have in common: which panels and rows a unit stands for, and how a result is finished from the sums
 * of four outputs (equations L3 to L6 of docs/linear.md).
 */
import { LinearForm } from '../../../scheme/codes';
import { Panel, Word } from '../../../scheme/descriptor';
import { put, putFour } from '../transforms/values';
import { address, word } from '../words';
import { panelBytes } from './weights';

/** Bytes of weights after which a kernel looks ahead. */
export const PAGE: usize = 4096;

/** Of the descriptor in hand. */
export let outputs: usize = 0;
export let length: usize = 0;
export let group: usize = 0;
export let groups: usize = 0;
let isGrouped: bool = false;
let results: usize = 0;
let scales: usize = 0;
let sums: usize = 0;
let bias: usize = 0;
let parameters: usize = 0;
/** The last weights of all panels. */
let lastWeights: usize = 0;

/** Of the unit in hand: its panel by number and address, and its rows. */
export let panel: usize = 0;
export let weights: usize = 0;
export let firstRow: usize = 0;
export let lastRow: usize = 0;

/** Takes the descriptor in hand. */
export function startProduct(d: usize): void {
  outputs = address(d, Word.Inner);
  length = address(d, Word.Length);
  group = address(d, Word.Group);
  groups = address(d, Word.Parts);
  isGrouped = word(d, Word.Form) == LinearForm.Int8Groups;
  results = address(d, Word.Codes);
  scales = address(d, Word.Scale);
  sums = address(d, Word.ZeroPoint);
  bias = address(d, Word.TensorScale);
  parameters = address(d, Word.RangeLow);
  const panels = (outputs + Panel.Outputs - 1) / Panel.Outputs;
  lastWeights = address(d, Word.RangeHigh) + panels * panelBytes(word(d, Word.Form), length) - 4;
}

/**
 * Touches the weights a page ahead: a processor reads ahead of a stream by itself, but only to the end of a page. It is
 * worth an eighth of the time where the weights are not in a near cache.
 */
// @ts-ignore: decorator
@inline
export function lookAhead(w: usize): void {
  load<i32>(min(w + PAGE, lastWeights));
}

/** Takes a unit in hand. */
export function startUnit(d: usize, unit: usize): void {
  const rows = address(d, Word.Count);
  const step = address(d, Word.UnitRows);
  const blocks = (rows + step - 1) / step;
  panel = unit / blocks;
  firstRow = (unit % blocks) * step;
  lastRow = min(rows, firstRow + step);
  weights = address(d, Word.RangeHigh) + panel * panelBytes(word(d, Word.Form), length);
}

/** Address of the result of a row for the four outputs of a strip of the panel. */
// @ts-ignore: decorator
@inline
function resultOf(row: usize, strip: usize): usize {
  return results + ((row * outputs + panel * Panel.Outputs + (strip << 2)) << 2);
}

/** Writes as many of four results as there are outputs left. */
function putSome(row: usize, strip: usize, values: v128): void {
  const q = resultOf(row, strip);
  const output = panel * Panel.Outputs + (strip << 2);
  if (output + 4 <= outputs) {
    putFour(q, values);
    return;
  }
  if (output >= outputs) return;
  put(q, f32x4.extract_lane(values, 0));
  if (output + 1 < outputs) put(q + 4, f32x4.extract_lane(values, 1));
  if (output + 2 < outputs) put(q + 8, f32x4.extract_lane(values, 2));
}

/** The bias of four outputs. */
// @ts-ignore: decorator
@inline
function biasOf(strip: usize): v128 {
  return v128.load(bias + ((panel * Panel.Outputs + (strip << 2)) << 2));
}

/** The scales of a strip in a group, or with `sums` the sums of its weights. */
// @ts-ignore: decorator
@inline
function inGroup(table: usize, strip: usize, g: usize): v128 {
  return v128.load(table + (((panel * groups + g) * Panel.Outputs + (strip << 2)) << 2));
}

/** Results of a row from Σ w · u of a group: equation L3, or by groups L4. */
export function finishIntegers(row: usize, strip: usize, g: usize, products: v128): void {
  const rowScale = v128.load32_splat(parameters + (row << 3));
  const zero = v128.load32_splat(parameters + (row << 3), 4);
  const exact = f32x4.convert_i32x4_s(i32x4.sub(products, i32x4.mul(zero, inGroup(sums, strip, g))));
  const scale = inGroup(scales, strip, g);
  if (!isGrouped) {
    putSome(row, strip, f32x4.add(f32x4.mul(exact, f32x4.mul(rowScale, scale)), biasOf(strip)));
    return;
  }
  let all = f32x4.mul(exact, scale);
  if (g > 0) all = f32x4.add(v128.load(resultOf(row, strip)), all);
  if (g + 1 == groups) all = f32x4.add(f32x4.mul(all, rowScale), biasOf(strip));
  putSome(row, strip, all);
}

/** Results of a row from the sum of the products of a group (equation L5). */
export function finishGroup(row: usize, strip: usize, g: usize, products: v128): void {
  let all = f32x4.mul(products, inGroup(scales, strip, g));
  if (g > 0) all = f32x4.add(v128.load(resultOf(row, strip)), all);
  if (g + 1 == groups) all = f32x4.add(all, biasOf(strip));
  putSome(row, strip, all);
}

/** Results of a row from the sum of all its products (equation L6). */
export function finishFloats(row: usize, strip: usize, products: v128): void {
  putSome(row, strip, f32x4.add(products, biasOf(strip)));
}
