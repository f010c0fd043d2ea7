/**
 * The ranges of a tensor that comes in boxes which share parameters: merged from box to box in a first pass, given to
 * every box in a second.
 * @module
 */
import { type InputDtype, type TensorLease, toHalf } from '../memory/index.js';
import type { GivenRange, RangeResult } from '../runtime/index.js';
import { defineScheme, perBlock, type Scheme } from '../scheme/index.js';
import { type Box, boxParameters, boxShape, type Grid } from './grid.js';

/** The range of every parameter of a tensor. */
export class Ranges {
  readonly #grid: Grid;
  readonly #min: Float32Array;
  readonly #max: Float32Array;

  constructor(grid: Grid) {
    this.#grid = grid;
    // Zero is in every range, from either side, or the range begins inside out.
    const { rangeIncludesZero } = grid.scheme;
    this.#min = new Float32Array(grid.parameters).fill(rangeIncludesZero ? -0 : Number.POSITIVE_INFINITY);
    this.#max = new Float32Array(grid.parameters).fill(rangeIncludesZero ? 0 : Number.NEGATIVE_INFINITY);
  }

  /** Takes in the ranges of a box; a NaN stays one. */
  merge(box: Box, found: RangeResult): void {
    const { first, count } = boxParameters(this.#grid, box);
    for (let index = 0; index < count; index++) {
      this.#min[first + index] = Math.min(this.#min[first + index]!, found.min[index]!);
      this.#max[first + index] = Math.max(this.#max[first + index]!, found.max[index]!);
    }
  }

  /** The ranges of a box. */
  of(box: Box): GivenRange {
    const { first, count } = boxParameters(this.#grid, box);
    return { min: this.#min.subarray(first, first + count), max: this.#max.subarray(first, first + count) };
  }

  /** Whether every range of a box is finite, so that it may be given. */
  isFinite(box: Box): boolean {
    const { min, max } = this.of(box) as { min: Float32Array; max: Float32Array };
    return min.every(Number.isFinite) && max.every(Number.isFinite);
  }
}

/**
 * A box with its ranges planted before its values, as two more rows of them. A range that is infinite or NaN cannot be
 * given; among the values it does what it would do there.
 */
export interface Planted {
  readonly scheme: Scheme;
  readonly shape: readonly number[];
  /** Elements before the values of the box. */
  readonly before: number;
  /** Shape of those alone. */
  readonly plant: readonly number[];
}

/** The shape of a planted box. */
export function planted(grid: Grid, { size }: Box): Planted {
  const { scheme } = grid;
  const [outer, depth, inner] = size;
  const { kind } = scheme.granularity;
  if (kind === 'perTensor') return { scheme, shape: [outer * depth * inner + 2], before: 2, plant: [2] };
  if (kind === 'perChannel') {
    return { scheme, shape: [outer + 2, depth, inner], before: 2 * depth * inner, plant: [2, depth, inner] };
  }
  // A box that shares its parameters lies within one group: two more of that group.
  const place = {
    shape: boxShape(grid, [1, depth + 2, inner]),
    before: 2 * inner,
    plant: boxShape(grid, [1, 2, inner]),
  };
  if (kind === 'perToken') return { scheme, ...place };
  const granularity = perBlock(depth + 2, grid.inner === 1 ? -1 : 1);
  return { scheme: defineScheme({ ...scheme, granularity }), ...place };
}

/** Writes the ranges of a box before its values. */
export function plant(lease: TensorLease, { min, max }: GivenRange, before: number): void {
  const [low, high] = [min, max] as [Float32Array, Float32Array];
  const row = before / 2;
  for (let index = 0; index < row; index++) {
    const parameter = Math.floor((index * low.length) / row);
    lease.data[index] = bitsOf(high[parameter]!, lease.dtype);
    lease.data[row + index] = bitsOf(low[parameter]!, lease.dtype);
  }
}

/** A value of that type, which `value` came from: itself, or its raw bits. */
function bitsOf(value: number, dtype: InputDtype): number {
  if (dtype === 'float32') return value;
  if (dtype === 'float16') return toHalf(value);
  return new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16;
}
