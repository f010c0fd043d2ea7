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
    score(table, head, address(d, Word.Values) + head * bytes, n, group);
    mix(table, head, n, group, address(d, Word.Codes) + head * bytes);
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
    for (let g: usize = 0; g < group; g += 2) {
      scoreSegment(s, head, queries + ((g * n) << 2), n, g + 1 < group, factor, folded, to + g * stride, stride);
    }
    to += segmentWord(s, SegmentWord.Tokens) << 2;
    s = nextSegment(s);
  }
}

/** The result of each query head of the group. */
function mix(table: usize, head: usize, n: usize, group: usize, result: usize): void {
  const weights = tableWord(table, TableWord.Weights);
  const biases = tableWord(table, TableWord.Sums);
  const totals = biases + (group << 2);
  const stride = tableWord(table, TableWord.Stride) << 2;
  let e = tableWord(table, TableWord.Scores);
  memory.fill(result, 0, (group * n) << 2);
  memory.fill(biases, 0, group << 2);
  for (let g: usize = 0; g < group; g++) {
    store<f32>(totals + (g << 2), exponentials(e + g * stride, tableWord(table, TableWord.Tokens)));
  }
  let s = firstSegment(table);
  for (let left = tableWord(table, TableWord.Segments); left > 0; left--) {
    for (let g: usize = 0; g < group; g += 2) {
      const to = result + ((g * n) << 2);
      mixSegment(s, head, e + g * stride, stride, n, g + 1 < group, weights, biases + (g << 2), to);
    }
    e += segmentWord(s, SegmentWord.Tokens) << 2;
    s = nextSegment(s);
  }
  for (let g: usize = 0; g < group; g++) {
    finish(result + ((g * n) << 2), n, load<f32>(biases + (g << 2)), load<f32>(totals + (g << 2)));
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
