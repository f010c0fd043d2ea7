/**
 * What a command says when it is done, and the tables and numbers in it.
 * @module
 */
import { printable } from './failure.js';

/** What a command has to say: lines for people, one object for programs. */
export interface Report {
  readonly lines: readonly string[];
  readonly json: object;
  /** What the command could not do; it fails with this after its report. */
  readonly problem?: Error | undefined;
}

/** Columns of a terminal. */
export const WIDTH = 80;

/** Characters that a column keeps when a table is too wide. */
const LEAST = 8;
/** Width of the first column where its texts stand on lines of their own. */
const INDENT = 2;

/**
 * Rows below a head, in at most 80 columns. Where they do not fit, the first cell of each row goes on a line of its own;
 * where that is not enough, text columns are cut.
 * @param head titles; `left` of them are text, flush left, the others numbers, flush right
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[], left: number): string[] {
  const all = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, column) => Math.max(...all.map((row) => lengthOf(row[column]!))));
  const excess = () => widths.reduce((sum, width) => sum + width + 1, -1) - WIDTH;
  const isSplit = left > 0 && excess() > 0;
  if (isSplit) widths[0] = INDENT;
  for (let column = isSplit ? 1 : 0; column < left && excess() > 0; column++) {
    widths[column]! -= Math.min(excess(), Math.max(widths[column]! - LEAST, 0));
  }
  return all.flatMap((row) => {
    const cells = isSplit ? ['', ...row.slice(1)] : row;
    const line = cells
      .map((cell, column) => padded(cell, widths[column]!, column < left))
      .join(' ')
      .trimEnd();
    return isSplit ? [cutTo(row[0]!, WIDTH), line] : [line];
  });
}

/** A text cut to a width, its end replaced by `…`. */
export function cutTo(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}

/** `[2, 3]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** A count in at most six characters: `999`, `1.23k`, `67.1M`. */
export function countText(count: number): string {
  return scaled(count, 1000, ['', 'k', 'M', 'G', 'T', 'P']);
}

/** Bytes in at most nine characters: `34 B`, `1.5 KiB`, `64 MiB`. */
export function bytesText(bytes: number): string {
  return scaled(bytes, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB']);
}

/** A value in three significant digits. */
export function valueText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

/** A ratio in dB, in at most seven characters; `exact` without noise. */
export function decibelText(ratio: number): string {
  return ratio === Number.POSITIVE_INFINITY ? 'exact' : ratio.toFixed(2);
}

/** A cosine, in at most nine characters. */
export function cosineText(cosine: number): string {
  return String(Number(cosine.toFixed(6)));
}

/** A share in percent, in three significant digits. */
export function shareText(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

/** What JSON has no number for becomes null. */
export function jsonNumber(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  while (Math.round(rest) >= step && unit < units.length - 1) {
    rest /= step;
    unit++;
  }
  const digits = unit === 0 ? rest : Number(rest.toPrecision(rest >= 1000 ? 4 : 3));
  return `${digits}${units[unit]}`;
}

function padded(cell: string, width: number, isLeft: boolean): string {
  const text = cutTo(cell, width);
  const space = ' '.repeat(width - lengthOf(text));
  return isLeft ? text + space : space + text;
}

function lengthOf(text: string): number {
  return [...text].length;
}
