/**
 * A job: one descriptor's worth of work as a template, before it is cut into chunks.
 * @module
 */
import { clearRange } from '../memory/index.js';
import { Mode, Op, Source } from '../scheme/codes.js';
import { Size, Word } from '../scheme/descriptor.js';
import type { Layout } from '../scheme/index.js';

/** Addresses of what a job reads and writes; 0 for what it does not have. */
export interface Places {
  readonly values: number;
  readonly codes: number;
  readonly scale: number;
  readonly zeroPoint: number;
  readonly rangeLow: number;
  readonly rangeHigh: number;
  readonly statistics: number;
  readonly tensorScale: number;
  /** Of stochastic rounding; no address. */
  readonly seed: number;
}

/** Addresses that are set one after the other. */
export type WritablePlaces = { -readonly [K in keyof Places]: Places[K] };

/** The addresses of a job that has none. */
export const NOWHERE: Places = Object.freeze({
  values: 0,
  codes: 0,
  scale: 0,
  zeroPoint: 0,
  rangeLow: 0,
  rangeHigh: 0,
  statistics: 0,
  tensorScale: 0,
  seed: 0,
});

/** The units of work of a job. */
export type WorkLayout = Omit<Layout, 'codeShape' | 'codeBytes' | 'parameterShape' | 'parameters'>;

/** The kind of a job: all that does not depend on where its values lie. */
export interface JobKind {
  /** The words of the descriptor but the first, which is its state; `First` and `Last` span all units. */
  readonly words: Int32Array;
  readonly mode: Mode;
  readonly source: Source;
  readonly layout: WorkLayout;
  /** Whether a pass for the range goes before the pass for the codes, where the work is cut. */
  readonly isTwoPass: boolean;
  readonly hasStatistics: boolean;
  /** How many times as long a value takes as it does to quantize one. */
  readonly weight: number;
}

/** Work for the kernels. */
export interface Job {
  readonly kind: JobKind;
  readonly places: Places;
}

/** The kind of `mode` on a layout. */
export function jobKind(
  mode: Mode,
  source: Source,
  layout: WorkLayout,
  scheme: Int32Array,
  hasStatistics: boolean,
): JobKind {
  const words = new Int32Array(Size.DescriptorWords);
  words.set(scheme, Size.SchemeWords);
  words[Word.BadFirst] = -1;
  clearRange(words, 0, words[Word.WithoutZero] === 1);
  words[Word.Op] = layout.op;
  words[Word.Mode] = mode;
  words[Word.Source] = source;
  words[Word.Last] = layout.units;
  words[Word.Length] = layout.length;
  words[Word.Group] = layout.group;
  words[Word.Count] = layout.count;
  words[Word.Parts] = layout.parts;
  words[Word.Inner] = layout.inner;
  const isTwoPass = layout.op === Op.Tensor && mode === Mode.Quantize && source === Source.Data;
  return { words: words.subarray(1), mode, source, layout, isTwoPass, hasStatistics, weight: 1 };
}

/** Writes a job to the descriptor at word index `at`, all but its state. */
export function writeJob(job: Job, words: Int32Array, at: number): void {
  words.set(job.kind.words, at + 1);
  writePlaces(job.places, words, at);
}

/** Writes the addresses of a job to the descriptor at word index `at`. */
export function writePlaces(places: Places, words: Int32Array, at: number): void {
  words[at + Word.Values] = places.values;
  words[at + Word.Codes] = places.codes;
  words[at + Word.Scale] = places.scale;
  words[at + Word.ZeroPoint] = places.zeroPoint;
  words[at + Word.RangeLow] = places.rangeLow;
  words[at + Word.RangeHigh] = places.rangeHigh;
  words[at + Word.Statistics] = places.statistics;
  words[at + Word.TensorScale] = places.tensorScale;
  words[at + Word.Seed] = places.seed;
}
