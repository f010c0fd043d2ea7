/**
 * The npy format of NumPy, by its bytes: one tensor, a short header that is a Python dict, then the elements.
 *
 * ```text
 * 0x93 'NUMPY' | major, minor | header length, u16 (1.0) or u32 (2.0, 3.0) | dict, spaces, '\n' | data
 * ```
 * @module
 */

import { fail } from '../errors.js';
import { type PythonValue, parsePythonDict } from './python-literal.js';
import { describe, quote, refuse, truncated } from './refusals.js';
import { FILE_DTYPE_BYTES, type FileDtype, shapeProblem, type TensorEntry, tensorBytes } from './tensor-file.js';
import type { ReadAt, TensorLayout } from './tensor-reader.js';

/** What an npy header says. */
export interface NpyHeader {
  readonly dtype: FileDtype;
  /** Dimensions, the slowest first; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Bytes before the data. */
  readonly dataOffset: number;
  /** Bytes of the data. */
  readonly byteLength: number;
}

/** First bytes of every npy file. */
export const NPY_MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** The most bytes of a header's dict; NumPy's own seldom have more than 118. */
const MAX_HEADER = 2 ** 20;

/** Bytes that must be there before the length of the header is known. */
const PREFIX = 12;

/** Data begins at a multiple of this. */
const ALIGNMENT = 64;

/** NumPy leaves room for the first dimension to grow to this many digits in place. */
const GROWTH_DIGITS = 21;

const KEYS = ['descr', 'fortran_order', 'shape'] as const;

/** Element types by NumPy's name without its byte order; `V2` is how NumPy stores the bfloat16 of ml_dtypes. */
const DTYPE_BY_NAME: ReadonlyMap<string, FileDtype> = new Map([
  ['f8', 'float64'],
  ['f4', 'float32'],
  ['f2', 'float16'],
  ['V2', 'bfloat16'],
  ['i8', 'int64'],
  ['u8', 'uint64'],
  ['i4', 'int32'],
  ['u4', 'uint32'],
  ['i2', 'int16'],
  ['u2', 'uint16'],
  ['i1', 'int8'],
  ['u1', 'uint8'],
  ['b1', 'bool'],
]);

/**
 * Parses the header at the beginning of `bytes`; bytes after it are not looked at.
 * @param bytes - the file, or at least all of its header
 * @param where - the file's path, for messages
 * @throws `ERR_QUANTLANE_FORMAT` when it is not an npy header, ends early, or describes data that is refused.
 */
export function parseNpyHeader(bytes: Uint8Array, where = 'npy header'): NpyHeader {
  const { major, begin, end } = headerExtent(bytes, where);
  if (bytes.length < end) throw truncated(where, end, bytes.length);
  const entries = parsePythonDict(headerText(bytes.slice(begin, end), major, where), where);
  for (const key of entries.keys()) {
    if (!(KEYS as readonly string[]).includes(key))
      throw refuse(where, `Expected only the keys ${KEYS.join(', ')}, got ${quote(key)}`);
  }
  const dtype = dtypeOf(entries.get('descr'), where);
  const shape = entries.get('shape');
  const problem = shapeProblem(shape, FILE_DTYPE_BYTES[dtype]);
  if (problem !== undefined) throw refuse(where, problem);
  const dimensions = shape as readonly number[];
  checkOrder(entries.get('fortran_order'), dimensions, where);
  return { dtype, shape: Object.freeze(dimensions), dataOffset: end, byteLength: tensorBytes(dtype, dimensions) };
}

/**
 * The header that NumPy writes for such an array, byte for byte, in version 1.0.
 * @returns all bytes before the data, a multiple of 64
 * @throws `ERR_QUANTLANE_DTYPE` for bfloat16 or an unknown type, `ERR_QUANTLANE_SHAPE` for a bad shape.
 */
export function npyHeader(dtype: FileDtype, shape: readonly number[]): Uint8Array {
  tensorBytes(dtype, shape);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const growth = shape.length === 0 ? 0 : GROWTH_DIGITS - String(shape[0]).length;
  const dict = `{'descr': '${descrOf(dtype)}', 'fortran_order': False, 'shape': ${tuple}, }${' '.repeat(growth)}`;
  // NumPy pads by 1 to 64 spaces, never by none; 10 bytes stand before the dict, one newline after it.
  const padding = ALIGNMENT - ((10 + dict.length + 1) % ALIGNMENT);
  const text = `${dict}${' '.repeat(padding)}\n`;
  const bytes = new Uint8Array(10 + text.length);
  bytes.set([...NPY_MAGIC, 1, 0, text.length & 0xff, text.length >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  return bytes;
}

/** Whether the bytes begin as an npy file does; false for too few bytes. */
export function isNpy(bytes: Uint8Array): boolean {
  return NPY_MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * Reads the layout of a file of one tensor.
 * @param where - the file's path, for messages
 * @param name - of the tensor
 * @throws as `readNpyAt`
 */
export async function npyLayout(readAt: ReadAt, where: string, size: number, name: string): Promise<TensorLayout> {
  const { dtype, shape, dataOffset, byteLength } = await readNpyAt(readAt, where, 0, size);
  const entry: TensorEntry = Object.freeze({ name, dtype, shape, offset: dataOffset, byteLength });
  return { tensors: Object.freeze([entry]), metadata: Object.freeze(Object.create(null)) };
}

/**
 * Reads the header of an npy file that may lie inside another file, and checks it against its size.
 * @param where - the path, for messages
 * @param begin - where the npy file begins
 * @param size - its bytes
 * @throws `ERR_QUANTLANE_FORMAT` when it is not npy, or not as long as its header says.
 */
export async function readNpyAt(readAt: ReadAt, where: string, begin: number, size: number): Promise<NpyHeader> {
  const prefix = new Uint8Array(Math.min(size, PREFIX));
  await readAt(begin, prefix);
  const { end } = headerExtent(prefix, where);
  if (size < end) throw truncated(where, end, size);
  const bytes = new Uint8Array(end);
  await readAt(begin, bytes);
  const header = parseNpyHeader(bytes, where);
  const expected = header.dataOffset + header.byteLength;
  if (size < expected) throw truncated(where, expected, size);
  if (size > expected) {
    throw refuse(where, `Expected ${expected} bytes, got ${size}: there is more after the data`, {
      details: { expected, actual: size },
    });
  }
  return header;
}

/** Major version, and where the dict begins and ends. Needs 12 bytes, or all that the file has. */
function headerExtent(bytes: Uint8Array, where: string): { major: number; begin: number; end: number } {
  if (!isNpy(bytes.subarray(0, NPY_MAGIC.length))) {
    throw refuse(where, 'Expected an npy file, which begins with 0x93 NUMPY, got other bytes');
  }
  if (bytes.length < PREFIX) throw truncated(where, PREFIX, bytes.length);
  const [major, minor] = [bytes[6], bytes[7]];
  if (major < 1 || major > 3 || minor !== 0) {
    throw refuse(where, `Expected npy version 1.0, 2.0 or 3.0, got ${major}.${minor}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begin = major === 1 ? 10 : 12;
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER) throw refuse(where, `Expected a header of at most ${MAX_HEADER} bytes, got ${length}`);
  return { major, begin, end: begin + length };
}

/** The text of the dict: Latin-1 in versions 1.0 and 2.0, UTF-8 in 3.0. */
function headerText(bytes: Uint8Array, major: number, where: string): string {
  if (major < 3) return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refuse(where, 'Expected a header in UTF-8, got other bytes', { cause });
  }
}

/** The element type of NumPy's `descr`. */
function dtypeOf(descr: PythonValue | undefined, where: string): FileDtype {
  if (typeof descr !== 'string')
    throw refuse(where, `Expected a header with the string 'descr', got ${describe(descr)}`);
  const order = descr.slice(0, 1);
  const name = descr.slice(1);
  if (name === 'O' || descr === 'O') {
    throw refuse(where, 'Expected numbers, got Python objects (a pickle), which are never read');
  }
  const dtype = DTYPE_BY_NAME.get(name);
  const bytes = dtype === undefined ? 0 : FILE_DTYPE_BYTES[dtype];
  if (dtype !== undefined && order === '>' && bytes > 1) {
    throw refuse(where, `Expected little-endian data, got the big-endian ${quote(descr)}`);
  }
  const orders = dtype === 'bfloat16' ? '<|' : bytes === 1 ? '|<=>' : '<=';
  if (dtype !== undefined && order !== '' && orders.includes(order)) return dtype;
  const known = [...DTYPE_BY_NAME.keys()].join(', ');
  throw refuse(where, `Expected a 'descr' of a byte order and one of ${known}, got ${quote(descr)}`);
}

/** Refuses column-major data; with at most one dimension the order says nothing. */
function checkOrder(fortranOrder: PythonValue | undefined, shape: readonly number[], where: string): void {
  if (typeof fortranOrder !== 'boolean') {
    throw refuse(where, `Expected a header with 'fortran_order' True or False, got ${describe(fortranOrder)}`);
  }
  if (!fortranOrder || shape.length <= 1) return;
  throw refuse(where, `Expected C order, got Fortran order ('fortran_order': True); save the array in C order`);
}

/** NumPy's `descr` of an element type. */
function descrOf(dtype: FileDtype): string {
  for (const [name, known] of DTYPE_BY_NAME) {
    if (known === dtype && dtype !== 'bfloat16') return `${FILE_DTYPE_BYTES[dtype] === 1 ? '|' : '<'}${name}`;
  }
  throw fail('ERR_QUANTLANE_DTYPE', `Expected a type that npy has a name for, got ${dtype}; write safetensors instead`);
}
