/**
 * What the example tells: the table with its notes, and the same for machines.
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { TensorFile } from '../src/formats/index.js';
import { preset, type RuntimeMetrics } from '../src/index.js';
import { BLOCK_FORMATS } from '../src/scheme/index.js';
import type { Totals } from './account.js';
import { type Column, shortCount, shortNumber, table, wrap } from './table.js';
import type { TokenTensor } from './tokens.js';

/** A preset that does not take these tokens, and why. */
export interface Skipped {
  readonly preset: string;
  readonly reason: string;
}

/** All that was found out. */
export interface Findings {
  readonly file: TensorFile;
  readonly tensors: readonly TokenTensor[];
  readonly metrics: RuntimeMetrics;
  readonly totals: readonly Totals[];
  readonly skipped: readonly Skipped[];
}

const COLUMNS: readonly Column<Totals>[] = [
  { head: ['preset', ''], cell: ({ preset }) => preset },
  { head: ['tokens', ''], cell: ({ tokens }) => shortCount(tokens) },
  { head: ['elem.', ''], cell: ({ elements }) => shortCount(elements) },
  { head: ['bytes', 'in'], cell: ({ bytesIn }) => shortCount(bytesIn) },
  { head: ['bytes', 'out'], cell: ({ bytesOut }) => shortCount(bytesOut) },
  { head: ['SQNR', 'dB'], cell: ({ sqnr }) => (sqnr === null ? 'exact' : sqnr.toFixed(1)) },
  { head: ['largest', 'error'], cell: ({ maxError }) => shortNumber(maxError) },
  { head: ['satu-', 'rated'], cell: ({ saturated }) => shortCount(saturated) },
  { head: ['elem.', '/s'], cell: ({ elementsPerSecond }) => shortCount(elementsPerSecond) },
  { head: ['copied', 'bytes'], cell: ({ copiedBytes }) => shortCount(copiedBytes) },
];

const ONE_TOKEN =
  'A batch is one token: a row of the last axis of a tensor. A preset with one range for the whole batch, such as ' +
  'onnx-dynamic, therefore has one for each token here.';

const STATIC =
  'Presets whose scale and zero point, or whose range, are given, such as onnx-static, get those of the smallest and ' +
  'the largest value of each tensor, from a pass over the file before.';

const UNSCALED =
  'Presets of embeddings such as st-binary keep the direction of a row and not its length, so that their SQNR and ' +
  'largest error say nothing of how well they search.';

const CLOCK =
  'elem./s is wall time with error statistics, from tokens in shared memory to results given back. Reading the file ' +
  'into shared memory is not in it.';

/** The findings as text of at most 80 columns. */
export function textOf({ file, tensors, metrics, totals, skipped }: Findings): string {
  const left = file.tensors.length - tensors.length;
  const lines = [
    basename(file.path),
    `tensors: ${tensors.length}${left > 0 ? `, and ${left} left out that hold no floats` : ''}`,
    `Node ${process.versions.node}, lanes: ${metrics.lanes.configured}`,
    '',
    table(COLUMNS, totals),
    '',
    ...wrap(ONE_TOKEN),
  ];
  if (totals.some(({ preset: name }) => preset(name).parameters === 'given')) lines.push(...wrap(STATIC));
  if (totals.some(({ preset: name }) => isUnscaled(name))) lines.push(...wrap(UNSCALED));
  lines.push(...wrap(CLOCK));
  for (const { preset: name, reason } of skipped) lines.push(...wrap(`${name} is left out: ${reason}`));
  return lines.join('\n');
}

/** Whether a preset keeps only the direction of a row. */
function isUnscaled(name: string): boolean {
  const { format } = preset(name);
  return format !== null && BLOCK_FORMATS[format].unscaled;
}

/** Writes the findings as JSON, and its folder where that is missing. */
export async function writeJson(path: string, { file, tensors, metrics, totals, skipped }: Findings): Promise<void> {
  const found = {
    file: basename(file.path),
    node: process.versions.node,
    lanes: metrics.lanes.configured,
    tensors: tensors.map(({ entry, tokens, columns }) => ({ name: entry.name, dtype: entry.dtype, tokens, columns })),
    presets: totals,
    skipped,
  };
  // Where that fails, the next line says why.
  await mkdir(dirname(path)).catch(() => undefined);
  await writeFile(path, `${JSON.stringify(found, null, 2)}\n`);
}
