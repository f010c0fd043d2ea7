/**
 * Attention of queries over stored keys and values (`Op.Attend`, equations 60 to 71), a token and a head at a time.
 * @module
 */
import { CacheCode, SegmentWord, TableWord } from '../../../scheme/attention.js';
import { Word } from '../../../scheme/descriptor.js';
import type { Descriptor } from '../descriptor.js';
import type { Memory } from '../memory.js';
import { codeBits, readCodes } from './codes.js';
import { exactProduct, toSixteen } from './sixteen.js';
import { exponentials } from './softmax.js';

const { fround } = Math;

/** A run of tokens that lie together. */
interface Segment {
  readonly tokens: number;
  readonly capacity: number;
  readonly keys: Stored;
  readonly isByChannel: boolean;
  readonly values: Stored;
}

/** Where codes lie and what they need. */
interface Stored {
  readonly code: CacheCode;
  readonly codes: number;
  readonly scale: number;
  /** 0 where there are none. */
  readonly minimum: number;
}

/** Heads `First` to `Last`. */
export function attend(d: Descriptor, memory: Memory): void {
  const n = d.address(Word.Length);
  const table = d.address(Word.Scale);
  const group = d.address(Word.Group);
  const factor = memory.getFloat32(table + TableWord.Factor * 4);
  const segments = segmentsOf(memory, table);
  const tokens = segments.reduce((sum, segment) => sum + segment.tokens, 0);
  const query = new Float32Array(n);
  for (let head = d.int(Word.First); head < d.int(Word.Last); head++) {
    for (let g = 0; g < group; g++) {
      const at = (head * group + g) * n * 4;
      readCodes(memory, CacheCode.Float32, d.address(Word.Values) + at, query);
      const scores = new Float32Array(tokens);
      let first = 0;
      for (const segment of segments) {
        const part = scores.subarray(first, first + segment.tokens);
        first += segment.tokens;
        score(memory, segment, head, query, factor, part);
      }
      memory.scatterValues(d.address(Word.Codes) + at, 4, n, mixed(memory, segments, head, scores, n));
    }
  }
}

function segmentsOf({ view }: Memory, table: number): Segment[] {
  const count = view.getUint32(table + TableWord.Segments * 4, true);
  return Array.from({ length: count }, (_, index) => {
    const at = table + (TableWord.Words + index * SegmentWord.Words) * 4;
    const word = (w: SegmentWord) => view.getUint32(at + w * 4, true);
    return {
      tokens: word(SegmentWord.Tokens),
      capacity: word(SegmentWord.Capacity),
      isByChannel: word(SegmentWord.KeyByChannel) !== 0,
      keys: {
        code: word(SegmentWord.KeyCode),
        codes: word(SegmentWord.Keys),
        scale: word(SegmentWord.KeyScale),
        minimum: word(SegmentWord.KeyMinimum),
      },
      values: {
        code: word(SegmentWord.ValueCode),
        codes: word(SegmentWord.Values),
        scale: word(SegmentWord.ValueScale),
        minimum: word(SegmentWord.ValueMinimum),
      },
    };
  });
}

/** Scores of one query for the tokens of a segment (equations 60 to 64). */
function score(
  memory: Memory,
  { tokens, capacity, isByChannel, keys }: Segment,
  head: number,
  query: Float32Array,
  factor: number,
  scores: Float32Array,
): void {
  const n = query.length;
  const { code, codes, scale, minimum } = keys;
  const parameter = (address: number, index: number) => (address === 0 ? 0 : memory.getFloat32(address + index * 4));
  const row = new Float32Array(n);
  let left = query;
  let bias = 0;
  if (code !== CacheCode.Float32 && isByChannel) {
    left = query.map((x, c) => x * parameter(scale, head * n + c));
    if (minimum !== 0) {
      bias = product(
        query,
        query.map((_, c) => parameter(minimum, head * n + c)),
      );
    }
  }
  const { integers, step } = toSixteen(left, n <= 256 ? 32767 : 8191);
  const sum = product(query, new Float32Array(n).fill(1));
  for (let t = 0; t < tokens; t++) {
    const index = head * capacity + t;
    readCodes(memory, code, codes + (index * n * codeBits(code)) / 8, row);
    let found = isInteger(code) ? fround(fround(exactProduct(integers, row)) * step) : product(left, row);
    if (code !== CacheCode.Float32) {
      if (isByChannel) found = fround(found + bias);
      else {
        found = fround(found * parameter(scale, index));
        if (minimum !== 0) found = fround(found + fround(sum * parameter(minimum, index)));
      }
    }
    scores[t] = found * factor;
  }
}

/** Whether codes are integers, whose products are those of integers too. */
function isInteger(code: CacheCode): boolean {
  return code !== CacheCode.Float32 && code !== CacheCode.Float8;
}

/** The product of two rows, in eight partial sums (equation 60). */
function product(a: Float32Array, b: Float32Array): number {
  const sums = new Float32Array(8);
  for (let c = 0; c < a.length; c++) sums[c % 8] = sums[c % 8]! + fround(a[c]! * b[c]!);
  const fours = Float32Array.from({ length: 4 }, (_, i) => sums[i]! + sums[i + 4]!);
  return fround(fround(fours[0]! + fours[2]!) + fround(fours[1]! + fours[3]!));
}

/** The weighted sum of the values (equations 68 to 71). */
function mixed(
  memory: Memory,
  segments: readonly Segment[],
  head: number,
  scores: Float32Array,
  n: number,
): Float32Array {
  const total = exponentials(scores);
  const sums = new Float32Array(n);
  let bias = 0;
  let token = 0;
  for (const { tokens, capacity, values } of segments) {
    const { code, codes, scale, minimum } = values;
    const weights = scores.slice(token, token + tokens);
    token += tokens;
    for (const [t, e] of weights.entries()) {
      const at = (head * capacity + t) * 4;
      if (code !== CacheCode.Float32) weights[t] = e * memory.getFloat32(scale + at);
      if (code !== CacheCode.Float32 && minimum !== 0) {
        bias = fround(bias + fround(e * memory.getFloat32(minimum + at)));
      }
    }
    const rows = Array.from({ length: tokens }, (_, t) => {
      const row = new Float32Array(n);
      readCodes(memory, code, codes + ((head * capacity + t) * n * codeBits(code)) / 8, row);
      return row;
    });
    if (isInteger(code)) addExact(sums, rows, weights);
    else for (const [t, row] of rows.entries()) for (let c = 0; c < n; c++) sums[c]! += fround(weights[t]! * row[c]!);
  }
  return sums.map((sum) => fround(sum + bias) / total);
}

/** Adds rows of integers, whose weights become integers too (equation 69). */
function addExact(sums: Float32Array, rows: readonly Float32Array[], weights: Float32Array): void {
  const { integers, step } = toSixteen(weights, 32767);
  for (let c = 0; c < sums.length; c++) {
    const column = Float32Array.from(rows, (row) => row[c]!);
    sums[c]! += fround(fround(exactProduct(integers, column)) * step);
  }
}
