/**
 * Attention of queries over stored keys and values (`Op.Attend`): scores, their softmax, and the weighted sum of the values
 * (equations 60 to 68). A unit is a head of keys and values with the query heads that share it.
 */
import { SegmentWord, TableWord } from '../../../scheme/attention';
import { Word } from '../../../scheme/descriptor';
import { putFour } from '../transforms/values';
import { address } from '../words';
import { mixSegment } from './mix';
import { scoreSegment } from './scores';
import { exponentials } from './softmax';
import { firstSegment, nextSegment, segmentWord, tableWord } from './words';

/** Heads `First` to `Last`. */
export function attend(d: usize): void {
  const table = address(d, Word.Scale);
  const n = address(d, Word.Length);
  const group = address(d, Word.Group);
  const bytes = (group * n) << 2;
  const last = address(d, Word.Last);
  for (let head = address(d, Word.First); head < last; head++) {
    const queries = address(d, Word.Values) + head * bytes;
    const result = address(d, Word.Codes) + head * bytes;
    score(table, head, queries, n, group);
    mix(table, head, n, group, result);
  }
}

/** Scores of all tokens for each query head of the group. */
function score(table: usize, head: usize, queries: usize, n: usize, group: usize): void {
  const factor = load<f32>(table + ((<usize>TableWord.Factor) << 2));
  const folded = tableWord(table, TableWord.Folded);
  const stride = tableWord(table, TableWord.Stride) << 2;
  let to = tableWord(table, TableWord.Scores);
  let s = firstSegment(table);
  for (let left = tableWord(table, TableWord.Segments); left > 0; left--) {
    for (let g: usize = 0; g < group; g++) {
      scoreSegment(s, head, queries + ((g * n) << 2), n, factor, folded, to + g * stride);
    }
    to += segmentWord(s, SegmentWord.Tokens) << 2;
    s = nextSegment(s);
  }
}

/** The result of each query head of the group. */
function mix(table: usize, head: usize, n: usize, group: usize, result: usize): void {
  const weights = tableWord(table, TableWord.Weights);
  const biases = tableWord(table, TableWord.Biases);
  const scores = tableWord(table, TableWord.Scores);
  const stride = tableWord(table, TableWord.Stride) << 2;
  memory.fill(result, 0, (group * n) << 2);
  memory.fill(biases, 0, group << 2);
  for (let g: usize = 0; g < group; g++) {
    const e = scores + g * stride;
    const sum = exponentials(e, tableWord(table, TableWord.Tokens));
    const to = result + ((g * n) << 2);
    let s = firstSegment(table);
    let at = e;
    for (let left = tableWord(table, TableWord.Segments); left > 0; left--) {
      mixSegment(s, head, at, n, weights, biases + (g << 2), to);
      at += segmentWord(s, SegmentWord.Tokens) << 2;
      s = nextSegment(s);
    }
    finish(to, n, load<f32>(biases + (g << 2)), sum);
  }
}

/** The weighted minima are added, and the sum of the weights divides (equation 68). */
function finish(to: usize, n: usize, bias: f32, sum: f32): void {
  const more = f32x4.splat(bias);
  const whole = f32x4.splat(sum);
  for (const end = to + (n << 2); to < end; to += 16) {
    putFour(to, f32x4.div(f32x4.add(v128.load(to), more), whole));
  }
}
