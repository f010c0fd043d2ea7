/**
 * Attention of queries over stored keys and values (`Op.Attend`): scores, their softmax, and the weighted sum of the values
 * (equations 60 to 71). A unit is a head of keys and values with the query heads that share it.
 */
import { SegmentWord, TableWord } from '../../../scheme/attention';
import { Word } from '../../../scheme/descriptor';
import { putFour } from '../transforms/values';
import { address } from '../words';
import { mixSegment } from './mix';
import { queryLimit, scoreSegment } from './scores';
import { toSixteen } from './sixteen';
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
function score(t: usize, head: usize, queries: usize, n: usize, group: usize): void {
  const sixteens = tableWord(t, TableWord.Sixteens);
  const steps = tableWord(t, TableWord.Sums) + 2 * (group << 2);
  const stride = tableWord(t, TableWord.Stride) << 2;
  const bytes = n << 2;
  for (let g: usize = 0; g < group; g++) {
    store<f32>(steps + (g << 2), toSixteen(queries + g * bytes, n, queryLimit(n), sixteens + g * bytes));
  }
  let to = tableWord(t, TableWord.Scores);
  let s = firstSegment(t);
  for (let left = tableWord(t, TableWord.Segments); left > 0; left--) {
    for (let g: usize = 0; g < group; g += 2) {
      const at = g * bytes;
      scoreSegment(t, s, head, queries + at, n, g + 1 < group, sixteens + at, steps + (g << 2), to + g * stride);
    }
    to += segmentWord(s, SegmentWord.Tokens) << 2;
    s = nextSegment(s);
  }
}

/** The result of each query head of the group. */
function mix(t: usize, head: usize, n: usize, group: usize, result: usize): void {
  const biases = tableWord(t, TableWord.Sums);
  const totals = biases + (group << 2);
  const stride = tableWord(t, TableWord.Stride) << 2;
  let e = tableWord(t, TableWord.Scores);
  memory.fill(result, 0, (group * n) << 2);
  memory.fill(biases, 0, group << 2);
  for (let g: usize = 0; g < group; g++) {
    store<f32>(totals + (g << 2), exponentials(e + g * stride, tableWord(t, TableWord.Tokens)));
  }
  let s = firstSegment(t);
  for (let left = tableWord(t, TableWord.Segments); left > 0; left--) {
    for (let g: usize = 0; g < group; g += 2) {
      mixSegment(t, s, head, e + g * stride, n, g + 1 < group, biases + (g << 2), result + ((g * n) << 2));
    }
    e += segmentWord(s, SegmentWord.Tokens) << 2;
    s = nextSegment(s);
  }
  for (let g: usize = 0; g < group; g++) {
    finish(result + ((g * n) << 2), n, load<f32>(biases + (g << 2)), load<f32>(totals + (g << 2)));
  }
}

/** The weighted minima are added, and the sum of the weights divides (equation 71). */
function finish(to: usize, n: usize, bias: f32, sum: f32): void {
  const more = f32x4.splat(bias);
  const whole = f32x4.splat(sum);
  for (const end = to + (n << 2); to < end; to += 16) {
    putFour(to, f32x4.div(f32x4.add(v128.load(to), more), whole));
  }
}
