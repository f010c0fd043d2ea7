/**
 * `quantlane quantize`: tensors of files to codes and parameters.
 * @module
 */
import { type ArgsDef, defineCommand } from 'citty';
import { fail } from '../errors.js';
import { declarationsOf, metadataOf, noteOf, storedBytes } from '../formats/container.js';
import { createSafetensors, type TensorWriter } from '../formats/index.js';
import type { InputDtype } from '../memory/index.js';
import type { Runtime } from '../runtime/index.js';
import { version } from '../version.js';
import { type Words, wordsOf } from './arguments.js';
import { type Choice, choiceOf, GIVEN_ARGS, NON_FINITE_ARG, PRESET_ARGS } from './choice.js';
import type { Context } from './context.js';
import { located, quoted, usage } from './failure.js';
import { outlierColumns } from './outliers.js';
import type { Report } from './report.js';
import { RUNTIME_ARGS, runtimeOptions, startRuntime } from './runtime-options.js';
import { placeOf, type Source, Sources } from './sources.js';
import { type Row, summary } from './summary.js';
import { placedOn, quantizeTensor, type TensorJob } from './tensor.js';
import { writingTo } from './writing.js';

const args = {
  'in...': { type: 'positional', description: 'Files of tensors; - is standard input' },
  preset: { type: 'string', description: 'Who reads the codes', valueHint: 'NAME', required: true },
  out: { type: 'string', description: 'The .safetensors file', valueHint: 'FILE', required: true },
  ...PRESET_ARGS,
  ...GIVEN_ARGS,
  ...NON_FINITE_ARG,
  ...RUNTIME_ARGS,
} as const satisfies ArgsDef;

/** The command. */
export const quantizeCommand = defineCommand({
  meta: { name: 'quantize', description: 'Quantize every tensor of the files' },
  args,
  run: ({ args, data }) => quantizeFiles(args._, wordsOf(args), data as Context),
});

/** A tensor that is to be quantized. */
type Task = Pick<TensorJob, 'file' | 'entry' | 'grid' | 'given'> & { readonly source: Source };

/** The same, with the columns of outliers that were found in it. */
type Found = Task & Pick<TensorJob, 'outliers'>;

async function quantizeFiles(paths: readonly string[], words: Words, context: Context): Promise<Report> {
  const out = words('out')!;
  if (!/\.safetensors$/i.test(out)) throw usage(`Expected a .safetensors file for --out, got '${out}'`);
  const options = runtimeOptions(words);
  const choice = await choiceOf(words('preset')!, words);
  await using sources = await Sources.open(paths, context);
  const tasks = sources.all.flatMap((source) => tasksOf(source, choice));
  checkNames(tasks, choice);
  await using runtime = await startRuntime(options);
  const found: Found[] = [];
  for (const task of tasks) found.push({ ...task, outliers: await findIn(task, runtime, context) });
  await using writer = await createOut(out, found, choice);
  const rows: Row[] = [];
  for (const task of found) rows.push(await quantizeTask(task, choice, runtime, writer, context));
  await writer.close();
  const title = `${choice.scheme.name} (${choice.scheme.dtype}) to ${out}`;
  return summary('quantize', title, { out, preset: choice.scheme.name }, rows);
}

/** The tensors of a source, each of which fits the scheme. */
function tasksOf(source: Source, choice: Choice): Task[] {
  const { file, label } = source;
  return file.tensors.map((entry) => {
    try {
      return { source, file, entry, ...placedOn(file, entry, choice) };
    } catch (error) {
      throw located(error, placeOf(label, entry.name));
    }
  });
}

/** Refuses two tensors of one name in the output. */
function checkNames(tasks: readonly Task[], { scheme }: Choice): void {
  const owners = new Map<string, Task>();
  for (const task of tasks) {
    for (const { name } of declarationsOf(task.entry.name, scheme, task.entry.shape)) {
      const other = owners.get(name);
      owners.set(name, task);
      if (other === undefined) continue;
      const places = [other, task].map(({ source, entry }) => placeOf(source.label, entry.name)).join(' and ');
      throw fail('ERR_QUANTLANE_ARGUMENT', `Expected names that differ, got ${quoted(name)} from ${places}`);
    }
  }
}

/** The outliers of a tensor must be known before its output is begun. */
function findIn({ source, ...task }: Task, runtime: Runtime, context: Context): Promise<Int32Array | undefined> {
  return outlierColumns({ ...task, runtime, context }).catch((error: unknown) => {
    throw located(error, placeOf(source.label, task.entry.name));
  });
}

function createOut(out: string, tasks: readonly Found[], { scheme, options }: Choice): Promise<TensorWriter> {
  const notes = new Map(
    tasks.map(({ entry }) => [entry.name, noteOf(scheme, options, entry.shape, entry.dtype as InputDtype)]),
  );
  const declarations = tasks.flatMap(({ entry, outliers }) =>
    declarationsOf(entry.name, scheme, entry.shape, outliers?.length),
  );
  return createSafetensors(out, declarations, metadataOf(scheme.name, notes, version()));
}

async function quantizeTask(
  task: Found,
  { scheme }: Choice,
  runtime: Runtime,
  writer: TensorWriter,
  context: Context,
): Promise<Row> {
  const { source, entry, grid, outliers } = task;
  const { name, shape } = entry;
  const began = performance.now();
  const sink = writingTo(writer, name, grid);
  const stats = await quantizeTensor({ ...task, runtime, sink, context }).catch((error) => {
    throw located(error, placeOf(source.label, name));
  });
  const seconds = (performance.now() - began) / 1000;
  return {
    name,
    file: source.label,
    shape,
    dtype: entry.dtype,
    preset: scheme.name,
    elements: grid.elements,
    bytesIn: entry.byteLength,
    bytesOut: storedBytes(scheme, shape, outliers?.length),
    seconds,
    stats,
  };
}
