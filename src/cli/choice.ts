/**
 * The scheme that a command line asks for, and what is given with it.
 * @module
 */
import type { ArgsDef } from 'citty';
import {
  CODE_FACTS,
  findPreset,
  type NonFinitePolicy,
  type PresetOptions,
  preset,
  type ScaleRule,
  type Scheme,
  type StorageDtype,
} from '../scheme/index.js';
import { amountOption, choiceOption, integerOption, type Words } from './arguments.js';
import { calibratedGiven, calibratedOptions, checkCalibrated, readCalibrationFile } from './calibration.js';
import { asUsage, usage } from './failure.js';
import type { Given } from './given.js';
import { checkCount, readParameters } from './parameters.js';

/** The options of a preset, as citty takes them. */
export const PRESET_ARGS = {
  dtype: { type: 'string', description: 'Type of the codes', valueHint: 'TYPE' },
  axis: { type: 'string', description: 'Axis of channels or blocks', valueHint: 'A' },
  'block-size': { type: 'string', description: 'Values a block', valueHint: 'N' },
  'scale-rule': { type: 'string', description: 'exact, ue8m0, floor, even, ceil, rceil', valueHint: 'RULE' },
  threshold: { type: 'string', description: 'Magnitude of an outlier, 0 for none', valueHint: 'T' },
  'reduce-range': { type: 'boolean', description: 'Parameters for half as many codes' },
} as const satisfies ArgsDef;

/** What may be given instead of coming from the values. */
export const GIVEN_ARGS = {
  scale: { type: 'string', description: 'Given scales, float32', valueHint: 'S.npy' },
  'zero-point': { type: 'string', description: 'Given zero points', valueHint: 'Z.npy' },
  calibration: { type: 'string', description: 'Ranges from calibrate', valueHint: 'C.json' },
} as const satisfies ArgsDef;

/** What happens to NaN and infinite values. */
export const NON_FINITE_ARG = {
  'non-finite': { type: 'string', description: 'error, saturate or propagate', valueHint: 'HOW' },
} as const satisfies ArgsDef;

/** A tensor that something is given for. */
export interface GivenFor {
  readonly name: string;
  /** Whether it is the only tensor of its file. */
  readonly isOnly: boolean;
  /** How many parameters the scheme has on it. */
  readonly parameters: number;
}

/** What is asked for. */
export interface Choice {
  readonly scheme: Scheme;
  /** The options of the preset that made it. */
  readonly options: PresetOptions;
  /**
   * What is given for a tensor; undefined where all comes from its values.
   * @throws ERR_QUANTLANE_PARAMETERS where that does not fit
   */
  given(tensor: GivenFor): Given | undefined;
}

const POLICIES: readonly NonFinitePolicy[] = ['error', 'saturate', 'propagate'];

/** The option `non-finite`. */
export function nonFiniteOption<T extends NonFinitePolicy>(
  words: Words,
  policies: readonly T[] = POLICIES as readonly T[],
): T | undefined {
  return choiceOption('non-finite', words('non-finite'), policies);
}

/**
 * The options of a preset: `PRESET_ARGS` and `NON_FINITE_ARG`.
 * @throws UsageError for a preset or a type that there is not
 */
export function presetOptions(name: string, words: Words): PresetOptions {
  const { dtypes, scaleRules = {} } = asUsage('--preset', () => findPreset(name));
  return defined({
    dtype: choiceOption('dtype', words('dtype'), dtypes),
    axis: integerOption('axis', words('axis')),
    blockSize: integerOption('block-size', words('block-size')),
    scaleRule: choiceOption('scale-rule', words('scale-rule'), Object.keys(scaleRules) as ScaleRule[]),
    threshold: amountOption('threshold', words('threshold')),
    reduceRange: words('reduce-range') === undefined ? undefined : true,
    nonFinite: nonFiniteOption(words),
  });
}

/** The scheme of a preset, whose options are those of a command line. */
export function schemeOf(name: string, options: PresetOptions): Scheme {
  return asUsage('--preset', () => preset(name, options));
}

/**
 * Reads `PRESET_ARGS`, `NON_FINITE_ARG` and `GIVEN_ARGS`.
 * @param name the preset
 * @throws UsageError for options that do not go together, and errors of the files
 */
export async function choiceOf(name: string, words: Words): Promise<Choice> {
  const chosen = presetOptions(name, words);
  const path = words('calibration');
  const hasParameters = (words('scale') ?? words('zero-point')) !== undefined;
  if (path !== undefined && hasParameters) throw usage('Expected --calibration or --scale and --zero-point, got both');
  const scheme = schemeOf(name, chosen); // before files are read
  if (path !== undefined) {
    checkCalibrated(scheme);
    return calibratedChoice(name, chosen, path);
  }
  if (scheme.parameters === 'given') return parametersChoice(name, chosen, scheme, words);
  if (scheme.parameters === 'range') throw usage(`Expected --calibration, which '${name}' needs, got none`);
  if (!hasParameters) return { scheme, options: chosen, given: () => undefined };
  throw usage(`Preset '${name}' takes its parameters from the values: Expected no --scale and no --zero-point`);
}

async function calibratedChoice(name: string, chosen: PresetOptions, path: string): Promise<Choice> {
  const calibration = await readCalibrationFile(path);
  const options = calibratedOptions(calibration, path, name, chosen);
  const scheme = schemeOf(name, options);
  checkCalibrated(scheme);
  return { scheme, options, given: (tensor) => calibratedGiven(calibration, path, scheme, tensor) };
}

async function parametersChoice(
  name: string,
  chosen: PresetOptions,
  { symmetric, zeroPointDtype: stored }: Scheme,
  words: Words,
): Promise<Choice> {
  const { dtype, axis, blockSize } = chosen;
  const parameters = await readParameters(!symmetric, words('scale'), words('zero-point'));
  const ofCodes = dtype === undefined ? parameters.dtype : CODE_FACTS[dtype].storage;
  const wanted = stored === 'codes' ? ofCodes : stored;
  if (!symmetric && wanted !== parameters.dtype) {
    const why = stored === 'codes' ? `--dtype ${dtype}` : `'${name}'`;
    throw usage(`Expected ${wanted} zero points for ${why}, got ${parameters.dtype}`, 'ERR_QUANTLANE_DTYPE');
  }
  // As ONNX has it: a single scale is for the whole tensor, several are for axis 1 unless another one is named.
  const isWhole = blockSize === undefined && parameters.scale.length === 1;
  const { axis: _axis, ...rest } = chosen;
  const isOfCodes = stored === 'codes' && !symmetric;
  const options = {
    ...rest,
    ...(isWhole ? {} : { axis: axis ?? 1 }),
    ...(dtype === undefined && isOfCodes ? { dtype: parameters.dtype as StorageDtype } : {}),
  };
  return {
    scheme: schemeOf(name, options),
    options,
    given(tensor) {
      checkCount(parameters, tensor.parameters);
      return { parameters };
    },
  };
}

/** Without what is undefined. */
function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
