/**
 * The presets: one row for every consumer whose bytes the library gives.
 * @module
 */
import { fail, got } from '../errors.js';
import { CODE_FACTS, type CodeDtype } from './code-dtypes.js';
import { defineScheme } from './define.js';
import { type Granularity, perBlock, perChannel, perRow, perToken } from './granularity.js';
import { BITSANDBYTES } from './presets/bitsandbytes.js';
import { EMBEDDINGS } from './presets/embeddings.js';
import { GGML } from './presets/ggml.js';
import { MICROSCALING } from './presets/microscaling.js';
import { MOBILE } from './presets/mobile.js';
import { ONNX } from './presets/onnx.js';
import type { Preset, ScaleRule } from './presets/preset.js';
import { SERVERS } from './presets/servers.js';
import { TORCH } from './presets/torch.js';
import type { NonFinitePolicy, Scheme } from './scheme.js';

/** What may be chosen within a preset. */
export interface PresetOptions {
  /** Type of the codes, where the preset leaves a choice. */
  readonly dtype?: CodeDtype;
  /**
   * The axis along which rows and blocks lie, by default the last one; for `onnx-static` and presets of channels the axis
   * whose every index has a parameter.
   */
  readonly axis?: number;
  /** A parameter for every so many values; where the preset leaves a choice. */
  readonly blockSize?: number;
  /** Scale and zero point for half as many codes, where the preset knows that; default false. */
  readonly reduceRange?: boolean;
  /** Magnitude from which on a value is an outlier, 0 for none; where the preset keeps outliers apart. */
  readonly threshold?: number;
  /** How the scale is formed, where the preset knows several ways. */
  readonly scaleRule?: ScaleRule;
  /** What happens to NaN and ±Inf; default `error`. */
  readonly nonFinite?: NonFinitePolicy;
}

export type { Preset, ScaleRule };

const COMMON: Omit<Scheme, 'name'> = {
  dtype: 'int8',
  codes: CODE_FACTS.int8.range,
  step: 1,
  packing: 'low-first',
  granularity: perToken,
  parameters: 'dynamic',
  symmetric: true,
  rangeIncludesZero: true,
  arithmetic: 'float32',
  divisor: 127,
  scaleForm: 'divide',
  powerOfTwo: 'none',
  scaleUsed: 'exact',
  tensorScale: false,
  mostMultiplier: null,
  apply: 'divide',
  raggedDivides: false,
  rounding: 'half-even',
  seed: 0,
  zeroPointRule: 'none',
  zeroPointRounding: 'half-even',
  zeroPointCodes: null,
  zeroPointAdded: 'after',
  zeroPointDtype: 'codes',
  floor: null,
  allZero: null,
  nonFinite: 'error',
  nan: { code: 0, poisons: true },
  scaleDtype: 'float32',
  layout: 'planar',
  format: null,
  outliers: null,
};

const ROWS = [
  ...ONNX,
  ...TORCH,
  ...SERVERS,
  ...MOBILE,
  ...GGML,
  ...MICROSCALING,
  ...BITSANDBYTES,
  ...EMBEDDINGS,
] as const;

/** The table: a row for every consumer whose bytes the library gives. */
export const PRESETS: readonly Preset[] = Object.freeze(ROWS.map((row: Preset) => ({ ...row, takes: takesOf(row) })));

/** Name of a preset. */
export type PresetName = (typeof ROWS)[number]['name'];

/** The row of the table with this name. */
export function findPreset(name: string): Preset {
  const found = PRESETS.find((row) => row.name === name);
  if (found !== undefined) return found;
  const names = PRESETS.map((row) => row.name).join(', ');
  throw fail('ERR_QUANTLANE_PRESET', `Expected a preset (${names}), got ${got(name)}`);
}

/**
 * The scheme of a preset.
 * @throws ERR_QUANTLANE_PRESET for an unknown name; ERR_QUANTLANE_ARGUMENT or ERR_QUANTLANE_DTYPE for an option that the
 * preset does not take
 */
export function preset(name: PresetName | (string & {}), options: PresetOptions = {}): Scheme {
  const row = findPreset(name);
  const { nonFinite, reduceRange = false, scaleRule, threshold } = options;
  const dtype = options.dtype ?? row.dtypes[0]!;
  if (!row.dtypes.includes(dtype)) {
    throw fail('ERR_QUANTLANE_DTYPE', `Expected ${row.dtypes.join(' or ')} as dtype of '${name}', got ${got(dtype)}`);
  }
  if (reduceRange && row.reduced === undefined) throw fixed(name, 'reduceRange');
  if (threshold !== undefined && row.rules.outliers === undefined) throw fixed(name, 'threshold');
  const { range: codes, nanCode = codes[0] } = CODE_FACTS[dtype];
  const rules: Partial<Scheme> = {
    ...row.rules,
    ...row.byDtype?.[dtype],
    ...(reduceRange ? row.reduced : {}),
    ...(scaleRule === undefined ? {} : rulesOfScale(row, scaleRule)),
    ...(threshold === undefined ? {} : { outliers: { threshold } }),
  };
  const scheme: Scheme = {
    ...COMMON,
    nan: { code: nanCode, poisons: true },
    ...rules,
    name: row.name,
    dtype,
    // A preset may leave codes of its one type out.
    codes: rules.codes ?? codes,
    granularity: granularityOf(row, rules.granularity ?? COMMON.granularity, options),
  };
  return defineScheme(nonFinite === undefined ? scheme : { ...scheme, nonFinite });
}

/** What a row takes: rows and blocks of its own layout may lie along any axis. */
function takesOf({ rules, takes }: Preset): Preset['takes'] {
  const kind = rules.granularity?.kind ?? 'perToken';
  const isOwn = rules.format === undefined && rules.outliers === undefined;
  const isFree = isOwn && (kind === 'perToken' || kind === 'perBlock');
  return { ...takes, axis: takes.axis || isFree };
}

function granularityOf(row: Preset, granularity: Granularity, { axis, blockSize }: PresetOptions): Granularity {
  if (axis !== undefined && !row.takes.axis) throw fixed(row.name, 'axis');
  if (blockSize !== undefined && !row.takes.blockSize) throw fixed(row.name, 'blockSize');
  if (granularity.kind === 'perBlock') return perBlock(blockSize ?? granularity.size, axis ?? granularity.axis);
  if (blockSize !== undefined) return perBlock(blockSize, axis);
  if (axis === undefined) return granularity;
  return granularity.kind === 'perToken' ? perRow(axis) : perChannel(axis);
}

function rulesOfScale({ name, scaleRules }: Preset, rule: ScaleRule): Partial<Scheme> {
  if (scaleRules === undefined) throw fixed(name, 'scaleRule');
  const rules = Object.hasOwn(scaleRules, rule) ? scaleRules[rule] : undefined;
  if (rules !== undefined) return rules;
  const known = Object.keys(scaleRules).join(' or ');
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected ${known} as scaleRule of '${name}', got ${got(rule)}`);
}

function fixed(name: string, option: string): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Preset '${name}' does not take ${option}`);
}

const defaults = new Map<string, Scheme>();

/** The scheme that a caller names or gives. */
export function resolveScheme(scheme: Scheme | PresetName | (string & {})): Scheme {
  if (typeof scheme !== 'string') return defineScheme(scheme);
  const known = defaults.get(scheme);
  if (known !== undefined) return known;
  const found = preset(scheme);
  defaults.set(scheme, found);
  return found;
}
