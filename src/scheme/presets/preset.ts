/**
 * What a row of the table of presets says.
 * @module
 */
import { BLOCK_FORMATS, type BlockFormatName } from '../block-formats.js';
import type { CodeDtype } from '../code-dtypes.js';
import type { Scheme } from '../scheme.js';

/** How a scale is formed, where a preset knows several ways; `exact` is a float, the others are powers of two. */
export type ScaleRule = 'exact' | 'ue8m0' | 'floor' | 'even' | 'ceil' | 'rceil';

/** Every scale rule. */
export const SCALE_RULES: readonly ScaleRule[] = Object.freeze<ScaleRule[]>([
  'exact',
  'ue8m0',
  'floor',
  'even',
  'ceil',
  'rceil',
]);

/** A row of the table. */
export interface Preset {
  readonly name: string;
  /** Who reads these bytes. */
  readonly consumer: string;
  /** Where the rules are written. */
  readonly source: string;
  /** Where the real system differs, or what to know. */
  readonly notes: string;
  /** Types of codes; the first is the default. */
  readonly dtypes: readonly CodeDtype[];
  /** Whether `axis` and `blockSize` may be chosen. A preset with a scale for rows or blocks takes an axis in any case. */
  readonly takes: { readonly axis: boolean; readonly blockSize: boolean };
  /** The rules, but for what every preset has in common. */
  readonly rules: Partial<Scheme>;
  /** What `reduceRange` changes in the rules; absent where it may not be chosen. */
  readonly reduced?: Partial<Scheme>;
  /** What a `scaleRule` changes in the rules, the default first; absent where there is one rule only. */
  readonly scaleRules?: Readonly<Partial<Record<ScaleRule, Partial<Scheme>>>>;
  /** What a type of codes other than the first changes in the rules. */
  readonly byDtype?: Readonly<Partial<Record<CodeDtype, Partial<Scheme>>>>;
}

/** Neither `axis` nor `blockSize` may be chosen. */
export const FIXED = { axis: false, blockSize: false } as const;

/** The rules of a block format. */
export function rulesOf(format: BlockFormatName): Partial<Scheme> {
  const { granularity, bytes, codesAt } = BLOCK_FORMATS[format];
  return { granularity, layout: { blockBytes: bytes, codesAt }, format };
}
