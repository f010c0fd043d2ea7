/**
 * The tensor types of ggml: plain numbers, and blocks of packed codes with their scales.
 * @module
 */

import { describe } from './refusals.js';
import { type FileDtype, type PackedBlocks, shapeProblem } from './tensor-file.js';

/** Name, number in a file, elements of one block, bytes of one block, and the element type of plain numbers. */
const ROWS = [
  ['F32', 0, 1, 4, 'float32'],
  ['F16', 1, 1, 2, 'float16'],
  ['Q4_0', 2, 32, 18],
  ['Q4_1', 3, 32, 20],
  ['Q5_0', 6, 32, 22],
  ['Q5_1', 7, 32, 24],
  ['Q8_0', 8, 32, 34],
  ['Q8_1', 9, 32, 36],
  ['Q2_K', 10, 256, 84],
  ['Q3_K', 11, 256, 110],
  ['Q4_K', 12, 256, 144],
  ['Q5_K', 13, 256, 176],
  ['Q6_K', 14, 256, 210],
  ['Q8_K', 15, 256, 292],
  ['IQ2_XXS', 16, 256, 66],
  ['IQ2_XS', 17, 256, 74],
  ['IQ3_XXS', 18, 256, 98],
  ['IQ1_S', 19, 256, 50],
  ['IQ4_NL', 20, 32, 18],
  ['IQ3_S', 21, 256, 110],
  ['IQ2_S', 22, 256, 82],
  ['IQ4_XS', 23, 256, 136],
  ['I8', 24, 1, 1, 'int8'],
  ['I16', 25, 1, 2, 'int16'],
  ['I32', 26, 1, 4, 'int32'],
  ['I64', 27, 1, 8, 'int64'],
  ['F64', 28, 1, 8, 'float64'],
  ['IQ1_M', 29, 256, 56],
  ['BF16', 30, 1, 2, 'bfloat16'],
  ['TQ1_0', 34, 256, 54],
  ['TQ2_0', 35, 256, 66],
  ['MXFP4', 39, 32, 17],
  ['NVFP4', 40, 64, 36],
  ['Q1_0', 41, 128, 18],
  ['Q2_0', 42, 64, 18],
] as const satisfies readonly (readonly [string, number, number, number, FileDtype?])[];

/** The name of a tensor type of ggml, as ggml writes it in capitals. */
export type GgmlTypeName = (typeof ROWS)[number][0];

/** A tensor type of ggml. */
export interface GgmlType {
  readonly name: GgmlTypeName;
  /** Its number in a file. Numbers that ggml has withdrawn are not in the table. */
  readonly id: number;
  /** Elements of one block; 1 for plain numbers. A row is a whole number of blocks. */
  readonly elements: number;
  /** Bytes of one block, or of one number. */
  readonly bytes: number;
  /** Element type of plain numbers; undefined for blocks. */
  readonly dtype: FileDtype | undefined;
}

/** What a tensor of a ggml type is in the terms of a tensor file. */
export interface GgmlTensor {
  readonly dtype: FileDtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Only for block types. */
  readonly blocks?: PackedBlocks;
}

/** Every tensor type of ggml by its name. */
export const GGML_TYPES: ReadonlyMap<string, GgmlType> = new Map(
  ROWS.map(([name, id, elements, bytes, dtype]) => [name, Object.freeze({ name, id, elements, bytes, dtype })]),
);

/** The most dimensions of a ggml tensor. */
const MAX_GGML_DIMENSIONS = 4;

const TYPE_BY_ID: ReadonlyMap<number, GgmlType> = new Map([...GGML_TYPES.values()].map((type) => [type.id, type]));

/** The type of a number in a file, or undefined for a number that is unknown or withdrawn. */
export function ggmlTypeOf(id: number): GgmlType | undefined {
  return TYPE_BY_ID.get(id);
}

/**
 * What is wrong with a shape for a type, as a sentence, or undefined for a good one.
 * @param shape - dimensions in elements, the slowest first
 */
export function ggmlProblem(type: GgmlType, shape: unknown): string | undefined {
  const problem = shapeProblem(shape, type.bytes);
  if (problem !== undefined) return problem;
  const dimensions = shape as readonly number[];
  if (dimensions.length > MAX_GGML_DIMENSIONS) {
    return `Expected a shape of at most ${MAX_GGML_DIMENSIONS} dimensions, got ${dimensions.length}`;
  }
  const columns = dimensions.at(-1) ?? 1;
  if (columns % type.elements === 0) return undefined;
  return `Expected rows of whole blocks of ${type.elements} elements (${type.name}), got rows of ${describe(columns)}`;
}

/**
 * The tensor of a type and shape that have no problem. Blocks become bytes of shape [rows, bytes per row]; a row is
 * one run of the fastest dimension, and all slower dimensions are counted together.
 * @param shape - dimensions in elements, the slowest first
 */
export function ggmlTensor(type: GgmlType, shape: readonly number[]): GgmlTensor {
  const own = Object.freeze([...shape]);
  const columns = own.at(-1) ?? 1;
  const rows = own.slice(0, -1).reduce((count, dimension) => count * dimension, 1);
  const rowBytes = (columns / type.elements) * type.bytes;
  const byteLength = rows * rowBytes;
  if (type.dtype !== undefined) return { dtype: type.dtype, shape: own, byteLength };
  const blocks: PackedBlocks = Object.freeze({ type: type.name, shape: own });
  return { dtype: 'uint8', shape: Object.freeze([rows, rowBytes]), byteLength, blocks };
}
