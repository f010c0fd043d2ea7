/**
 * `quantlane calibrate`: the ranges of tensors, found over one file or many, for `quantize --calibration`.
 * @module
 */
import { type ArgsDef, defineCommand } from 'citty';
import { fail } from '../errors.js';
import type { TensorEntry, TensorFile } from '../formats/index.js';
import { elementsOf } from '../memory/index.js';
import { type CalibratedTensor, type Calibration, calibrationOf, type RangeObserver } from '../ranges/index.js';
import { type Words, wordsOf } from './arguments.js';
import { checkCalibrated, writeCalibrationFile } from './calibration.js';
import { NON_FINITE_ARG, nonFiniteOption, PRESET_ARGS, presetOptions, schemeOf } from './choice.js';
import { type Context, Progress } from './context.js';
import { located, usage } from './failure.js';
import { METHOD_ARGS, observers } from './method.js';
import { countText, type Report, table, valueText } from './report.js';
import { JSON_ARG } from './runtime-options.js';
import { placeOf, type Source, Sources } from './sources.js';
import { checkFloats, valuesOf } from './values.js';

const args = {
  'in...': { type: 'positional', description: 'Files of tensors; - is standard input' },
  preset: { type: 'string', description: 'Who reads the codes', valueHint: 'P', required: true },
  out: { type: 'string', description: 'The calibration file, .json', valueHint: 'C', required: true },
  as: { type: 'string', description: 'All are batches of one tensor', valueHint: 'NAME' },
  ...METHOD_ARGS,
  ...PRESET_ARGS,
  'non-finite': { ...NON_FINITE_ARG['non-finite'], description: 'error, or saturate: left out' },
  ...JSON_ARG,
} as const satisfies ArgsDef;

/** The command. */
export const calibrateCommand = defineCommand({
  meta: { name: 'calibrate', description: 'Find the ranges of tensors' },
  args,
  run: ({ args, data }) => calibrateFiles(args._, wordsOf(args), data as Context),
});

/** Values that were read: which is the first of them in its tensor. */
interface Window {
  readonly start: number;
  readonly values: Float32Array;
}

/** Values read at once, more than an observer asks for. */
const WINDOW = 2 ** 18;

async function calibrateFiles(paths: readonly string[], words: Words, context: Context): Promise<Report> {
  const out = words('out')!;
  if (!/\.json$/i.test(out)) throw usage(`Expected a .json file for --out, got '${out}'`);
  const name = words('preset')!;
  const skips = nonFiniteOption(words, ['error', 'saturate']) === 'saturate';
  const options = presetOptions(name, words);
  const scheme = schemeOf(name, options);
  checkCalibrated(scheme);
  const make = observers(words, scheme, skips);
  make(); // before files are read
  await using sources = await Sources.open(paths, context);
  const found = new Map<string, RangeObserver>();
  for (const source of sources.all) {
    for (const entry of source.file.tensors) {
      const tensor = words('as') ?? entry.name;
      const observer = found.get(tensor) ?? make();
      found.set(tensor, observer);
      await observe(observer, source, entry, context);
    }
  }
  checkSeen(found);
  const calibration = calibrationOf(found, { name, options });
  await writeCalibrationFile(out, calibration);
  return reportOf(out, calibration);
}

/** Observes a tensor of a file as one batch, window by window. */
async function observe(observer: RangeObserver, { file, label }: Source, entry: TensorEntry, context: Context) {
  try {
    checkFloats(entry);
    const elements = elementsOf(entry.shape);
    const progress = new Progress(context.show, entry.name, 2 * elements);
    const reading = observer.reading(elements, entry.shape);
    let window: Window = { start: 0, values: new Float32Array() };
    for (let step = reading.next(); step.done !== true; ) {
      const { first, count } = step.value;
      if (first < window.start || first + count > window.start + window.values.length) {
        context.signal.throwIfAborted();
        window = { start: first, values: await readValuesAt(file, entry, first, Math.min(WINDOW, elements - first)) };
      }
      step = reading.next(window.values.subarray(first - window.start, first - window.start + count));
      progress.add(count);
    }
  } catch (error) {
    throw located(error, placeOf(label, entry.name));
  }
}

async function readValuesAt(file: TensorFile, entry: TensorEntry, first: number, count: number): Promise<Float32Array> {
  const size = entry.dtype === 'float32' ? 4 : 2;
  const bytes = new Uint8Array(count * size);
  await file.read(entry, first * size, bytes);
  return valuesOf(entry.dtype, bytes) as Float32Array;
}

/** Refuses a tensor without a value, which has no range. */
function checkSeen(found: ReadonlyMap<string, RangeObserver>): void {
  if (found.size === 0) throw fail('ERR_QUANTLANE_FORMAT', 'Expected at least one tensor, got none');
  for (const [name, { batches }] of found) {
    if (batches === 0)
      throw fail('ERR_QUANTLANE_SHAPE', `${placeOf('calibration', name)}: Expected a finite value, got none`);
  }
}

function reportOf(out: string, { method, options, preset, tensors }: Calibration): Report {
  const head = ['tensor', 'batches', 'elements', 'ranges', 'min', 'max'];
  const rows = Array.from(tensors, ([name, { batches, elements, min, max }]) => {
    const ends = [leastOf(min), -leastOf(max.map((value) => -value))];
    return [name, ...[batches, elements, min.length].map(countText), ...ends.map(valueText)];
  });
  return {
    lines: [`${method} for ${preset!.name} to ${out}`, '', ...table(head, rows, 1)],
    json: { command: 'calibrate', out, method, options, preset, tensors: Array.from(tensors, jsonOf) },
  };
}

function jsonOf([name, { min, max, batches, elements, skipped }]: [string, CalibratedTensor]): object {
  return { name, batches, elements, skipped, min: Array.from(min), max: Array.from(max) };
}

function leastOf(numbers: Float32Array): number {
  return numbers.reduce((least, number) => Math.min(least, number), Number.POSITIVE_INFINITY);
}
