/**
 * `quantlane inspect`: what is in a file.
 * @module
 */
import { type ArgsDef, defineCommand } from 'citty';
import { type ErrorCode, QuantlaneError } from '../errors.js';
import { entriesOf, type Stored, storedIn } from '../formats/container.js';
import type { TensorEntry, TensorFile } from '../formats/index.js';
import { productOf } from '../numbers.js';
import type { Runtime } from '../runtime/index.js';
import { describeGranularity } from '../scheme/index.js';
import { type Words, wordsOf } from './arguments.js';
import { codeEnds } from './block-parts.js';
import { type Choice, choiceOf, GIVEN_ARGS, NON_FINITE_ARG, PRESET_ARGS } from './choice.js';
import { type Context, Progress } from './context.js';
import { lineOf, printable, usage } from './failure.js';
import { Histogram } from './histogram.js';
import { Moments } from './moments.js';
import { qualityOf, qualityReport } from './quality.js';
import { countText, cutTo, jsonNumber, type Report, shapeText, shareText, valueText, WIDTH } from './report.js';
import { RUNTIME_ARGS, runtimeOptions, startRuntime } from './runtime-options.js';
import { Sources } from './sources.js';
import { readValues, type StoredFacts, storedFacts } from './stored-facts.js';
import { placedOn } from './tensor.js';
import { isFloat } from './values.js';

const args = {
  file: { type: 'positional', description: 'A file of tensors; - is standard input' },
  preset: { type: 'string', description: 'Also tells how well this one does', valueHint: 'NAME' },
  ...PRESET_ARGS,
  ...GIVEN_ARGS,
  ...NON_FINITE_ARG,
  ...RUNTIME_ARGS,
} as const satisfies ArgsDef;

/** Errors of a tensor that a preset does not fit. */
const MISFITS: readonly ErrorCode[] = ['ERR_QUANTLANE_DTYPE', 'ERR_QUANTLANE_SHAPE', 'ERR_QUANTLANE_NON_FINITE'];

/** The command. */
export const inspectCommand = defineCommand({
  meta: { name: 'inspect', description: 'Show ranges, scales, a histogram and quality' },
  args,
  run: ({ args, data }) => inspectFile(args._, wordsOf(args), data as Context),
});

/** What a tensor is tried with. */
interface Trial {
  readonly choice: Choice;
  readonly runtime: Runtime;
}

async function inspectFile(paths: readonly string[], words: Words, context: Context): Promise<Report> {
  const options = runtimeOptions(words);
  const name = words('preset');
  if (name === undefined) checkNoTrial(words);
  const choice = name === undefined ? undefined : await choiceOf(name, words);
  await using sources = await Sources.open(paths, context);
  await using runtime = choice && (await startRuntime(options));
  const trial = choice && { choice, runtime: runtime! };
  const { file, label } = sources.all[0]!;
  const stored = storedIn(file, label);
  const parts = new Set(stored.flatMap(entriesOf));
  const reports: Report[] = [];
  for (const one of stored) {
    context.signal.throwIfAborted();
    reports.push(quantizedReport(one, await storedFacts(file, one)));
  }
  for (const entry of file.tensors) {
    if (!parts.has(entry)) reports.push(await tensorReport(file, entry, trial, context));
  }
  const { length } = reports;
  return {
    lines: [
      cutTo(`${printable(label)}: ${file.format}, ${length} ${length === 1 ? 'tensor' : 'tensors'}`, WIDTH),
      ...reports.flatMap(({ lines }) => ['', ...lines.map((line) => cutTo(line, WIDTH))]),
    ],
    json: {
      command: 'inspect',
      file: label,
      format: file.format,
      metadata: { ...file.metadata },
      tensors: reports.map(({ json }) => json),
    },
  };
}

/** Refuses options that say something of a preset where there is none. */
function checkNoTrial(words: Words): void {
  const found = Object.keys({ ...PRESET_ARGS, ...GIVEN_ARGS, ...NON_FINITE_ARG }).find(
    (name) => words(name) !== undefined,
  );
  if (found !== undefined) throw usage(`Expected --preset with --${found}, got none`);
}

/** A tensor that was not quantized, and how well a preset would do. */
async function tensorReport(
  file: TensorFile,
  entry: TensorEntry,
  trial: Trial | undefined,
  context: Context,
): Promise<Report> {
  const plain = await plainReport(file, entry, context);
  if (trial === undefined) return plain;
  const quality = await trialReport(file, entry, trial, context);
  return { lines: [...plain.lines, ...quality.lines], json: { ...plain.json, quality: quality.json } };
}

/** How well a preset does; why it does not where it does not fit the tensor or its values. */
async function trialReport(
  file: TensorFile,
  entry: TensorEntry,
  { choice, runtime }: Trial,
  context: Context,
): Promise<Report> {
  const { scheme } = choice;
  try {
    return qualityReport(await qualityOf({ ...placedOn(file, entry, choice), runtime, file, entry, context }, scheme));
  } catch (error) {
    if (!(error instanceof QuantlaneError) || !MISFITS.includes(error.code)) throw error;
    return { lines: [`  ${scheme.name}: ${lineOf(error)}`], json: { preset: scheme.name, skipped: error.message } };
  }
}

/** A tensor as it is; of floats also a histogram, for which it is read again. */
async function plainReport(file: TensorFile, entry: TensorEntry, { signal, show }: Context): Promise<Report> {
  const { name, dtype, shape, blocks } = entry;
  const moments = new Moments();
  const elements = productOf(shape);
  const packed = blocks === undefined ? '' : ` of ${blocks.type} ${shapeText(blocks.shape)}`;
  const progress = new Progress(show, name, elements * (isFloat(dtype) ? 2 : 1));
  const read = (take: (values: ArrayLike<number>) => void): Promise<void> =>
    readValues(file, entry, (values) => {
      signal.throwIfAborted();
      take(values);
      progress.add(values.length);
    });
  await read((values) => moments.add(values));
  const histogram = isFloat(dtype) && moments.count > 0 ? new Histogram(moments.min, moments.max) : undefined;
  if (histogram !== undefined) await read((values) => histogram.add(values));
  const { min, max, amax, mean, std, nan, infinite } = moments;
  const lost = nan + infinite > 0 ? `, NaN ${nan}, infinite ${infinite}` : '';
  return {
    lines: [
      `${printable(name)}: ${dtype} ${shapeText(shape)}${packed}, ${countText(elements)} elements`,
      `  ${rangeText(moments)}, amax ${valueText(amax)}, mean ${valueText(mean)}, std ${valueText(std)}${lost}`,
      ...(histogram?.lines() ?? []),
    ],
    json: {
      name,
      dtype,
      shape,
      ...(blocks && { blocks }),
      elements,
      ...numbers({ min, max, amax, mean, std }),
      nan,
      infinite,
      ...(histogram && { histogram: { min: histogram.min, max: histogram.max, counts: histogram.counts } }),
    },
  };
}

/** A tensor that quantlane has quantized. */
function quantizedReport({ name, note, scheme, codes, outliers }: Stored, facts: StoredFacts): Report {
  const { scale, zeroPoint, codes: found, saturated } = facts;
  const zeros = zeroPoint === undefined ? '' : `, zero points ${zeroPoint.min} to ${zeroPoint.max}`;
  const ends = codeEnds(scheme).join(' to ');
  const apart = outliers?.shape[0];
  const odd = scale.nan + scale.infinite;
  return {
    lines: [
      `${printable(name)}: ${scheme.name}, ${describeGranularity(scheme.granularity)}, of ${note.inputDtype} ${shapeText(note.shape)}`,
      `  codes: ${codes.dtype} ${shapeText(codes.shape)}, ${found.min} to ${found.max} of ${ends}`,
      `  saturated: ${shareText(saturated)} of the codes are at an end`,
      `  scales: ${countText(scale.count + odd)}, ${rangeText(scale)}${odd > 0 ? `, NaN or infinite ${odd}` : ''}${zeros}`,
      ...(apart === undefined ? [] : [`  outliers: ${countText(apart)} of ${note.shape.at(-1)} columns kept apart`]),
    ],
    json: {
      name,
      ...note,
      granularity: describeGranularity(scheme.granularity),
      codes: { dtype: codes.dtype, shape: codes.shape, ...numbers({ min: found.min, max: found.max }) },
      saturatedShare: saturated,
      scale: { count: scale.count + odd, nonFinite: odd, ...numbers({ min: scale.min, max: scale.max }) },
      zeroPoint: zeroPoint === undefined ? null : numbers({ min: zeroPoint.min, max: zeroPoint.max }),
      ...(apart === undefined ? {} : { outliers: apart }),
    },
  };
}

function rangeText({ min, max, count }: Moments): string {
  return count === 0 ? 'no finite value' : `${valueText(min)} to ${valueText(max)}`;
}

function numbers(values: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, jsonNumber(value)]));
}
