/**
 * `quantlane compare`: how close the tensors of a file are to those of another.
 * @module
 */
import { type ArgsDef, defineCommand } from 'citty';
import { fail, QuantlaneError } from '../errors.js';
import { productOf } from '../numbers.js';
import { type Closeness, Comparison } from '../quality/index.js';
import { type Words, wordsOf } from './arguments.js';
import { type Context, Progress } from './context.js';
import { located, printable, quoted } from './failure.js';
import {
  cosineText,
  countText,
  cutTo,
  decibelText,
  jsonNumber,
  type Report,
  shapeText,
  table,
  valueText,
  WIDTH,
} from './report.js';
import { RUNTIME_ARGS, runtimeOptions, startRuntime } from './runtime-options.js';
import { pairsOf, type SideTensor, sideOf } from './side.js';
import { Sources } from './sources.js';

const args = {
  a: { type: 'positional', description: 'A file of tensors: what the others should be' },
  b: { type: 'positional', description: 'A file of tensors, or one that quantize wrote' },
  ...RUNTIME_ARGS,
} as const satisfies ArgsDef;

/** The command. */
export const compareCommand = defineCommand({
  meta: { name: 'compare', description: 'Tell how close tensors are to those of another file' },
  args,
  run: ({ args, data }) => compareFiles(args._, wordsOf(args), data as Context),
});

/** What became of a name: how close both are, or why they cannot be compared. */
type Outcome = { readonly name: string } & (
  | { readonly tensor: SideTensor; readonly other: SideTensor; readonly comparison: Comparison }
  | { readonly problem: QuantlaneError }
);

async function compareFiles(paths: readonly string[], words: Words, context: Context): Promise<Report> {
  const options = runtimeOptions(words);
  await using sources = await Sources.open(paths, context);
  await using runtime = await startRuntime(options);
  const [a, b] = sources.all.map((source) => sideOf(source, runtime, context)) as [Side, Side];
  const outcomes: Outcome[] = [];
  for (const [name, tensor, other] of matched(a, b)) outcomes.push(await outcomeOf(name, tensor, other, context));
  const [labelA, labelB] = sources.all.map(({ label }) => label) as [string, string];
  return reportOf(labelA, labelB, outcomes);
}

type Side = Map<string, SideTensor>;

/** Tensors of one name; of files with one tensor each those two, whatever they are called. */
function matched(a: Side, b: Side): [string, SideTensor | undefined, SideTensor | undefined][] {
  if (a.size === 1 && b.size === 1) {
    const [[tensor], [other]] = [[...a.values()], [...b.values()]];
    return [[tensor!.name, tensor, other]];
  }
  const names = [...new Set([...a.keys(), ...b.keys()])];
  return names.map((name) => [name, a.get(name), b.get(name)]);
}

async function outcomeOf(
  name: string,
  tensor: SideTensor | undefined,
  other: SideTensor | undefined,
  { show, signal }: Context,
): Promise<Outcome> {
  try {
    if (tensor === undefined) throw fail('ERR_QUANTLANE_ARGUMENT', 'Expected it in both files, got it in B only');
    if (other === undefined) throw fail('ERR_QUANTLANE_ARGUMENT', 'Expected it in both files, got it in A only');
    if (tensor.shape.join() !== other.shape.join()) {
      throw fail(
        'ERR_QUANTLANE_SHAPE',
        `Expected shape ${shapeText(tensor.shape)} as in A, got ${shapeText(other.shape)}`,
      );
    }
    const comparison = new Comparison();
    const progress = new Progress(show, name, productOf(tensor.shape));
    for await (const [values, others] of pairsOf(tensor.values(), other.values())) {
      signal.throwIfAborted();
      comparison.add(values, others);
      progress.add(values.length);
    }
    return { name, tensor, other, comparison };
  } catch (error) {
    const problem = located(error, `tensor ${quoted(name)}`);
    if (problem instanceof QuantlaneError && COMPARABLE.includes(problem.code)) return { name, problem };
    throw problem;
  }
}

/** Errors of one tensor, after which others are compared. */
const COMPARABLE: readonly string[] = ['ERR_QUANTLANE_ARGUMENT', 'ERR_QUANTLANE_SHAPE', 'ERR_QUANTLANE_DTYPE'];

function reportOf(a: string, b: string, outcomes: readonly Outcome[]): Report {
  const total = new Comparison();
  const rows: string[][] = [];
  const problems: QuantlaneError[] = [];
  const tensors = outcomes.map((outcome): object => {
    const { name } = outcome;
    if ('problem' in outcome) {
      problems.push(outcome.problem);
      return { name, problem: outcome.problem.message, code: outcome.problem.code };
    }
    const { comparison, tensor, other } = outcome;
    const closeness = comparison.total();
    total.merge(comparison);
    rows.push([name, shapeText(tensor.shape), ...cellsOf(closeness)]);
    return { name, shape: tensor.shape, a: tensor.kind, b: other.kind, ...jsonOf(closeness) };
  });
  const all = total.total();
  if (rows.length !== 1) rows.push(['total', '', ...cellsOf(all)]);
  const head = ['tensor', 'shape', 'elements', 'SQNR dB', 'cosine', 'max error'];
  const count = problems.length;
  return {
    lines: [
      cutTo(printable(`${b} against ${a}`), WIDTH),
      '',
      ...table(head, rows, 2),
      ...(count > 0 ? ['', ...problems.map(({ message }) => cutTo(printable(message), WIDTH))] : []),
    ],
    json: { command: 'compare', a, b, tensors, total: jsonOf(all) },
    problem:
      count === 0
        ? undefined
        : fail(problems[0]!.code, `${count} of ${outcomes.length} tensors cannot be compared: ${problems[0]!.message}`),
  };
}

function cellsOf({ elements, sqnr, cosine, maxError }: Closeness): string[] {
  return [countText(elements), decibelText(sqnr), cosineText(cosine), valueText(maxError)];
}

function jsonOf({ elements, skipped, sqnr, cosine, maxError }: Closeness): object {
  return { elements, skipped, sqnr: jsonNumber(sqnr), cosine: jsonNumber(cosine), maxError: jsonNumber(maxError) };
}
