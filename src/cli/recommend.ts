/**
 * `quantlane recommend`: the smallest preset that keeps the error of every tensor within a budget.
 * @module
 */
import { type ArgsDef, defineCommand } from 'citty';
import { type ErrorCode, fail, QuantlaneError } from '../errors.js';
import { storedBytes } from '../formats/container.js';
import type { TensorEntry } from '../formats/index.js';
import { elementsOf } from '../memory/index.js';
import { type ErrorStatistics, mergeStatistics, NO_ERROR, type Runtime } from '../runtime/index.js';
import { PRESETS, type Preset, type PresetOptions, preset } from '../scheme/index.js';
import { integerOption, type Words, wordsOf } from './arguments.js';
import { NON_FINITE_ARG, nonFiniteOption } from './choice.js';
import type { Context } from './context.js';
import { located, printable, quoted, usage } from './failure.js';
import { gridOf } from './grid.js';
import { outlierColumns } from './outliers.js';
import { cutTo, decibelText, jsonNumber, type Report, table, WIDTH } from './report.js';
import { RUNTIME_ARGS, runtimeOptions, startRuntime } from './runtime-options.js';
import { placeOf, type Source, Sources } from './sources.js';
import { sum } from './summary.js';
import { quantizeTensor, type TensorJob } from './tensor.js';
import { checkFloats } from './values.js';

const args = {
  file: { type: 'positional', description: 'A file of tensors; - is standard input' },
  budget: { type: 'string', description: 'SQNR of every tensor at least', valueHint: '40dB', required: true },
  top: { type: 'string', description: 'Only the N smallest within it', valueHint: 'N' },
  ...NON_FINITE_ARG,
  ...RUNTIME_ARGS,
} as const satisfies ArgsDef;

/** The command. */
export const recommendCommand = defineCommand({
  meta: { name: 'recommend', description: 'Find the smallest preset within a budget of error' },
  args,
  run: ({ args, data }) => recommendFor(args._, wordsOf(args), data as Context),
});

/** How a preset does. */
interface Candidate {
  readonly name: string;
  /** Bits of a value, with its share of scales and zero points. */
  readonly bits: number;
  /** SQNR of all tensors together. */
  readonly sqnr: number;
  readonly tensors: readonly { readonly name: string; readonly sqnr: number }[];
  /** Those below the budget, the worst first. */
  readonly misses: readonly { readonly name: string; readonly sqnr: number }[];
}

/** A preset that was not tried, and why. */
interface Skipped {
  readonly name: string;
  readonly reason: string;
}

async function recommendFor(paths: readonly string[], words: Words, context: Context): Promise<Report> {
  const budget = budgetOf(words('budget')!);
  const top = integerOption('top', words('top'));
  if (top !== undefined && top < 1) throw usage(`Expected at least 1 for --top, got ${top}`);
  const nonFinite = nonFiniteOption(words);
  const options = runtimeOptions(words);
  await using sources = await Sources.open(paths, context);
  const source = sources.all[0]!;
  const { entries, others } = tensorsOf(source);
  await using runtime = await startRuntime(options);
  const candidates: Candidate[] = [];
  const skipped: Skipped[] = [];
  for (const row of PRESETS) {
    const misfit = misfitOf(row, entries);
    if (misfit !== undefined) skipped.push({ name: row.name, reason: misfit });
    else candidates.push(await candidateOf(row, source, entries, budget, runtime, nonFinite && { nonFinite }, context));
  }
  candidates.sort((a, b) => a.bits - b.bits || b.sqnr - a.sqnr);
  return reportOf({ label: source.label, budget, top, candidates, skipped, others });
}

/** `40`, `40dB` or `40 dB`. */
function budgetOf(text: string): number {
  const [, number] = /^(-?\d+(?:\.\d+)?) ?(?:dB)?$/i.exec(text) ?? [];
  if (number === undefined) throw usage(`Expected a budget such as 40dB for --budget, got '${text}'`);
  return Number(number);
}

/** The tensors that can be quantized, and the names of the others. */
function tensorsOf({ file, label }: Source): { entries: TensorEntry[]; others: string[] } {
  const isRight = (entry: TensorEntry): boolean => misfit(() => checkFloats(entry)) === undefined;
  const entries = file.tensors.filter(isRight);
  if (entries.length === 0) {
    throw fail('ERR_QUANTLANE_DTYPE', `${label}: Expected a tensor of float32, float16 or bfloat16, got none`);
  }
  return { entries, others: file.tensors.filter((entry) => !isRight(entry)).map(({ name }) => name) };
}

/** Why a preset cannot be tried. */
function misfitOf(row: Preset, entries: readonly TensorEntry[]): string | undefined {
  const scheme = preset(row.name);
  if (scheme.parameters === 'given') return 'its parameters are given';
  if (scheme.parameters === 'range') return 'its range is given';
  for (const { name, shape } of entries) {
    const reason = misfit(() => gridOf(scheme, shape));
    if (reason !== undefined) return `tensor ${quoted(name)}: ${reason}`;
  }
  return undefined;
}

/** Why something does not fit; undefined where it does. */
function misfit(check: () => unknown): string | undefined {
  try {
    check();
  } catch (error) {
    const codes: readonly ErrorCode[] = ['ERR_QUANTLANE_SHAPE', 'ERR_QUANTLANE_DTYPE'];
    if (error instanceof QuantlaneError && codes.includes(error.code)) return error.message;
    throw error;
  }
  return undefined;
}

/** Tries a preset on every tensor. */
async function candidateOf(
  { name }: Preset,
  { file, label }: Source,
  entries: readonly TensorEntry[],
  budget: number,
  runtime: Runtime,
  options: PresetOptions | undefined,
  context: Context,
): Promise<Candidate> {
  const scheme = preset(name, options);
  const show = context.show && ((line: string) => context.show!(`${line}, ${name}`));
  const tensors: { name: string; sqnr: number }[] = [];
  let all: ErrorStatistics = NO_ERROR;
  for (const entry of entries) {
    context.signal.throwIfAborted();
    const job = { runtime, file, entry, grid: gridOf(scheme, entry.shape), given: undefined, sink: undefined };
    const stats = await triedOn({ ...job, context: { ...context, show } }).catch((error: unknown) => {
      throw located(error, placeOf(label, entry.name));
    });
    all = mergeStatistics(all, stats);
    tensors.push({ name: entry.name, sqnr: stats.sqnr });
  }
  const bytes = sum(entries.map(({ shape }) => storedBytes(scheme, shape)));
  const misses = tensors.filter(({ sqnr }) => !(sqnr >= budget)).sort((a, b) => a.sqnr - b.sqnr);
  return {
    name,
    bits: (bytes * 8) / sum(entries.map(({ shape }) => elementsOf(shape))),
    sqnr: all.sqnr,
    tensors,
    misses,
  };
}

/** The error statistics of a scheme on a tensor. */
async function triedOn(job: Omit<TensorJob, 'outliers'>): Promise<ErrorStatistics> {
  return quantizeTensor({ ...job, outliers: await outlierColumns(job) });
}

/** Everything that was found. */
interface Findings {
  readonly label: string;
  readonly budget: number;
  readonly top: number | undefined;
  /** The smallest first. */
  readonly candidates: readonly Candidate[];
  readonly skipped: readonly Skipped[];
  /** Tensors that cannot be quantized. */
  readonly others: readonly string[];
}

function reportOf(findings: Findings): Report {
  const { label, budget, top, candidates, skipped, others } = findings;
  const within = candidates.filter(({ misses }) => misses.length === 0);
  const [best] = within;
  // Where none is within, all may say how far they are from it.
  const shown = top === undefined || best === undefined ? candidates : within.slice(0, top);
  const lines = (title: string, all: readonly (readonly [string, string])[]): string[] =>
    all.length === 0 ? [] : ['', title, ...all.map(([name, text]) => cutTo(printable(`  ${name}: ${text}`), WIDTH))];
  const missing = shown.filter(({ misses }) => misses.length > 0);
  return {
    lines: [
      cutTo(printable(`${label}: every tensor at least ${budget} dB`), WIDTH),
      ...(best === undefined
        ? []
        : [`smallest: ${best.name}, ${bitsText(best.bits)} bits a value, ${decibelText(best.sqnr)} dB`]),
      '',
      ...table(['preset', 'bits', 'SQNR dB', 'worst dB', 'misses'], shown.map(cellsOf), 1),
      ...lines(
        'below the budget',
        missing.map(({ name, misses }) => [name, missesText(misses)]),
      ),
      ...lines(
        'not tried',
        skipped.map(({ name, reason }) => [name, reason]),
      ),
      ...lines(
        'not float',
        others.map((name) => [name, 'left out']),
      ),
    ],
    json: {
      command: 'recommend',
      file: label,
      budget,
      recommended: best?.name ?? null,
      presets: shown.map(jsonOf),
      skipped,
      leftOut: others,
    },
    problem: best === undefined ? nothingWithin(findings) : undefined,
  };
}

function cellsOf(candidate: Candidate): string[] {
  const { name, bits, sqnr, misses } = candidate;
  return [name, bitsText(bits), decibelText(sqnr), decibelText(worstOf(candidate)), String(misses.length)];
}

function jsonOf(candidate: Candidate): object {
  const numbers = (all: Candidate['tensors']) => all.map(({ name, sqnr }) => ({ name, sqnr: jsonNumber(sqnr) }));
  return {
    preset: candidate.name,
    bitsPerValue: candidate.bits,
    sqnr: jsonNumber(candidate.sqnr),
    worst: jsonNumber(worstOf(candidate)),
    meets: candidate.misses.length === 0,
    misses: numbers(candidate.misses),
    tensors: numbers(candidate.tensors),
  };
}

/** The failure to find any. */
function nothingWithin({ label, budget, candidates }: Findings): Error {
  const worst = candidates.map((candidate) => ({ name: candidate.name, sqnr: worstOf(candidate) }));
  const best = worst.reduce((a, b) => (b.sqnr > a.sqnr ? b : a), { name: 'none', sqnr: Number.NEGATIVE_INFINITY });
  const text = `${label}: Expected a preset of at least ${budget} dB, got at most ${decibelText(best.sqnr)} with ${best.name}`;
  return fail('ERR_QUANTLANE_PRESET', text);
}

/** SQNR of the worst tensor. */
function worstOf({ tensors }: Candidate): number {
  return tensors.reduce((least, { sqnr }) => Math.min(least, sqnr), Number.POSITIVE_INFINITY);
}

function missesText(misses: Candidate['misses']): string {
  return misses.map(({ name, sqnr }) => `${name} ${decibelText(sqnr)}`).join(', ');
}

function bitsText(bits: number): string {
  return String(Number(bits.toFixed(3)));
}
