/**
 * The method of a calibration and its options, from a command line.
 * @module
 */
import type { ArgsDef } from 'citty';
import { createObserver, RANGE_METHODS, type RangeMethod, type RangeObserver } from '../ranges/index.js';
import type { Scheme } from '../scheme/index.js';
import { choiceOption, numberOption, type Words } from './arguments.js';
import { asUsage, usage } from './failure.js';

/** The options of all methods, as citty takes them; which of them a method takes, its observer says. */
export const METHOD_ARGS = {
  method: { type: 'string', description: 'minmax, percentile, mse, entropy …', valueHint: 'M', required: true },
  percentile: { type: 'string', description: 'Share of the values within', valueHint: '0..100' },
  asymmetric: { type: 'boolean', description: 'percentile: ends by themselves' },
  form: { type: 'string', description: 'tensorrt or onnxruntime', valueHint: 'FORM' },
  bins: { type: 'string', description: 'Bins of the histogram', valueHint: 'N' },
  grid: { type: 'string', description: 'dyadic or first-batch', valueHint: 'GRID' },
  'quantized-bins': { type: 'string', description: 'entropy: bins to compare with', valueHint: 'N' },
  'start-bin': { type: 'string', description: 'First candidate', valueHint: 'N' },
  stride: { type: 'string', description: 'Bins between candidates', valueHint: 'N' },
  bits: { type: 'string', description: 'Bits of a code; those of the preset', valueHint: 'N' },
  unsigned: { type: 'boolean', description: 'mse: codes without a sign' },
  release: { type: 'string', description: 'histogram: PyTorch 1.13 or 2.0', valueHint: 'V' },
  'averaging-constant': { type: 'string', description: 'How much a batch weighs', valueHint: '0..1' },
  history: { type: 'string', description: 'delayed: batches', valueHint: 'N' },
  algorithm: { type: 'string', description: 'delayed: max or most_recent', valueHint: 'A' },
  margin: { type: 'string', description: 'delayed: powers of two left free', valueHint: 'N' },
  format: { type: 'string', description: 'delayed: e4m3 or e5m2', valueHint: 'F' },
} as const satisfies ArgsDef;

const NUMBERS = [
  'percentile',
  'bins',
  'quantized-bins',
  'start-bin',
  'stride',
  'bits',
  'averaging-constant',
  'history',
  'margin',
] as const satisfies readonly (keyof typeof METHOD_ARGS)[];
const TEXTS = [
  'form',
  'grid',
  'release',
  'algorithm',
  'format',
] as const satisfies readonly (keyof typeof METHOD_ARGS)[];

/** Methods whose search is for codes of so many bits. */
const OF_BITS: readonly RangeMethod[] = ['mse', 'histogram'];

/** Methods that know a range for each channel. */
const OF_CHANNELS: readonly RangeMethod[] = ['minmax', 'moving-average'];

/**
 * Makes observers of the method that is asked for, one a call.
 * @param scheme whose ranges they find
 * @param skips whether values that are not finite are left out
 * @throws UsageError for options that the method does not take, or a method that has no ranges of channels
 */
export function observers(words: Words, scheme: Scheme, skips: boolean): () => RangeObserver {
  const method = choiceOption('method', words('method'), RANGE_METHODS)!;
  const { granularity } = scheme;
  const isChannels = granularity.kind === 'perChannel';
  if (isChannels && !OF_CHANNELS.includes(method)) {
    throw usage(`Expected --method ${OF_CHANNELS.join(' or ')} for ranges of channels, got '${method}'`);
  }
  const options: Record<string, unknown> = {
    ...(OF_BITS.includes(method) && { bits: bitsOf(scheme) }),
    ...(isChannels && { granularity }),
    ...(skips && { nonFinite: 'skip' }),
    ...(words('asymmetric') !== undefined && { symmetric: false }),
    ...(words('unsigned') !== undefined && { unsigned: true }),
  };
  for (const name of NUMBERS) options[camel(name)] = numberOption(name, words(name)) ?? options[camel(name)];
  for (const name of TEXTS) options[name] = words(name);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return () => asUsage(`--method ${method}`, () => createObserver(method, given));
}

/** Bits of a code. */
function bitsOf({ codes: [lo, hi] }: Scheme): number {
  return Math.ceil(Math.log2(hi - lo + 1));
}

/** `start-bin` as `startBin`. */
function camel(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
