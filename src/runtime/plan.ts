/**
 * A plan: what a call would read and write, decided before any memory is taken.
 * @module
 */
import { fail, got } from '../errors.js';
import type { InputDtype } from '../memory/index.js';
import { Mode, Op, Source } from '../scheme/codes.js';
import { Size } from '../scheme/descriptor.js';
import { type Layout, layoutOf, type PresetName, resolveScheme, type Scheme, schemeWords } from '../scheme/index.js';
import { type JobKind, jobKind } from './job.js';
import { type Parts, partsOf } from './parts.js';
import type { Watchable } from './watch.js';

/** A preset's name or a scheme. */
export type SchemeInput = Scheme | PresetName | (string & {});

/** A range for every parameter: numbers for one, arrays of one value a parameter for more. */
export interface GivenRange {
  readonly min: number | ArrayLike<number>;
  readonly max: number | ArrayLike<number>;
}

/** Scale and zero point for every parameter: numbers for one, arrays of one value a parameter for more. */
export interface GivenParameters {
  readonly scale: number | ArrayLike<number>;
  /** Stored zero point: `q = round(x / scale) + zeroPoint`; default 0. */
  readonly zeroPoint?: number | ArrayLike<number>;
}

/** How a tensor is quantized. */
export interface QuantizeOptions extends Watchable {
  /** Gives the call up; what lanes have begun is finished first, then every lease is back. */
  readonly signal?: AbortSignal;
  /** Range to use instead of that of the values; values beyond it saturate. For dynamic schemes. */
  readonly range?: GivenRange;
  /** Scale and zero point. For schemes whose parameters are given, and needed there. */
  readonly parameters?: GivenParameters;
  /** Outlier columns in ascending order instead of those of the values; for schemes that keep outliers apart. */
  readonly outliers?: ArrayLike<number>;
  /** The scale of the whole tensor, for schemes that have one (`nvfp4-torchao`); default 1. */
  readonly tensorScale?: number;
  /** Seed of stochastic rounding instead of the scheme's, an int32. The same seed gives the same bytes on any lanes. */
  readonly seed?: number;
  /** Also computes error statistics. */
  readonly stats?: boolean;
  /** The input lease stays the caller's. */
  readonly keep?: boolean;
  /**
   * Milliseconds from the call within which its work must have begun, else it is given up with ERR_QUANTLANE_DEADLINE.
   * Work that has begun is finished.
   */
  readonly deadline?: number;
  /** @internal Where the call comes from: sources take turns on the lanes. */
  readonly source?: object | undefined;
}

/** What a call would read and write. */
export interface Plan {
  readonly scheme: Scheme;
  readonly dtype: InputDtype;
  readonly shape: readonly number[];
  readonly layout: Layout;
  readonly parts: Parts;
  readonly source: Source;
  /** The work, but for its addresses. */
  readonly kind: JobKind;
  /** The work of packing codes that share bytes; null where none do. */
  readonly packing: JobKind | null;
}

/** A range for schemes that must be given one, of which only the layout is asked for. */
const ANY_RANGE = { range: { min: 0, max: 0 } };

/** Makes plans, and remembers the last one: a stream asks for the same again and again. */
export class Planner {
  #last: Plan | undefined;
  /** What the last plan's scheme was named by. */
  #lastScheme: SchemeInput | undefined;

  /**
   * The last plan, where the same is asked for again and all comes from the values; undefined where it has to be looked
   * at more closely.
   */
  again(scheme: SchemeInput, dtype: InputDtype, shape: readonly number[], options: QuantizeOptions): Plan | undefined {
    const last = this.#last;
    if (last === undefined || (scheme !== this.#lastScheme && scheme !== last.scheme)) return undefined;
    const { range, parameters, outliers, tensorScale, seed, stats } = options;
    const isPlain =
      range === undefined && parameters === undefined && outliers === undefined && tensorScale === undefined;
    return isPlain &&
      seed === undefined &&
      last.source === Source.Data &&
      last.dtype === dtype &&
      last.parts.statistics >= 0 === (stats === true) &&
      isSame(last.shape, shape)
      ? last
      : undefined;
  }

  /**
   * @throws ERR_QUANTLANE_PRESET, ERR_QUANTLANE_ARGUMENT, ERR_QUANTLANE_SHAPE, ERR_QUANTLANE_PARAMETERS
   */
  plan(scheme: SchemeInput, dtype: InputDtype, shape: readonly number[], options: QuantizeOptions): Plan {
    const resolved = resolveScheme(scheme);
    // An object that is no scheme of ours may change.
    this.#lastScheme = typeof scheme === 'string' ? scheme : undefined;
    const source = sourceOf(resolved, options);
    const hasStatistics = options.stats === true;
    const last = this.#last;
    if (
      last !== undefined &&
      last.scheme === resolved &&
      last.dtype === dtype &&
      last.source === source &&
      last.parts.statistics >= 0 === hasStatistics &&
      isSame(last.shape, shape)
    ) {
      return last;
    }
    const layout = layoutOf(resolved, shape);
    const parts = partsOf(resolved, layout, hasStatistics, source === Source.Range);
    const kind = jobKind(Mode.Quantize, source, layout, schemeWords(resolved, dtype), hasStatistics);
    const plan = { scheme: resolved, dtype, shape: Object.freeze([...shape]), layout, parts, source, kind };
    this.#last = { ...plan, packing: parts.unpacked < 0 ? null : packKind(plan, Mode.Quantize) };
    return this.#last;
  }

  /** A plan for the ranges of a tensor; errors are those of `plan`. */
  planRange(scheme: SchemeInput, dtype: InputDtype, shape: readonly number[]): Plan {
    const resolved = resolveScheme(scheme);
    return this.plan(resolved, dtype, shape, resolved.parameters === 'range' ? ANY_RANGE : {});
  }
}

/** The work of packing codes (`Mode.Quantize`) or of unpacking them. */
export function packKind({ scheme, layout }: Pick<Plan, 'scheme' | 'layout'>, mode: Mode): JobKind {
  const { elements } = layout;
  const units = Math.ceil(elements / Size.TensorTile);
  const tiles = { op: Op.Pack, units, unitElements: Size.TensorTile, length: elements, group: 0, count: 0 };
  return jobKind(mode, Source.Given, { ...layout, ...tiles }, schemeWords(scheme, 'float32'), false);
}

function sourceOf(scheme: Scheme, options: QuantizeOptions): Source {
  const { parameters, range } = options;
  if (parameters === null || range === null) {
    throw fail('ERR_QUANTLANE_PARAMETERS', 'Expected parameters and range to be objects or undefined, got null');
  }
  checkApart(scheme, options);
  if (scheme.parameters === 'given') {
    if (parameters !== undefined && range === undefined) return Source.Given;
    throw fail('ERR_QUANTLANE_PARAMETERS', `Expected parameters { scale, zeroPoint } for '${scheme.name}', got none`);
  }
  if (parameters !== undefined) {
    const text = `Expected no parameters for '${scheme.name}', which takes them from the values; got ${got(parameters)}`;
    throw fail('ERR_QUANTLANE_PARAMETERS', text);
  }
  if (range !== undefined) return Source.Range;
  if (scheme.parameters === 'dynamic') return Source.Data;
  throw fail('ERR_QUANTLANE_PARAMETERS', `Expected range { min, max } for '${scheme.name}', got none`);
}

/** Refuses a range where outliers are kept apart, and outlier columns where they are not. */
function checkApart({ name, outliers }: Scheme, { range, outliers: columns }: QuantizeOptions): void {
  if (outliers !== null && range !== undefined) {
    throw fail('ERR_QUANTLANE_PARAMETERS', `Expected no range for '${name}', which keeps outliers apart; got one`);
  }
  if (columns === undefined || (outliers !== null && typeof columns?.length === 'number')) return;
  const expected = outliers === null ? `no outliers for '${name}', which keeps none apart` : 'outliers: columns';
  throw fail('ERR_QUANTLANE_PARAMETERS', `Expected ${expected}, got ${got(columns)}`);
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
