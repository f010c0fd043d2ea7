/**
 * The scheme that a command line asks for, and the parameters given with it.
 * @module
 */
import {
  CODE_FACTS,
  findPreset,
  type NonFinitePolicy,
  type PresetOptions,
  preset,
  type ScaleRule,
  type Scheme,
} from '../scheme/index.js';
import { amountOption, choiceOption, integerOption, type Words } from './arguments.js';
import { asUsage, usage } from './failure.js';
import { type Parameters, readParameters } from './parameters.js';

/** What is asked for. */
export interface Choice {
  readonly scheme: Scheme;
  /** The options of the preset that made it. */
  readonly options: PresetOptions;
  /** For a scheme whose parameters are given. */
  readonly parameters: Parameters | undefined;
}

const POLICIES: readonly NonFinitePolicy[] = ['error', 'saturate', 'propagate'];

/**
 * Reads the options `preset`, `dtype`, `axis`, `block-size`, `scale-rule`, `threshold`, `non-finite`, `scale` and
 * `zero-point`.
 * @throws UsageError for options that do not go together, and errors of `readParameters`
 */
export async function choiceOf(words: Words): Promise<Choice> {
  const name = words('preset')!;
  const row = asUsage('--preset', () => findPreset(name));
  const dtype = choiceOption('dtype', words('dtype'), row.dtypes);
  const axis = integerOption('axis', words('axis'));
  const blockSize = integerOption('block-size', words('block-size'));
  const threshold = amountOption('threshold', words('threshold'));
  const nonFinite = choiceOption('non-finite', words('non-finite'), POLICIES);
  const rules = Object.keys(row.scaleRules ?? {}) as ScaleRule[];
  const scaleRule = choiceOption('scale-rule', words('scale-rule'), rules);
  const chosen = defined({ dtype, axis, blockSize, scaleRule, threshold, nonFinite });
  const isGiven = row.rules.parameters === 'given';
  if (!isGiven && (words('scale') ?? words('zero-point')) !== undefined) {
    throw usage(`Preset '${name}' takes its parameters from the values: Expected no --scale and no --zero-point`);
  }
  const make = (options: PresetOptions): Scheme => asUsage('--preset', () => preset(name, options));
  if (!isGiven) return { scheme: make(chosen), options: chosen, parameters: undefined };
  const { symmetric } = make(chosen); // before files are read
  const parameters = await readParameters(!symmetric, words('scale'), words('zero-point'));
  const { storage = parameters.dtype } = dtype === undefined ? {} : CODE_FACTS[dtype];
  if (!symmetric && storage !== parameters.dtype) {
    throw usage(`Expected ${storage} zero points for --dtype ${dtype}, got ${parameters.dtype}`, 'ERR_QUANTLANE_DTYPE');
  }
  // As ONNX has it: a single scale is for the whole tensor, several are for axis 1 unless another one is named.
  const isWhole = blockSize === undefined && parameters.scale.length === 1;
  const place = isWhole ? {} : defined({ axis: axis ?? 1, blockSize });
  const options: PresetOptions = { ...place, ...defined({ nonFinite, dtype: dtype ?? parameters.dtype }) };
  return { scheme: make(options), options, parameters };
}

/** Without what is undefined. */
function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
