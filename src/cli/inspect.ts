/**
 * `quantlane inspect`: what is in a file.
 * @module
 */
import { type ArgsDef, defineCommand } from 'citty';
import type { TensorEntry, TensorFile } from '../formats/index.js';
import { describeGranularity } from '../scheme/index.js';
import { codeEnds } from './block-parts.js';
import { entriesOf, type Stored, storedIn } from './container.js';
import { type Context, Progress } from './context.js';
import { printable } from './failure.js';
import { Histogram } from './histogram.js';
import { Moments } from './moments.js';
import { countText, cutTo, jsonNumber, type Report, shapeText, valueText, WIDTH } from './report.js';
import { JSON_ARG } from './runtime-options.js';
import { Sources } from './sources.js';
import { readValues, type StoredFacts, storedFacts } from './stored-facts.js';
import { isFloat } from './values.js';

const args = {
  file: { type: 'positional', description: 'A .npy or .safetensors file; - is standard input' },
  ...JSON_ARG,
} as const satisfies ArgsDef;

/** The command. */
export const inspectCommand = defineCommand({
  meta: { name: 'inspect', description: 'Show ranges, scales and a histogram' },
  args,
  run: ({ args, data }) => inspectFile(args._, data as Context),
});

async function inspectFile(paths: readonly string[], context: Context): Promise<Report> {
  await using sources = await Sources.open(paths, context);
  const { file, label } = sources.all[0]!;
  const stored = storedIn(file, label);
  const parts = new Set(stored.flatMap(entriesOf));
  const reports: Report[] = [];
  for (const one of stored) {
    context.signal.throwIfAborted();
    reports.push(quantizedReport(one, await storedFacts(file, one)));
  }
  for (const entry of file.tensors) {
    if (!parts.has(entry)) reports.push(await plainReport(file, entry, context));
  }
  const { length } = reports;
  return {
    lines: [
      `${printable(label)}: ${file.format}, ${length} ${length === 1 ? 'tensor' : 'tensors'}`,
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

/** A tensor as it is; of floats also a histogram, for which it is read again. */
async function plainReport(file: TensorFile, entry: TensorEntry, { signal, show }: Context): Promise<Report> {
  const { name, dtype, shape } = entry;
  const moments = new Moments();
  const elements = shape.reduce((product, size) => product * size, 1);
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
      `${printable(name)}: ${dtype} ${shapeText(shape)}, ${countText(elements)} elements`,
      `  ${rangeText(moments)}, amax ${valueText(amax)}, mean ${valueText(mean)}, std ${valueText(std)}${lost}`,
      ...(histogram?.lines() ?? []),
    ],
    json: {
      name,
      dtype,
      shape,
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
      `  saturated: ${Number((saturated * 100).toPrecision(3))} % of the codes are at an end`,
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
