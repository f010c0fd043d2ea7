/**
 * The typed values that a GGUF file keeps beside its tensors: numbers, truth values, texts and lists of one type.
 * @module
 */

import { fail } from '../errors.js';
import type { ByteWriter } from './byte-writer.js';
import { type GgufCursor, LIST_COST } from './gguf-cursor.js';
import { describe, quote, refuse } from './refusals.js';
import { isWellFormed } from './tensor-file.js';

/** A type of a value that JavaScript holds as a number. */
export type GgufNumberType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64';

/** The name of a value's type. */
export type GgufValueType = GgufNumberType | 'uint64' | 'int64' | 'bool' | 'string' | 'array';

/** One value with its type. */
export type GgufValue =
  | { readonly type: GgufNumberType; readonly value: number }
  | { readonly type: 'uint64' | 'int64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | GgufArray;

/** A list whose elements have one type. */
export interface GgufArray {
  readonly type: 'array';
  /** Type of the elements. */
  readonly of: GgufValueType;
  /** The elements; lists in a list name the type of their own elements. */
  readonly value: readonly (number | bigint | boolean | string | GgufArray)[];
}

/** Values by key; it has no prototype. */
export type GgufValues = Readonly<Record<string, GgufValue>>;

/** Lists may stand in lists so deep; ggml itself has no lists in lists. */
const MAX_DEPTH = 4;

/** The types in the order of their numbers in a file, with the fewest bytes of a value. */
const TYPES: readonly (readonly [GgufValueType, number])[] = [
  ['uint8', 1],
  ['int8', 1],
  ['uint16', 2],
  ['int16', 2],
  ['uint32', 4],
  ['int32', 4],
  ['float32', 4],
  ['bool', 1],
  ['string', 8],
  ['array', 12],
  ['uint64', 8],
  ['int64', 8],
  ['float64', 8],
];

/** The smallest and the largest integer of a type. */
const RANGES: ReadonlyMap<GgufValueType, readonly [number | bigint, number | bigint]> = new Map<
  GgufValueType,
  [number | bigint, number | bigint]
>([
  ['uint8', [0, 0xff]],
  ['int8', [-0x80, 0x7f]],
  ['uint16', [0, 0xffff]],
  ['int16', [-0x8000, 0x7fff]],
  ['uint32', [0, 0xffffffff]],
  ['int32', [-0x80000000, 0x7fffffff]],
  ['uint64', [0n, 2n ** 64n - 1n]],
  ['int64', [-(2n ** 63n), 2n ** 63n - 1n]],
]);

/**
 * Reads a value with its type before it.
 * @param key - whose value it is, for messages
 * @throws `ERR_QUANTLANE_FORMAT` for an unknown type, lists that are too deep or too long, or a file that ends.
 */
export function readGgufValue(cursor: GgufCursor, key: string): GgufValue {
  const type = readType(cursor, key);
  if (type === 'array') return readArray(cursor, key, 1);
  return { type, value: readElement(cursor, type, key, 0) } as GgufValue;
}

/**
 * Appends a value with its type before it.
 * @param key - whose value it is, for messages
 * @throws `ERR_QUANTLANE_ARGUMENT` when the value is not of its type, or lists are too deep or too long.
 */
export function writeGgufValue(writer: ByteWriter, key: string, value: GgufValue): void {
  const type = (value as GgufValue | null | undefined)?.type;
  writer.u32(typeNumber(type, key));
  if (type === 'array') writeArray(writer, key, value as GgufArray, 1);
  else writeElement(writer, key, type as GgufValueType, value.value, 0);
}

/** How much a value counts towards the most values of all lists together; 0 for a value that is no list. */
export function ggufListCost(value: GgufValue): number {
  if (value.type !== 'array') return 0;
  const nested = value.of === 'array' ? (value.value as readonly GgufArray[]) : [];
  return nested.reduce((cost, list) => cost + ggufListCost(list), value.value.length + LIST_COST);
}

/** A value as text, or undefined for a list. */
export function ggufText({ type, value }: GgufValue): string | undefined {
  return type === 'array' ? undefined : String(value);
}

/** The next type. */
function readType(cursor: GgufCursor, key: string): GgufValueType {
  const number = cursor.u32();
  const type = TYPES[number]?.[0];
  if (type !== undefined) return type;
  throw refuse(
    cursor.where,
    `Expected a value type from 0 to ${TYPES.length - 1} for ${quote(key)} at byte ${cursor.at - 4}, got ${number}`,
  );
}

/** The next list. @param depth - 1 for a list in no list */
function readArray(cursor: GgufCursor, key: string, depth: number): GgufArray {
  if (depth > MAX_DEPTH) {
    throw refuse(
      cursor.where,
      `Expected at most ${MAX_DEPTH} lists in each other for ${quote(key)} at byte ${cursor.at}, got more`,
    );
  }
  const of = readType(cursor, key);
  const count = cursor.count(`a length of the list ${quote(key)}`);
  cursor.list(count, bytesOf(of));
  const value = Array.from({ length: count }, () => readElement(cursor, of, key, depth));
  return { type: 'array', of, value };
}

/** The next value of a type. */
function readElement(
  cursor: GgufCursor,
  type: GgufValueType,
  key: string,
  depth: number,
): number | bigint | boolean | string | GgufArray {
  switch (type) {
    case 'string':
      return cursor.text();
    case 'float32':
      return cursor.f32();
    case 'float64':
      return cursor.f64();
    case 'uint64':
      return cursor.u64();
    case 'int64':
      return cursor.i64();
    case 'array':
      return readArray(cursor, key, depth + 1);
    case 'bool': {
      const byte = cursor.integer(1);
      if (byte <= 1) return byte === 1;
      throw refuse(cursor.where, `Expected 0 or 1 for ${quote(key)} at byte ${cursor.at - 1}, got ${byte}`);
    }
    default:
      return cursor.integer(bytesOf(type), type.startsWith('int'));
  }
}

/** Appends a list, without the type that says that it is one. */
function writeArray(writer: ByteWriter, key: string, list: GgufArray, depth: number): void {
  const { of, value } = list;
  if (depth > MAX_DEPTH) throw wrong(`at most ${MAX_DEPTH} lists in each other`, key, value);
  if (!Array.isArray(value)) throw wrong('a list', key, value);
  writer.u32(typeNumber(of, key)).u64(value.length);
  for (const element of value) writeElement(writer, key, of, element, depth);
}

/** Appends a value of a type. */
function writeElement(writer: ByteWriter, key: string, type: GgufValueType, value: unknown, depth: number): void {
  const range = RANGES.get(type);
  if (range !== undefined) {
    const whole = typeof value === typeof range[0] && (typeof value === 'bigint' || Number.isInteger(value));
    if (!whole || (value as number) < range[0] || (value as number) > range[1]) throw wrong(type, key, value);
    if (typeof value === 'bigint') writer.u64(value);
    else writer.integer(value as number, bytesOf(type));
  } else if (type === 'array') {
    if ((value as GgufArray | null | undefined)?.type !== 'array') throw wrong('a list', key, value);
    writeArray(writer, key, value as GgufArray, depth + 1);
  } else if (type === 'string') {
    if (typeof value !== 'string' || !isWellFormed(value)) throw wrong('text', key, value);
    writeGgufText(writer, value);
  } else if (type === 'bool') {
    if (typeof value !== 'boolean') throw wrong('true or false', key, value);
    writer.integer(value ? 1 : 0, 1);
  } else {
    if (typeof value !== 'number') throw wrong('a number', key, value);
    if (type === 'float32') writer.f32(value);
    else writer.f64(value);
  }
}

/** Appends a text with its length in bytes before it. */
export function writeGgufText(writer: ByteWriter, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  writer.u64(bytes.length).bytes(bytes);
}

/** The number of a type in a file. */
function typeNumber(type: unknown, key: string): number {
  const number = TYPES.findIndex(([name]) => name === type);
  if (number < 0) throw wrong(`one of the types ${TYPES.map(([name]) => name).join(', ')}`, key, type);
  return number;
}

/** The fewest bytes of a value of a type; all of them for numbers. */
function bytesOf(type: GgufValueType): number {
  return TYPES.find(([name]) => name === type)![1];
}

/** The error for a value that its type cannot hold. */
function wrong(expected: string, key: string, value: unknown): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', `Expected ${expected} for ${quote(key)}, got ${describe(value)}`);
}
