/**
 * `quantlane dequantize`: codes and parameters back to the values that a consumer reads.
 * @module
 */
import { parse } from 'node:path';
import { type ArgsDef, defineCommand } from 'citty';
import { fail } from '../errors.js';
import { entriesOf, type Stored, storedIn } from '../formats/container.js';
import { createNpy, createSafetensors } from '../formats/index.js';
import { type Words, wordsOf } from './arguments.js';
import type { Context } from './context.js';
import { located, quoted, usage } from './failure.js';
import type { Report } from './report.js';
import { type RestoreJob, restoreTensor } from './restore.js';
import { RUNTIME_ARGS, runtimeOptions, startRuntime } from './runtime-options.js';
import { placeOf, type Source, Sources } from './sources.js';
import { type Row, sum, summary } from './summary.js';

const args = {
  in: { type: 'positional', description: 'A .safetensors file that quantize wrote; - is standard input' },
  out: { type: 'string', description: 'A .npy or .safetensors file', valueHint: 'FILE', required: true },
  tensor: { type: 'string', description: 'Only this tensor', valueHint: 'NAME' },
  ...RUNTIME_ARGS,
} as const satisfies ArgsDef;

/** The command. */
export const dequantizeCommand = defineCommand({
  meta: { name: 'dequantize', description: 'Turn codes back into float32 values' },
  args,
  run: ({ args, data }) => dequantizeFile(args._, wordsOf(args), data as Context),
});

async function dequantizeFile(paths: readonly string[], words: Words, context: Context): Promise<Report> {
  const out = words('out')!;
  const [extension] = /\.(?:npy|safetensors)$/i.exec(out) ?? [];
  if (extension === undefined) throw usage(`Expected a .npy or .safetensors file for --out, got '${out}'`);
  const options = runtimeOptions(words);
  await using sources = await Sources.open(paths, context);
  const source = sources.all[0]!;
  const chosen = chosenOf(source, words('tensor'));
  const isNpy = extension.toLowerCase() === '.npy';
  if (isNpy && chosen.length > 1) {
    const names = chosen.slice(0, 8).map(({ name }) => quoted(name));
    const tensors = `${chosen.length} tensors: ${names.join(', ')}`;
    throw usage(`Expected --tensor NAME, or a .safetensors file for --out, got ${tensors}`);
  }
  await using runtime = await startRuntime(options);
  const shapes = chosen.map(({ name, note }) => ({ name, dtype: 'float32', shape: note.shape }) as const);
  await using writer = await (isNpy ? createNpy(out, shapes[0]!) : createSafetensors(out, shapes));
  const rows: Row[] = [];
  for (const stored of chosen) {
    const name = isNpy ? parse(out).name : stored.name;
    rows.push(await restore({ source, stored, runtime, writer, name, context }));
  }
  await writer.close();
  return summary('dequantize', `float32 to ${out}`, { out }, rows);
}

/** The tensors to be restored: the one that is named, or all. */
function chosenOf({ file, label }: Source, name: string | undefined): Stored[] {
  const all = storedIn(file, label);
  if (all.length === 0) {
    throw fail('ERR_QUANTLANE_FORMAT', `${label}: Expected a file that 'quantlane quantize' wrote, got another one`);
  }
  if (name === undefined) return all;
  const found = all.filter((stored) => stored.name === name);
  if (found.length > 0) return found;
  const names = all.slice(0, 8).map((stored) => quoted(stored.name));
  throw usage(`Expected one of ${names.join(', ')} for --tensor, got ${quoted(name)}`);
}

async function restore(job: Omit<RestoreJob, 'file'> & { readonly source: Source }): Promise<Row> {
  const { stored, source } = job;
  const { name, note } = stored;
  const began = performance.now();
  const elements = await restoreTensor({ ...job, file: source.file }).catch((error: unknown) => {
    throw located(error, placeOf(source.label, name));
  });
  const bytesIn = sum(entriesOf(stored).map((entry) => entry.byteLength));
  return {
    name,
    file: source.label,
    shape: note.shape,
    dtype: 'float32',
    preset: note.preset,
    elements,
    bytesIn,
    bytesOut: elements * 4,
    seconds: (performance.now() - began) / 1000,
  };
}
