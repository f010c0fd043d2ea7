/**
 * Streams the activations of a language model, token by token, through every preset, and prints what comes out.
 *
 *     npm start
 *     npm start -- my-activations.npy --preset torchao-int8
 * @module
 */
import { openTensors, type TensorFile } from '../src/formats/index.js';
import { ArgumentError, createRuntime, preset, type RuntimeOptions, type StreamingRuntime } from '../src/index.js';
import { BLOCK_FORMATS } from '../src/scheme/index.js';
import type { Totals } from './account.js';
import { type Arguments, readArguments, USAGE, WrongUsage } from './arguments.js';
import { Failure } from './failure.js';
import { measure } from './measurement.js';
import { Progress } from './progress.js';
import { type Findings, type Skipped, textOf, writeJson } from './report.js';
import { type TokenTensor, tokenTensors } from './tokens.js';

const progress = new Progress();

/** Does what the command line asks for. */
async function main(): Promise<void> {
  const wanted = readArguments(process.argv.slice(2));
  if (wanted.isHelp) return console.log(USAGE);
  await using file = await openTensors(wanted.file);
  await using runtime = await open(wanted);
  const findings = await findingsOf(runtime, file, wanted.presets);
  progress.clear();
  console.log(textOf(findings));
  await writeJson(wanted.json, findings).catch((cause) => {
    throw Failure.at('results', cause);
  });
  console.log(`The same as JSON: ${wanted.json}`);
}

/** The runtime; what it does not take is wrong usage. */
async function open({ lanes, memory }: Arguments): Promise<StreamingRuntime> {
  const options: RuntimeOptions = { ...(lanes !== undefined && { lanes }), ...(memory !== undefined && { memory }) };
  try {
    return await createRuntime(options);
  } catch (error) {
    throw error instanceof ArgumentError ? new WrongUsage(error.message) : error;
  }
}

/** Measures the presets, one after the other. */
async function findingsOf(runtime: StreamingRuntime, file: TensorFile, presets: readonly string[]): Promise<Findings> {
  const tensors = tokenTensors(file);
  if (tensors.length === 0) {
    const text = `${file.path}: Expected values of float32, float16 or bfloat16, got none`;
    throw new Failure(text, 'ERR_QUANTLANE_DTYPE');
  }
  const all = tensors.reduce((sum, { tokens }) => sum + tokens, 0);
  const totals: Totals[] = [];
  const skipped: Skipped[] = [];
  for (const [index, name] of presets.entries()) {
    const reason = misfit(name, tensors);
    if (reason !== undefined) skipped.push({ preset: name, reason });
    else {
      const onPage = (tokens: number) => progress.show(name, (index + tokens / all) / presets.length);
      totals.push(await measure(runtime, file, tensors, preset(name), onPage));
    }
  }
  if (totals.length === 0) {
    const { preset: name, reason } = skipped[0]!;
    throw new Failure(`${file.path}: ${name} is left out: ${reason}`, 'ERR_QUANTLANE_SHAPE');
  }
  return { file, tensors, metrics: runtime.metrics(), totals, skipped };
}

/** Why a preset does not take tokens one by one. */
function misfit(name: string, tensors: readonly TokenTensor[]): string | undefined {
  const { layout, granularity, format } = preset(name);
  if (granularity.kind === 'perChannel') return 'it has a scale for each channel, of which a token holds one value';
  // Blocks with a layout of their own must be whole, but for bits.
  const isRagged = format !== null && BLOCK_FORMATS[format].ragged;
  if (layout === 'planar' || granularity.kind !== 'perBlock' || isRagged) return undefined;
  const { size } = granularity;
  const found = tensors.find(({ columns }) => columns % size !== 0);
  return found && `its rows are multiples of ${size}, those of '${found.entry.name}' have ${found.columns} values`;
}

try {
  await main();
} catch (error) {
  progress.clear();
  const { message, code } = error as Failure;
  const isUsage = error instanceof WrongUsage;
  console.error(`activations: ${message}${isUsage || code === undefined ? '' : ` (${code})`}`);
  process.exitCode = isUsage ? 2 : 1;
}
