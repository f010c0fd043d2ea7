/**
 * Long units: a row, a channel or a strip of columns that takes too long for one go on the caller's thread is worked off
 * in pieces, each a descriptor of its own. Where the range is that of the values, it is collected piece by piece first;
 * then every piece is quantized with the range of the whole, which gives the same bits.
 *
 * Values and codes stay where they are, because errors and stochastic rounding count elements from the first one. A piece
 * takes another number of parameters for them than the unit has, so the addresses of parameters are moved by that.
 * @module
 */
import { Mode, NonFinite, Op, Source, Storage } from '../scheme/codes.js';
import { Size, Word } from '../scheme/descriptor.js';
import type { Job, JobKind, WorkLayout } from './job.js';
import { keyOf } from './outcome.js';

/** How long units are cut: numbers of pieces and of parameters. */
export interface Cut {
  /** Runs of values that share their parameters: units, or blocks of them. */
  readonly runs: number;
  /** Pieces of each run. */
  readonly pieces: number;
  /** What a piece is, in the words of the descriptor. */
  readonly words: readonly (readonly [Word, number])[];
  /** The unit that a run belongs to, its first parameter, and how many it has. */
  target(run: number): { readonly unit: number; readonly index: number; readonly width: number };
  /** The unit and the first parameter of a piece as the kernel counts them, and for channels the runs that it takes. */
  place(
    run: number,
    piece: number,
  ): { readonly unit: number; readonly index: number; readonly parts?: [number, number] };
}

/** Slices that a unit takes for its length, below which it is not cut: to read its values twice costs more. */
const LONG = 4;

/** How the units of `kind` are cut into pieces of about `most` elements; undefined where they are not that long. */
export function cutOf({ layout, words }: JobKind, most: number): Cut | undefined {
  if (layout.unitElements <= LONG * most || words[Word.CodeStride - 1] !== 0) return undefined;
  if (layout.op === Op.Segments) return rowCut(layout, most);
  if (layout.op === Op.Channels)
    return layout.length < Size.CacheTile ? runCut(layout, most) : channelCut(layout, most);
  return layout.op === Op.Columns ? columnCut(layout, most) : undefined;
}

/** Rows, or their blocks, as rows of more blocks. Blocks that do not divide the row are not cut. */
function rowCut({ elements, length, group, count }: WorkLayout, most: number): Cut | undefined {
  if (count !== 0 || length % group !== 0) return undefined;
  const size = floorTo(most, Size.CacheTile);
  const pieces = Math.ceil(group / size);
  return {
    runs: elements / group,
    pieces,
    words: segments(group, size),
    target: (run) => ({ unit: Math.floor(run / (length / group)), index: run, width: 1 }),
    place: (run, piece) => ({ unit: run * pieces + piece, index: run * pieces + piece }),
  };
}

/** Channels whose runs are long, as rows of blocks. */
function channelCut({ units, length, parts }: WorkLayout, most: number): Cut {
  const size = Math.min(length, floorTo(most, Size.CacheTile));
  const blocks = Math.ceil(length / size);
  return {
    runs: units,
    pieces: parts * blocks,
    words: segments(length, size),
    target: (run) => ({ unit: run, index: run, width: 1 }),
    place: (run, piece) => {
      const at = (Math.floor(piece / blocks) * units + run) * blocks + (piece % blocks);
      return { unit: at, index: at };
    },
  };
}

/** Channels of short runs, some runs at a time. */
function runCut({ units, length, parts }: WorkLayout, most: number): Cut {
  const size = Math.ceil(most / length);
  return {
    runs: units,
    pieces: Math.ceil(parts / size),
    words: [],
    target: (run) => ({ unit: run, index: run, width: 1 }),
    place: (run, piece) => ({ unit: run, index: run, parts: [piece * size, Math.min(size, parts - piece * size)] }),
  };
}

/** Strips of columns as strips of fewer rows. Groups of rows that do not divide them all are not cut. */
function columnCut({ units, length, group, inner }: WorkLayout, most: number): Cut | undefined {
  if (length % group !== 0) return undefined;
  const size = floorTo(most / Math.min(inner, Size.StripColumns), Size.StripRows);
  const pieces = Math.ceil(group / size);
  const strips = Math.ceil(inner / Size.StripColumns);
  const indexOf = (part: number, strip: number) => part * inner + strip * Size.StripColumns;
  return {
    runs: units,
    pieces,
    words: [
      [Word.Length, group],
      [Word.Group, size],
    ],
    target: (run) => {
      const strip = run % strips;
      const width = Math.min(Size.StripColumns, inner - strip * Size.StripColumns);
      return { unit: run, index: indexOf(Math.floor(run / strips), strip), width };
    },
    place: (run, piece) => {
      const strip = run % strips;
      const part = Math.floor(run / strips) * pieces + piece;
      return { unit: part * strips + strip, index: indexOf(part, strip) };
    },
  };
}

/** Rows of `length` in blocks of `size`, each a unit. */
function segments(length: number, size: number): Cut['words'] {
  return [
    [Word.Op, Op.Segments],
    [Word.Length, length],
    [Word.Group, size],
    [Word.Count, size],
  ];
}

/** The largest multiple of `step`, at least one, up to `size`. */
function floorTo(size: number, step: number): number {
  return Math.max(1, Math.floor(size / step)) * step;
}

/** Most parameters of a run. */
const WIDTH = Size.StripColumns;

/**
 * Prepares the descriptor at word index `at`, to which `job` was written, for one piece after the other. It is to be
 * carried out after each step.
 * @param ranges word index of 64 words for ranges
 */
export function* pieces(
  { kind, places }: Job,
  cut: Cut,
  words: Int32Array,
  at: number,
  ranges: number,
): Generator<void> {
  const { mode, source } = kind;
  const isFromValues = mode === Mode.Range || (mode === Mode.Quantize && source === Source.Data);
  const whole = ranges + 2 * WIDTH;
  for (const [word, value] of cut.words) words[at + word] = value;
  // A piece that is shorter than the others is no last block.
  words[at + Word.RaggedDivides] = 0;
  let unit = -1;
  for (let run = 0; run < cut.runs; run++) {
    const target = cut.target(run);
    const { index, width } = target;
    if (isFromValues) {
      words[at + Word.Mode] = Mode.Range;
      words[at + Word.Source] = Source.Data;
      words[at + Word.Statistics] = 0;
      for (let piece = 0; piece < cut.pieces; piece++) {
        const { index: first } = locate(run, piece);
        rangesAt(ranges, first);
        yield;
        mergeEnds(words, ranges, whole, width, piece === 0);
      }
      if (mode === Mode.Range) {
        for (let end = 0; end < 2; end++) {
          const to = ((end === 0 ? places.rangeLow : places.rangeHigh) >> 2) + index;
          for (let k = 0; k < width; k++) words[to + k] = words[whole + end * WIDTH + k]!;
        }
        continue;
      }
      // The batch will be refused.
      if (words[at + Word.NonFinite] === NonFinite.Error && words[at + Word.BadCount]! > 0) continue;
    }
    const badCount = words[at + Word.BadCount]!;
    const badFirst = words[at + Word.BadFirst]!;
    words[at + Word.Mode] = mode;
    words[at + Word.Source] = isFromValues ? Source.Range : source;
    for (let step = 0; step < cut.pieces; step++) {
      // Backwards: what was read last is still in the cache. Statistics are added up in order.
      const piece = isFromValues && !kind.hasStatistics ? cut.pieces - 1 - step : step;
      const here = locate(run, piece);
      const shift = here.index - index;
      if (isFromValues) rangesAt(whole, here.index);
      else {
        words[at + Word.RangeLow] = places.rangeLow - shift * 4;
        words[at + Word.RangeHigh] = places.rangeHigh - shift * 4;
      }
      words[at + Word.Scale] = places.scale - shift * words[at + Word.ScaleStride]!;
      if (places.zeroPoint !== 0) words[at + Word.ZeroPoint] = places.zeroPoint - shift * zeroBytes();
      if (places.statistics !== 0) {
        words[at + Word.Statistics] = places.statistics - (here.unit - target.unit) * Size.StatisticsDoubles * 8;
        words[at + Word.Continues] = target.unit === unit ? 1 : 0;
        unit = target.unit;
      }
      yield;
      if (!isFromValues) continue;
      // They were counted with the range.
      words[at + Word.BadCount] = badCount;
      words[at + Word.BadFirst] = badFirst;
    }
  }

  function locate(run: number, piece: number): { readonly unit: number; readonly index: number } {
    const here = cut.place(run, piece);
    words[at + Word.First] = here.unit;
    words[at + Word.Last] = here.unit + 1;
    if (here.parts === undefined) return here;
    words[at + Word.Group] = here.parts[0];
    words[at + Word.Parts] = here.parts[1];
    return here;
  }

  /** Has the kernel find the ranges of parameters from `first` on at word index `from`: addresses wrap around. */
  function rangesAt(from: number, first: number): void {
    words[at + Word.RangeLow] = (from - first) * 4;
    words[at + Word.RangeHigh] = (from + WIDTH - first) * 4;
  }

  function zeroBytes(): number {
    const storage = words[at + Word.ZeroPointStorage]!;
    return storage <= Storage.Uint8 ? 1 : storage <= Storage.Uint16 ? 2 : 4;
  }
}

/** Merges the lower and upper ends of `width` ranges at word index `from` into those at `to`. */
function mergeEnds(words: Int32Array, from: number, to: number, width: number, isFirst: boolean): void {
  for (let k = 0; k < width; k++) {
    const low = words[from + k]!;
    const high = words[from + WIDTH + k]!;
    if (isFirst || keyOf(low) < keyOf(words[to + k]!)) words[to + k] = low;
    if (isFirst || keyOf(high) > keyOf(words[to + WIDTH + k]!)) words[to + WIDTH + k] = high;
  }
}
