/**
 * The call of the attention kernel: queries, the table of segments, and room for scores (equations 60 to 71).
 * @module
 */
import type { JobKind } from '../runtime/job.js';
import { CacheCode, SegmentWord, TableWord } from '../scheme/attention.js';
import { Op } from '../scheme/codes.js';
import { keysIn, valuesIn } from './freezer.js';
import type { PageLayout } from './layout.js';
import { type Machine, plainKind } from './machine.js';
import type { Piece } from './page.js';

/** What is attended to. */
export interface Attended {
  readonly pieces: readonly Piece[];
  /** Tokens, from the first on; at least 1, at most those of the pieces. */
  readonly tokens: number;
  /** What products of query and key are multiplied with. */
  readonly factor: number;
}

/**
 * Attention of `query`, float32 of `[query heads, headDim]` not yet rotated, to `into`, which is as long. Query head h reads
 * the head ⌊h · heads / query heads⌋ of keys and values.
 */
export function attend(
  machine: Machine,
  layout: PageLayout,
  { pieces, tokens, factor }: Attended,
  query: Float32Array,
  into: Float32Array,
): void {
  const { heads, headDim, rotate } = layout.format;
  const queryHeads = query.length / headDim;
  const group = queryHeads / heads;
  const stride = Math.ceil(tokens / 4) * 4;
  const most = pieces.reduce((max, piece) => Math.max(max, piece.tokens), 0);
  // In float32, one after the other.
  const room = 4 * Math.ceil(most / 8) * 8;
  const sizes = [query.length, query.length, 4 * headDim, room, 3 * group, group * headDim, group * stride];
  const table = TableWord.Words + pieces.length * SegmentWord.Words;
  const bytes = 4 * (sizes.reduce((sum, size) => sum + size, 0) + table);
  machine.with(bytes, (address) => {
    const starts: number[] = [];
    let at = address;
    for (const size of sizes) {
      starts.push(at);
      at += size * 4;
    }
    const [queries, result, folded, weights, sums, sixteens, scores] = starts as Seven;
    machine.floats.set(query, queries / 4);
    if (rotate.keys) machine.rotate(queries, queryHeads, headDim);
    const head = at / 4;
    const { words } = machine;
    const segments = writeSegments(words, head + TableWord.Words, layout, pieces, tokens);
    words[head + TableWord.Segments] = segments;
    words[head + TableWord.Tokens] = tokens;
    machine.floats[head + TableWord.Factor] = factor;
    words[head + TableWord.Scores] = scores;
    words[head + TableWord.Stride] = stride;
    words[head + TableWord.Folded] = folded;
    words[head + TableWord.Weights] = weights;
    words[head + TableWord.Sums] = sums;
    words[head + TableWord.Sixteens] = sixteens;
    machine.run(kindOf(heads, headDim, group, tokens), { values: queries, codes: result, scale: at });
    if (rotate.values) machine.rotate(result, queryHeads, headDim);
    into.set(machine.floats.subarray(result / 4, result / 4 + query.length));
  });
}

/** Addresses of what the kernel is given room for. */
type Seven = [number, number, number, number, number, number, number];

/** Writes a segment for every piece that has one of the first `tokens` tokens; gives their number. */
function writeSegments(
  words: Int32Array,
  start: number,
  layout: PageLayout,
  pieces: readonly Piece[],
  tokens: number,
): number {
  let at = start;
  let left = tokens;
  let segments = 0;
  for (const piece of pieces) {
    if (left === 0) break;
    const count = Math.min(left, piece.tokens);
    writeSegment(words, at, layout, piece, count);
    at += SegmentWord.Words;
    left -= count;
    segments++;
  }
  return segments;
}

function writeSegment(words: Int32Array, at: number, layout: PageLayout, piece: Piece, tokens: number): void {
  const { kind, page, capacity } = piece;
  words[at + SegmentWord.Tokens] = tokens;
  words[at + SegmentWord.Capacity] = capacity;
  if (kind !== 'frozen') {
    words[at + SegmentWord.KeyCode] = CacheCode.Float32;
    words[at + SegmentWord.Keys] = page.byteOffset;
    words[at + SegmentWord.ValueCode] = CacheCode.Float32;
    words[at + SegmentWord.Values] = page.byteOffset + capacity * layout.width * 4;
    return;
  }
  const keys = keysIn(layout, page);
  const values = valuesIn(layout, page);
  words[at + SegmentWord.KeyCode] = layout.keys.code;
  words[at + SegmentWord.Keys] = keys.codes;
  words[at + SegmentWord.KeyScale] = keys.scale;
  words[at + SegmentWord.KeyMinimum] = keys.minimum;
  words[at + SegmentWord.KeyByChannel] = layout.keys.isByChannel ? 1 : 0;
  words[at + SegmentWord.ValueCode] = layout.values.code;
  words[at + SegmentWord.Values] = values.codes;
  words[at + SegmentWord.ValueScale] = values.scale;
  words[at + SegmentWord.ValueMinimum] = values.minimum;
}

/** @param tokens how many rows each head has, which the estimate of the time goes by */
function kindOf(heads: number, headDim: number, group: number, tokens: number): JobKind {
  const elements = heads * group * headDim;
  const sizes = { length: headDim, group, count: 0, parts: 0, inner: 0 };
  return plainKind(Op.Attend, { elements, units: heads, unitElements: group * headDim, ...sizes }, tokens);
}
