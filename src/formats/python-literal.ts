/**
 * A strict reader for the one kind of Python literal that an npy header holds: a dict from names to a string, a
 * truth value or a tuple of non-negative integers.
 * @module
 */

import { quote, refuse } from './refusals.js';

/** A value of the dict. */
export type PythonValue = string | boolean | readonly number[];

/** Where the reader is in the text. */
interface Cursor {
  readonly text: string;
  /** Index of the next character. */
  at: number;
  /** The file's path, for messages. */
  readonly where: string;
}

const SPACE = ' \t\n\r\f';

/**
 * The entries of a dict literal; `{}` has none. Only white space may stand around it.
 * @param text - the literal
 * @param where - the file's path, or what was parsed, for messages
 * @throws `ERR_QUANTLANE_FORMAT` for anything else: other syntax, a repeated key, escapes, negative numbers.
 */
export function parsePythonDict(text: string, where: string): Map<string, PythonValue> {
  const cursor: Cursor = { text, at: 0, where };
  const entries = new Map<string, PythonValue>();
  expect(cursor, '{');
  while (!take(cursor, '}')) {
    const key = readString(cursor);
    if (entries.has(key)) throw refuse(where, `Expected each key once in the header, got ${quote(key)} twice`);
    expect(cursor, ':');
    entries.set(key, readValue(cursor));
    if (!take(cursor, ',')) {
      expect(cursor, '}');
      break;
    }
  }
  skipSpace(cursor);
  if (cursor.at < text.length) throw unexpected(cursor, 'the end of the header');
  return entries;
}

/** One value: a string, `True`, `False` or a tuple. */
function readValue(cursor: Cursor): PythonValue {
  skipSpace(cursor);
  const { text, at } = cursor;
  if (text[at] === '(') return readTuple(cursor);
  if (text[at] === "'" || text[at] === '"') return readString(cursor);
  for (const [word, value] of [
    ['True', true],
    ['False', false],
  ] as const) {
    if (!text.startsWith(word, at)) continue;
    cursor.at += word.length;
    return value;
  }
  throw unexpected(cursor, 'a string, True, False or a tuple');
}

/** A string in single or double quotes. A backslash is refused: no header needs one. */
function readString(cursor: Cursor): string {
  skipSpace(cursor);
  const { text, at } = cursor;
  const mark = text[at];
  if (mark !== "'" && mark !== '"') throw unexpected(cursor, 'a string in quotes');
  const end = text.indexOf(mark, at + 1);
  if (end < 0) throw refuse(cursor.where, `Expected a closing quote in the header, got none after position ${at}`);
  const value = text.slice(at + 1, end);
  if (/[\\\n\r]/.test(value)) throw refuse(cursor.where, `Expected a plain string in the header, got ${quote(value)}`);
  cursor.at = end + 1;
  return value;
}

/** A tuple `()`, `(3,)`, `(3, 4)` or `(3, 4,)`. `(3)` is refused: in Python it is a number. */
function readTuple(cursor: Cursor): number[] {
  const numbers: number[] = [];
  expect(cursor, '(');
  while (!take(cursor, ')')) {
    numbers.push(readInteger(cursor));
    if (take(cursor, ',')) continue;
    if (numbers.length === 1) throw unexpected(cursor, "',' after the only number of a tuple");
    expect(cursor, ')');
    break;
  }
  return numbers;
}

/** A decimal integer from 0 to 2^53 - 1, with no leading zero. */
function readInteger(cursor: Cursor): number {
  skipSpace(cursor);
  const { text, at } = cursor;
  let end = at;
  while (end < text.length && text[end] >= '0' && text[end] <= '9') end += 1;
  const digits = text.slice(at, end);
  if (digits === '') throw unexpected(cursor, 'an integer from 0');
  if (digits.length > 1 && digits[0] === '0') throw unexpected(cursor, 'an integer with no leading zero');
  const value = Number(digits);
  if (!Number.isSafeInteger(value))
    throw refuse(cursor.where, `Expected integers below 2^53, got ${digits.slice(0, 40)}`);
  cursor.at = end;
  return value;
}

/** Passes white space, then `mark` if it is next; says whether it was. */
function take(cursor: Cursor, mark: string): boolean {
  skipSpace(cursor);
  if (cursor.text[cursor.at] !== mark) return false;
  cursor.at += 1;
  return true;
}

/** Passes white space and `mark`, or fails. */
function expect(cursor: Cursor, mark: string): void {
  if (!take(cursor, mark)) throw unexpected(cursor, `'${mark}'`);
}

/** Passes white space, if any. */
function skipSpace(cursor: Cursor): void {
  while (cursor.at < cursor.text.length && SPACE.includes(cursor.text[cursor.at])) cursor.at += 1;
}

/** The error for a wrong next character. */
function unexpected({ text, at, where }: Cursor, wanted: string): Error {
  const found = at < text.length ? quote(text.slice(at, at + 16)) : 'the end of the header';
  return refuse(where, `Expected ${wanted} at position ${at} of the header, got ${found}`);
}
