/**
 * The shared vocabulary of tensor files: element types, entries, the open file, the writer, and the arithmetic of
 * shapes that cannot overflow.
 * @module
 */

import { fail } from '../errors.js';
import { isCount } from '../numbers.js';
import { describe } from './refusals.js';

/** Bytes of one element, by the name of its type. The keys are all the element types that a file may hold. */
export const FILE_DTYPE_BYTES = Object.freeze({
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float8e4m3fn: 1,
  float8e5m2: 1,
  float8e8m0: 1,
  int64: 8,
  uint64: 8,
  int32: 4,
  uint32: 4,
  int16: 2,
  uint16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
} as const);

/** Element type of a tensor in a file; always little-endian there. */
export type FileDtype = keyof typeof FILE_DTYPE_BYTES;

/** The most dimensions that a tensor of a file may have. */
export const MAX_DIMENSIONS = 32;

/** What a tensor is, before it has a place in a file. */
export interface TensorDeclaration {
  /** Unique in its file. */
  readonly name: string;
  readonly dtype: FileDtype;
  /** Dimensions, the slowest first; `[]` is a scalar of one element. */
  readonly shape: readonly number[];
}

/** What the bytes of a tensor mean when they are packed blocks of codes and scales. */
export interface PackedBlocks {
  /** The format's own name of the block type, such as `Q4_0`. */
  readonly type: string;
  /** Dimensions in elements, the slowest first. */
  readonly shape: readonly number[];
}

/** One tensor of a file, in C order and little-endian. */
export interface TensorEntry extends TensorDeclaration {
  /**
   * First byte of the tensor, counted from the beginning of the file; for a compressed member of an npz, from the
   * beginning of the temporary file that it was inflated to.
   */
  readonly offset: number;
  /** Bytes of the whole tensor; 0 when a dimension is 0. */
  readonly byteLength: number;
  /** Only where the elements are packed: the tensor is then `uint8` of shape [rows, bytes per row]. */
  readonly blocks?: PackedBlocks;
}

/** A file that is open for reading. Its header was checked in full; its data is read on demand. */
export interface TensorFile {
  readonly path: string;
  readonly format: 'npy' | 'safetensors' | 'gguf' | 'npz';
  /** The tensors in the order of their bytes in the file. */
  readonly tensors: readonly TensorEntry[];
  /** Free text of the file; it has no prototype. Always empty for npy and npz; for GGUF the values that are not lists. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * The tensor of that name.
   * @throws `ERR_QUANTLANE_ARGUMENT` when the file has none.
   */
  find(name: string): TensorEntry;
  /**
   * Fills the whole of `target`; an empty target reads nothing. Reads may run at the same time.
   * @param entry - a tensor of this file
   * @param position - bytes from the beginning of the tensor
   * @param target - where the bytes go; may view a SharedArrayBuffer
   * @throws `ERR_QUANTLANE_ARGUMENT` when the range leaves the tensor, `ERR_QUANTLANE_CLOSED` after `close()`,
   *   `ERR_QUANTLANE_FORMAT` when the file has become shorter or cannot be read.
   */
  read(entry: TensorEntry, position: number, target: Uint8Array): Promise<void>;
  /** Closes the file; a second call changes nothing. */
  close(): Promise<void>;
  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A file that is being written beside its final path, and takes that path when `close()` succeeds. */
export interface TensorWriter {
  /**
   * Writes bytes of one tensor, in any order; empty bytes write nothing. Writes to disjoint ranges may run at the
   * same time, and bytes written twice keep the later value.
   * @param name - a declared tensor
   * @param position - bytes from the beginning of the tensor
   * @param bytes - may view a SharedArrayBuffer
   * @throws `ERR_QUANTLANE_ARGUMENT` for an unknown name or a range that leaves the tensor, `ERR_QUANTLANE_CLOSED`
   *   after `close()` or `abort()`, `ERR_QUANTLANE_FORMAT` when the disk refuses.
   */
  write(name: string, position: number, bytes: Uint8Array): Promise<void>;
  /**
   * Puts the finished file at its path, replacing what was there; a second call changes nothing. A call that fails
   * leaves no file behind.
   * @throws `ERR_QUANTLANE_FORMAT` when a declared byte was not written or the disk refuses, `ERR_QUANTLANE_CLOSED`
   *   after `abort()`.
   */
  close(): Promise<void>;
  /** Deletes the unfinished file; after `close()` it changes nothing. */
  abort(): Promise<void>;
  /** The same as `abort()`: a writer that leaves its scope without `close()` leaves no file. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Whether a value is the name of an element type; false for names such as `constructor`. */
export function isFileDtype(value: unknown): value is FileDtype {
  return typeof value === 'string' && Object.hasOwn(FILE_DTYPE_BYTES, value);
}

/**
 * What is wrong with a shape, as a sentence, or undefined for a good one. Zero dimensions are good, but the other
 * dimensions must not overflow, so that every partial product and stride is a safe integer too.
 * @param shape - dimensions, the slowest first
 * @param bytesPerElement - the product of dimensions and this must be a safe integer
 */
export function shapeProblem(shape: unknown, bytesPerElement = 1): string | undefined {
  if (!Array.isArray(shape)) return `Expected a shape that is a list of dimensions, got ${describe(shape)}`;
  if (shape.length > MAX_DIMENSIONS) {
    return `Expected a shape of at most ${MAX_DIMENSIONS} dimensions, got ${shape.length}`;
  }
  let bytes = bytesPerElement;
  for (const dimension of shape) {
    if (!isCount(dimension))
      return `Expected dimensions that are integers from 0 to 2^53 - 1, got ${describe(dimension)}`;
    bytes *= Math.max(dimension, 1);
  }
  if (!Number.isSafeInteger(bytes)) return `Expected a tensor below 2^53 bytes, got the shape [${shape.join(', ')}]`;
  return undefined;
}

/**
 * Number of elements: 1 for a scalar, 0 when a dimension is 0.
 * @param shape - dimensions, the slowest first
 * @throws `ERR_QUANTLANE_SHAPE` for a bad or overflowing shape.
 */
export function elementCount(shape: readonly number[]): number {
  const problem = shapeProblem(shape);
  if (problem !== undefined) throw fail('ERR_QUANTLANE_SHAPE', problem);
  return shape.reduce((count, dimension) => count * dimension, 1);
}

/**
 * Number of bytes of a tensor: 0 when a dimension is 0.
 * @param dtype - element type
 * @param shape - dimensions, the slowest first
 * @throws `ERR_QUANTLANE_DTYPE` for an unknown type, `ERR_QUANTLANE_SHAPE` for a bad or overflowing shape.
 */
export function tensorBytes(dtype: FileDtype, shape: readonly number[]): number {
  if (!isFileDtype(dtype)) {
    throw fail(
      'ERR_QUANTLANE_DTYPE',
      `Expected one of ${Object.keys(FILE_DTYPE_BYTES).join(', ')}, got ${describe(dtype)}`,
    );
  }
  const problem = shapeProblem(shape, FILE_DTYPE_BYTES[dtype]);
  if (problem !== undefined) throw fail('ERR_QUANTLANE_SHAPE', problem);
  return elementCount(shape) * FILE_DTYPE_BYTES[dtype];
}

/** Whether a text has no lone surrogate, so that UTF-8 can hold it. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
