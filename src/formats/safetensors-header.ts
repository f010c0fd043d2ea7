/**
 * The safetensors format, by its bytes: named tensors, a JSON header, then the elements with neither holes nor overlaps.
 *
 * ```text
 * header length, u64 | {"name": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, ...}, spaces | data
 * ```
 * @module
 */

import { fail } from '../errors.js';
import { isCount } from '../numbers.js';
import { repeatedKey } from './json-keys.js';
import { describe, quote, refuse, truncated } from './refusals.js';
import {
  FILE_DTYPE_BYTES,
  type FileDtype,
  isWellFormed,
  shapeProblem,
  type TensorDeclaration,
  type TensorEntry,
  tensorBytes,
} from './tensor-file.js';
import type { ReadAt, TensorLayout } from './tensor-reader.js';

/** Bytes of the header's length, before the header. */
const PREFIX = 8;

/** The most bytes of a header. */
const MAX_HEADER = 25_000_000;

/** Written data begins at a multiple of this; the format asks for 8. */
const ALIGNMENT = 64;

/** The key of the header that is no tensor but a map of strings. */
const METADATA = '__metadata__';

/** The names of the element types in a file. */
const FORMAT_NAMES: Readonly<Record<FileDtype, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float8e4m3fn: 'F8_E4M3',
  float8e5m2: 'F8_E5M2',
  float8e8m0: 'F8_E8M0',
  int64: 'I64',
  uint64: 'U64',
  int32: 'I32',
  uint32: 'U32',
  int16: 'I16',
  uint16: 'U16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};

const DTYPE_BY_NAME: ReadonlyMap<unknown, FileDtype> = new Map(
  Object.entries(FORMAT_NAMES).map(([dtype, name]) => [name, dtype as FileDtype]),
);

/**
 * Parses and checks a header; `{}` is a file of no tensors.
 * @param headerBytes - the JSON with its padding, without the 8 bytes of its length
 * @param fileSize - bytes of the whole file: 8, the header and the data
 * @param where - the file's path, for messages
 * @returns the tensors in the order of their bytes, with absolute offsets
 * @throws `ERR_QUANTLANE_FORMAT` for anything that the format forbids.
 */
export function parseSafetensorsHeader(
  headerBytes: Uint8Array,
  fileSize: number,
  where = 'safetensors header',
): TensorLayout {
  const header = parseJson(headerBytes, where);
  const dataBegin = PREFIX + headerBytes.length;
  const tensors: TensorEntry[] = [];
  let metadata: Readonly<Record<string, string>> = Object.freeze(Object.create(null));
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) metadata = parseMetadata(value, where);
    else tensors.push(parseEntry(name, value, dataBegin, fileSize, where));
  }
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkCover(tensors, dataBegin, fileSize, where);
  return { tensors: Object.freeze(tensors), metadata };
}

/**
 * The bytes before the data, and where each tensor goes.
 * @param tensors - laid out in the given order, with no gaps
 * @returns `bytes`: length and padded JSON, a multiple of 64; `entries`: with absolute offsets
 * @throws `ERR_QUANTLANE_ARGUMENT` for a bad or repeated name or bad metadata, `ERR_QUANTLANE_DTYPE`,
 *   `ERR_QUANTLANE_SHAPE`.
 */
export function safetensorsHeader(
  tensors: readonly TensorDeclaration[],
  metadata: Readonly<Record<string, string>> = {},
): { bytes: Uint8Array; entries: TensorEntry[] } {
  // The members are joined by hand: an object would reorder names that look like integers and lose `__proto__`.
  checkNames(tensors);
  const members: string[] = [];
  const texts = Object.entries(metadata);
  for (const [key, value] of texts) checkText(key, value);
  if (texts.length > 0) members.push(member(METADATA, Object.fromEntries(texts)));
  let end = 0;
  const relative = tensors.map(({ name, dtype, shape }) => {
    const entry = { name, dtype, shape, offset: end, byteLength: tensorBytes(dtype, shape) };
    end += entry.byteLength;
    members.push(member(name, { dtype: FORMAT_NAMES[dtype], shape, data_offsets: [entry.offset, end] }));
    return entry;
  });
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const total = Math.ceil((PREFIX + json.length) / ALIGNMENT) * ALIGNMENT;
  if (total - PREFIX > MAX_HEADER || !isCount(total + end)) {
    throw fail(
      'ERR_QUANTLANE_ARGUMENT',
      `Expected a header of at most ${MAX_HEADER} bytes and a file below 2^53, got ${total} and ${end}`,
    );
  }
  const bytes = new Uint8Array(total).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(total - PREFIX), true);
  bytes.set(json, PREFIX);
  return { bytes, entries: relative.map((entry) => ({ ...entry, offset: entry.offset + total })) };
}

/**
 * Reads the header, with its length checked before any memory is taken for it.
 * @param path - for messages
 * @throws `ERR_QUANTLANE_FORMAT` as `parseSafetensorsHeader`, or where the file is too short for it.
 */
export async function safetensorsLayout(readAt: ReadAt, path: string, size: number): Promise<TensorLayout> {
  if (size < PREFIX) throw truncated(path, PREFIX, size);
  const prefix = new Uint8Array(PREFIX);
  await readAt(0, prefix);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > MAX_HEADER) {
    throw refuse(path, `Expected a safetensors header of at most ${MAX_HEADER} bytes, got ${length}`);
  }
  if (size < PREFIX + Number(length)) throw truncated(path, PREFIX + Number(length), size);
  const header = new Uint8Array(Number(length));
  await readAt(PREFIX, header);
  return parseSafetensorsHeader(header, size, path);
}

/** The header as an object whose keys are unique at every depth. */
function parseJson(bytes: Uint8Array, where: string): object {
  if (bytes[0] !== 0x7b) throw refuse(where, "Expected a safetensors header that begins with '{', got other bytes");
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch (cause) {
    throw refuse(where, 'Expected a header in UTF-8, got other bytes', { cause });
  }
  let header: object;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw refuse(where, 'Expected a header in JSON, got other text', { cause });
  }
  const key = repeatedKey(text);
  if (key !== undefined) throw refuse(where, `Expected each name once in the header, got ${quote(key)} twice`);
  return header;
}

/** The free text of a file, without a prototype. */
function parseMetadata(value: unknown, where: string): Readonly<Record<string, string>> {
  if (!isObject(value)) throw refuse(where, `Expected ${METADATA} to be a map of strings, got ${describe(value)}`);
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      throw refuse(where, `Expected ${METADATA} to hold strings, got ${describe(text)} for ${quote(key)}`);
    metadata[key] = text;
  }
  return Object.freeze(metadata);
}

/** One tensor of the header. Keys other than the three are ignored, as the reference implementation does. */
function parseEntry(name: string, value: unknown, dataBegin: number, fileSize: number, where: string): TensorEntry {
  const who = `tensor ${quote(name)}`;
  if (!isObject(value)) throw refuse(where, `Expected ${who} to be an object, got ${describe(value)}`);
  if (!isWellFormed(name)) throw refuse(where, `Expected names in Unicode, got the lone surrogate of ${quote(name)}`);
  const { dtype: formatName, shape, data_offsets: offsets } = value as Record<string, unknown>;
  const dtype = DTYPE_BY_NAME.get(formatName);
  if (dtype === undefined) {
    const known = Object.values(FORMAT_NAMES).join(', ');
    throw refuse(where, `Expected ${who} to have one of the dtypes ${known}, got ${describe(formatName)}`);
  }
  const problem = shapeProblem(shape, FILE_DTYPE_BYTES[dtype]);
  if (problem !== undefined) throw refuse(where, `${problem} in ${who}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1]) {
    throw refuse(where, `Expected data_offsets of ${who} to be two integers 0 <= begin <= end, got ${shown(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (end > fileSize - dataBegin) throw truncated(where, dataBegin + end, fileSize);
  const byteLength = tensorBytes(dtype, shape as number[]);
  if (end - begin !== byteLength) {
    throw refuse(
      where,
      `Expected ${byteLength} bytes for ${who} by its dtype and shape, got ${end - begin} by its data_offsets`,
    );
  }
  return Object.freeze({ name, dtype, shape: Object.freeze(shape as number[]), offset: dataBegin + begin, byteLength });
}

/** Checks that the sorted tensors cover the data from its first byte to the end of the file, each byte once. */
function checkCover(tensors: readonly TensorEntry[], dataBegin: number, fileSize: number, where: string): void {
  let cursor = dataBegin;
  for (const { name, offset, byteLength } of tensors) {
    if (offset !== cursor) {
      const fault = offset < cursor ? 'an overlap' : 'a hole';
      throw refuse(
        where,
        `Expected tensor ${quote(name)} to begin at byte ${cursor} of the file, got ${offset}: ${fault}`,
      );
    }
    cursor += byteLength;
  }
  if (fileSize < cursor) throw truncated(where, cursor, fileSize);
  if (fileSize > cursor) {
    throw refuse(where, `Expected ${cursor} bytes, got ${fileSize}: there is more after the last tensor`, {
      details: { expected: cursor, actual: fileSize },
    });
  }
}

/** One member of a JSON object. */
function member(name: string, value: object): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}

/** Refuses declared names that are not strings in Unicode, reserved or repeated. */
function checkNames(tensors: readonly TensorDeclaration[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (typeof name !== 'string' || !isWellFormed(name) || name === METADATA || names.has(name)) {
      throw fail(
        'ERR_QUANTLANE_ARGUMENT',
        `Expected a new name that is text and not ${METADATA}, got ${describe(name)}`,
      );
    }
    names.add(name);
  }
}

/** Refuses metadata that is not text. */
function checkText(key: string, value: unknown): void {
  if (typeof value === 'string' && isWellFormed(value) && isWellFormed(key)) return;
  throw fail('ERR_QUANTLANE_ARGUMENT', `Expected metadata to be text, got ${describe(value)} for ${quote(key)}`);
}

/** Whether a value is an object with keys, not null and not a list. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Offsets of the header for a message: the first few when they are a list. */
function shown(value: unknown): string {
  return Array.isArray(value) ? `[${value.slice(0, 3).map(describe).join(', ')}]` : describe(value);
}
