/**
 * What became of each tensor of a command, and of all of them.
 * @module
 */
import { type ErrorStatistics, mergeStatistics, NO_ERROR } from '../runtime/index.js';
import { bytesText, countText, decibelText, jsonNumber, type Report, shapeText, table, valueText } from './report.js';

/** What became of a tensor. */
export interface Row {
  readonly name: string;
  /** The file that it is from. */
  readonly file: string;
  readonly shape: readonly number[];
  /** Type of the values. */
  readonly dtype: string;
  readonly preset: string;
  readonly elements: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly seconds: number;
  /** Absent where nothing is lost. */
  readonly stats?: ErrorStatistics;
}

type Total = Pick<Row, 'elements' | 'bytesIn' | 'bytesOut' | 'seconds' | 'stats'>;

const SIZES = ['elements', 'in', 'out'];
const ERRORS = ['SQNR dB', 'max error', 'saturated'];

/** The report of a command: a table with a row a tensor and one of all, or an object with the same. */
export function summary(command: string, title: string, facts: object, rows: readonly Row[]): Report {
  const total = totalOf(rows);
  const hasErrors = rows.some(({ stats }) => stats !== undefined);
  const head = ['tensor', 'shape', ...SIZES, ...(hasErrors ? ERRORS : []), 'per s'];
  const cells = rows.map((row) => [row.name, shapeText(row.shape), ...numbersOf(row)]);
  if (rows.length !== 1) cells.push(['total', '', ...numbersOf(total)]);
  return {
    lines: [title, '', ...table(head, cells, 2)],
    json: { command, ...facts, tensors: rows.map(jsonOf), total: jsonOf(total) },
  };
}

/** The sum of numbers. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function totalOf(rows: readonly Row[]): Total {
  const add = (key: 'elements' | 'bytesIn' | 'bytesOut' | 'seconds'): number => sum(rows.map((row) => row[key]));
  const stats = rows.flatMap((row) => row.stats ?? []);
  return {
    elements: add('elements'),
    bytesIn: add('bytesIn'),
    bytesOut: add('bytesOut'),
    seconds: add('seconds'),
    ...(stats.length > 0 && { stats: stats.reduce(mergeStatistics, NO_ERROR) }),
  };
}

function numbersOf({ elements, bytesIn, bytesOut, seconds, stats }: Total): string[] {
  return [
    countText(elements),
    bytesText(bytesIn),
    bytesText(bytesOut),
    ...(stats === undefined ? [] : [decibelText(stats.sqnr), valueText(stats.maxError), countText(stats.saturated)]),
    countText(rateOf(elements, seconds)),
  ];
}

function jsonOf<T extends Total>({ stats, seconds, ...facts }: T): object {
  return {
    ...facts,
    ...(stats !== undefined && {
      sqnr: jsonNumber(stats.sqnr),
      maxError: jsonNumber(stats.maxError),
      saturated: stats.saturated,
    }),
    seconds: Number(seconds.toFixed(6)),
    elementsPerSecond: rateOf(facts.elements, seconds),
  };
}

function rateOf(elements: number, seconds: number): number {
  return seconds > 0 ? Math.round(elements / seconds) : 0;
}
