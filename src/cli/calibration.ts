/**
 * Calibration files on the command line: what a tensor is quantized with according to one.
 * @module
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { fail } from '../errors.js';
import {
  type Calibration,
  readCalibration,
  type StaticTarget,
  staticParameters,
  staticTarget,
  writeCalibration,
} from '../ranges/index.js';
import { describeGranularity, type PresetOptions, preset, type Scheme } from '../scheme/index.js';
import { asUsage, located, quoted, usage } from './failure.js';
import type { Given } from './given.js';

/** Options of a preset that change its ranges, with the words of a command line. */
const OPTIONS = { dtype: '--dtype', axis: '--axis', blockSize: '--block-size', reduceRange: '--reduce-range' } as const;

/**
 * The calibration of a file.
 * @throws ERR_QUANTLANE_FORMAT
 */
export async function readCalibrationFile(path: string): Promise<Calibration> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw fail('ERR_QUANTLANE_FORMAT', `${path}: Expected a calibration file, got ${cause.code}`, { cause });
  });
  try {
    return readCalibration(text);
  } catch (error) {
    throw located(error, path);
  }
}

/**
 * Writes a calibration file beside its path, then puts it there.
 * @throws ERR_QUANTLANE_FORMAT where that is refused
 */
export async function writeCalibrationFile(path: string, calibration: Calibration): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(beside, writeCalibration(calibration), { flag: 'wx' });
    await rename(beside, path);
  } catch (cause) {
    await rm(beside, { force: true });
    const { code } = cause as NodeJS.ErrnoException;
    throw fail('ERR_QUANTLANE_FORMAT', `${path}: Expected a place for a calibration file, got ${code}`, { cause });
  }
}

/**
 * Passes a scheme that a range can be calibrated for.
 * @throws UsageError where its ranges follow from the values of each row or block
 */
export function checkCalibrated({ name, granularity }: Scheme): void {
  if (granularity.kind === 'perTensor' || granularity.kind === 'perChannel') return;
  const actual = `'${name}', which is ${describeGranularity(granularity)}`;
  throw usage(`Expected a --preset with a range for each tensor or channel, got ${actual}`);
}

/**
 * The options of a preset as a calibration has them.
 * @param chosen what the command line says; only `nonFinite` may differ
 * @throws UsageError where preset or options contradict the file
 */
export function calibratedOptions(
  { preset: target }: Calibration,
  path: string,
  name: string,
  chosen: PresetOptions,
): PresetOptions {
  if (target === null) return chosen;
  if (target.name !== name) throw usage(`Expected --preset ${target.name}, for which ${path} is, got '${name}'`);
  const make = (options: PresetOptions): string =>
    JSON.stringify({ ...asUsage('--preset', () => preset(name, options)), nonFinite: undefined });
  const options = { ...target.options, ...chosen };
  if (make(options) === make(target.options)) return options;
  const words = Object.entries(OPTIONS).flatMap(([key, word]) => {
    const value = target.options[key as keyof typeof OPTIONS];
    return value === undefined || value === false ? [] : [value === true ? word : `${word} ${value}`];
  });
  throw usage(`Expected the options of ${path} (${words.join(' ') || 'none'}), got others`);
}

/**
 * What a tensor is quantized with: its range, or the parameters that onnxruntime.quantization makes of it (signed codes
 * symmetric, unsigned ones affine).
 * @param isOnly whether it is the only tensor of its file, for which the only one of a calibration is meant too
 * @param parameters how many the scheme has on it
 * @throws ERR_QUANTLANE_PARAMETERS where the calibration has no such tensor, or another number of ranges
 */
export function calibratedGiven(
  { tensors }: Calibration,
  path: string,
  scheme: Scheme,
  { name, isOnly, parameters }: { readonly name: string; readonly isOnly: boolean; readonly parameters: number },
): Given {
  const [single] = tensors.values();
  const found = tensors.get(name) ?? (isOnly && tensors.size === 1 ? single : undefined);
  if (found === undefined) {
    const names = [...tensors.keys()].slice(0, 8).map(quoted).join(', ');
    const more = tensors.size > 8 ? ` and ${tensors.size - 8} more` : '';
    throw fail('ERR_QUANTLANE_PARAMETERS', `Expected its range in ${path}, got those of ${names}${more}`);
  }
  if (found.min.length !== parameters) {
    throw fail('ERR_QUANTLANE_PARAMETERS', `Expected ${parameters} ranges, got ${found.min.length} in ${path}`);
  }
  return scheme.parameters === 'given' ? { parameters: staticParameters(found, targetOf(scheme)) } : { range: found };
}

/** Zero points of int32 are there to be used. */
function targetOf({ codes, zeroPointDtype }: Scheme): StaticTarget {
  return zeroPointDtype === 'int32' ? { codes, symmetric: false } : staticTarget(codes);
}
