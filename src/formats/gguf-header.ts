/**
 * The header of a GGUF file: values by key, then the tensors with their types, shapes and places.
 *
 * ```text
 * 'GGUF' | version, u32 | tensors, u64 | values, u64
 * each value:  key | type, u32 | value
 * each tensor: name | dimensions, u32 | each dimension, u64, the fastest first | type, u32 | offset, u64
 * zeros up to the alignment | data: each tensor at its offset from here, a multiple of the alignment
 * ```
 * @module
 */

import { fail } from '../errors.js';
import { isCount } from '../numbers.js';
import { ByteWriter } from './byte-writer.js';
import { GGML_TYPES, type GgmlTypeName, ggmlProblem, ggmlTensor, ggmlTypeOf } from './ggml-types.js';
import { GgufCursor, MAX_HEADER, MAX_VALUES } from './gguf-cursor.js';
import {
  type GgufValue,
  type GgufValues,
  ggufListCost,
  ggufText,
  readGgufValue,
  writeGgufText,
  writeGgufValue,
} from './gguf-values.js';
import { describe, quote, refuse, truncated } from './refusals.js';
import { isWellFormed, type TensorEntry } from './tensor-file.js';
import type { TensorLayout } from './tensor-reader.js';

/** A tensor that is to be written to a GGUF file. */
export interface GgufDeclaration {
  /** Unique in its file, of 1 to 63 bytes. */
  readonly name: string;
  /** Type of ggml, such as `F32` or `Q4_0`. */
  readonly type: GgmlTypeName;
  /** At most four dimensions in elements, the slowest first; the last is a multiple of the type's block. */
  readonly shape: readonly number[];
}

/** What a GGUF header says. */
export interface GgufHeader extends TensorLayout {
  readonly version: number;
  /** Every tensor begins at a multiple of so many bytes from the beginning of the data. */
  readonly alignment: number;
  readonly values: GgufValues;
}

/** First bytes of every GGUF file. */
const MAGIC: readonly number[] = [0x47, 0x47, 0x55, 0x46];

/** The version that is written. */
const VERSION = 3;

/** The key of the alignment, a uint32, and what it is when the key is not there. */
const ALIGNMENT_KEY = 'general.alignment';
const DEFAULT_ALIGNMENT = 32;

/** The most values, and the most tensors. */
const MAX_KEYS = 2 ** 16;
const MAX_TENSORS = 2 ** 17;

/** The fewest bytes of a value with its key, and of a tensor. */
const VALUE_BYTES = 8 + 1 + 4 + 1;
const TENSOR_BYTES = 8 + 1 + 4 + 4 + 8;

/** The most bytes of a key or name that is read, and of a tensor's name that ggml takes. */
const MAX_NAME = 2 ** 16 - 1;
const MAX_GGML_NAME = 63;

const MAX_GGML_DIMENSIONS = 4;

/** Whether the bytes begin as a GGUF file does; false for too few bytes. */
export function isGguf(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * Parses the header at the beginning of `bytes`; bytes after it are not looked at.
 * @param bytes - the beginning of the file
 * @param fileSize - bytes of the whole file
 * @param where - the file's path, for messages
 * @returns the tensors in the order of their bytes, with absolute offsets
 * @throws `ERR_QUANTLANE_FORMAT` for anything that the format forbids, `NeedsBytes` when the header goes on after
 *   `bytes`.
 */
export function parseGgufHeader(bytes: Uint8Array, fileSize: number, where = 'gguf header'): GgufHeader {
  if (!isGguf(bytes)) throw refuse(where, "Expected a GGUF file, which begins with 'GGUF', got other bytes");
  const cursor = new GgufCursor(bytes, fileSize, where);
  cursor.u32();
  const version = parseVersion(cursor);
  const tensorCount = parseCount(cursor, 'tensors', MAX_TENSORS, TENSOR_BYTES);
  const valueCount = parseCount(cursor, 'values', MAX_KEYS, VALUE_BYTES);
  const values = parseValues(cursor, valueCount);
  const alignment = alignmentOf(values);
  if (alignment === undefined) {
    throw refuse(
      where,
      `Expected ${ALIGNMENT_KEY} to be a power of two as uint32, got ${shown(values[ALIGNMENT_KEY])}`,
    );
  }
  const relative = parseTensors(cursor, tensorCount, alignment);
  const dataBegin = roundUp(cursor.at, alignment);
  const tensors = relative.map((entry) => Object.freeze({ ...entry, offset: dataBegin + entry.offset }));
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkPlaces(tensors, dataBegin, fileSize, where);
  return { version, alignment, values, tensors: Object.freeze(tensors), metadata: textsOf(values) };
}

/**
 * The bytes before the data, where each tensor goes, and how long the file is.
 * @param tensors - laid out in the given order, each at the next multiple of the alignment
 * @param values - written in their order; `general.alignment` is 32 unless it is among them
 * @returns `size`: bytes of the whole file, with zeros after the last tensor up to the alignment
 * @throws `ERR_QUANTLANE_ARGUMENT` for a bad or repeated name or a bad value, `ERR_QUANTLANE_DTYPE`,
 *   `ERR_QUANTLANE_SHAPE`.
 */
export function ggufHeader(
  tensors: readonly GgufDeclaration[],
  values: GgufValues = {},
): { bytes: Uint8Array; entries: TensorEntry[]; size: number } {
  const alignment = alignmentOf(values);
  if (alignment === undefined) {
    throw argument(`Expected ${ALIGNMENT_KEY} to be a power of two as uint32, got ${shown(values[ALIGNMENT_KEY])}`);
  }
  const keys = Object.keys(values);
  if (tensors.length > MAX_TENSORS || keys.length > MAX_KEYS) {
    throw argument(
      `Expected at most ${MAX_TENSORS} tensors and ${MAX_KEYS} values, got ${tensors.length} and ${keys.length}`,
    );
  }
  const writer = new ByteWriter().bytes(Uint8Array.from(MAGIC)).u32(VERSION).u64(tensors.length, keys.length);
  for (const key of keys) {
    checkName(key, 'a key', MAX_NAME);
    writeGgufText(writer, key);
    writeGgufValue(writer, key, values[key]);
  }
  const names = new Set<string>();
  let end = 0;
  const relative = tensors.map((declaration) => {
    checkName(declaration.name, 'a tensor name', MAX_GGML_NAME);
    if (names.has(declaration.name)) throw argument(`Expected a new name, got ${quote(declaration.name)} again`);
    names.add(declaration.name);
    const entry = { ...writeTensor(writer, declaration, end), offset: end };
    end = roundUp(end + entry.byteLength, alignment);
    return entry;
  });
  const bytes = writer.align(alignment).finish();
  checkSize(bytes.length, end, values);
  const entries = relative.map((entry) => ({ ...entry, offset: bytes.length + entry.offset }));
  return { bytes, entries, size: bytes.length + end };
}

/** The version: 2 or 3, little-endian. */
function parseVersion(cursor: GgufCursor): number {
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  const fault = version > 0 && version % 2 ** 16 === 0 ? 'a big-endian file' : String(version);
  throw refuse(cursor.where, `Expected GGUF version 2 or 3, little-endian, got ${fault}`);
}

/** A count of the header, of which the file must have the bytes. */
function parseCount(cursor: GgufCursor, what: string, limit: number, bytes: number): number {
  const count = cursor.count(`a number of ${what}`);
  if (count > limit) throw refuse(cursor.where, `Expected at most ${limit} ${what}, got ${count}`);
  if (cursor.at + count * bytes > cursor.fileSize)
    throw truncated(cursor.where, cursor.at + count * bytes, cursor.fileSize);
  return count;
}

/** The values by key, each key once. */
function parseValues(cursor: GgufCursor, count: number): GgufValues {
  const values: Record<string, GgufValue> = Object.create(null);
  for (let index = 0; index < count; index += 1) {
    const key = cursor.name('a key', MAX_NAME);
    if (key in values) throw refuse(cursor.where, `Expected each key once, got ${quote(key)} twice`);
    values[key] = readGgufValue(cursor, key);
  }
  return Object.freeze(values);
}

/** The tensors, each name once, with offsets from the beginning of the data. */
function parseTensors(cursor: GgufCursor, count: number, alignment: number): TensorEntry[] {
  const names = new Set<string>();
  return Array.from({ length: count }, () => {
    const name = cursor.name('a tensor name', MAX_NAME);
    if (names.has(name)) throw refuse(cursor.where, `Expected each tensor name once, got ${quote(name)} twice`);
    names.add(name);
    return parseTensor(cursor, name, alignment);
  });
}

/** One tensor after its name. */
function parseTensor(cursor: GgufCursor, name: string, alignment: number): TensorEntry {
  const { where } = cursor;
  const who = `tensor ${quote(name)}`;
  const rank = cursor.u32();
  if (rank > MAX_GGML_DIMENSIONS) {
    throw refuse(where, `Expected at most ${MAX_GGML_DIMENSIONS} dimensions for ${who}, got ${rank}`);
  }
  const shape = Array.from({ length: rank }, () => cursor.count(`a dimension of ${who}`)).reverse();
  const id = cursor.u32();
  const type = ggmlTypeOf(id);
  if (type === undefined) throw refuse(where, `Expected ${who} to have a type that ggml has, got the number ${id}`);
  const problem = ggmlProblem(type, shape);
  if (problem !== undefined) throw refuse(where, `${problem} in ${who}`);
  const offset = cursor.count(`an offset of ${who}`);
  if (offset % alignment === 0) return { name, ...ggmlTensor(type, shape), offset };
  throw refuse(where, `Expected the offset of ${who} to be a multiple of ${alignment}, got ${offset}`);
}

/** Checks that the sorted tensors lie inside the file and do not overlap; there may be bytes that belong to none. */
function checkPlaces(tensors: readonly TensorEntry[], dataBegin: number, fileSize: number, where: string): void {
  let cursor = dataBegin;
  for (const { name, offset, byteLength } of tensors) {
    if (offset < cursor) {
      throw refuse(
        where,
        `Expected tensor ${quote(name)} to begin at byte ${cursor} of the file or later, got ${offset}: an overlap`,
      );
    }
    cursor = offset + byteLength;
    if (cursor > fileSize) throw truncated(where, cursor, fileSize);
  }
}

/** Appends one tensor and gives its entry, without a place. */
function writeTensor(writer: ByteWriter, declaration: GgufDeclaration, offset: number): Omit<TensorEntry, 'offset'> {
  const { name, shape } = declaration;
  const type = GGML_TYPES.get(declaration.type);
  if (type === undefined) {
    throw fail(
      'ERR_QUANTLANE_DTYPE',
      `Expected one of ${[...GGML_TYPES.keys()].join(', ')}, got ${describe(declaration.type)}`,
    );
  }
  const problem = ggmlProblem(type, shape);
  if (problem !== undefined) throw fail('ERR_QUANTLANE_SHAPE', `${problem} in tensor ${quote(name)}`);
  writeGgufText(writer, name);
  writer.u32(shape.length).u64(...shape.toReversed());
  writer.u32(type.id).u64(offset);
  return { name, ...ggmlTensor(type, shape) };
}

/** Refuses a header or a file that could not be read again. */
function checkSize(headerBytes: number, dataBytes: number, values: GgufValues): void {
  const cost = Object.values(values).reduce((sum, value) => sum + ggufListCost(value), 0);
  if (headerBytes <= MAX_HEADER && cost <= MAX_VALUES && isCount(headerBytes + dataBytes)) return;
  throw argument(
    `Expected a header of at most ${MAX_HEADER} bytes, lists of at most ${MAX_VALUES} values together and a file below 2^53 bytes, got ${headerBytes}, ${cost} and ${headerBytes + dataBytes}`,
  );
}

/** Refuses a key or name that is not text of 1 to `limit` bytes. */
function checkName(name: unknown, what: string, limit: number): void {
  if (typeof name === 'string' && isWellFormed(name) && name !== '' && Buffer.byteLength(name) <= limit) return;
  throw argument(`Expected ${what} that is text of 1 to ${limit} bytes, got ${describe(name)}`);
}

/** The alignment that the values ask for, or undefined for a bad one. */
function alignmentOf(values: GgufValues): number | undefined {
  const found = values[ALIGNMENT_KEY] as GgufValue | null | undefined;
  if (found === undefined) return DEFAULT_ALIGNMENT;
  return found?.type === 'uint32' && Number.isInteger(Math.log2(found.value)) ? found.value : undefined;
}

/** The values that are no lists, as text. */
function textsOf(values: GgufValues): Readonly<Record<string, string>> {
  const texts: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(values)) {
    const text = ggufText(value);
    if (text !== undefined) texts[key] = text;
  }
  return Object.freeze(texts);
}

/** A typed value for a message. */
function shown(value: GgufValue | null): string {
  return value === null ? 'null' : `${describe(value.value)} (${value.type})`;
}

/** The next multiple of the alignment. */
function roundUp(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** The error for a bad argument. */
function argument(sentence: string): Error {
  return fail('ERR_QUANTLANE_ARGUMENT', sentence);
}
