/**
 * A tensor as three dimensions, of which the middle one is that of the parameters, and the boxes that it is cut into.
 * Every granularity is one of these, so one rule cuts them all:
 *
 * ```text
 *                     outer × depth × inner      group along depth
 * perTensor           1     × 1     × all        1
 * perToken            rows  × last  × 1          last
 * perChannel(axis)    before × axis × after      1, and a channel runs through all of outer
 * perBlock(n, axis)   before × axis × after      n
 * ```
 * @module
 */
import { productOf } from '../numbers.js';
import {
  codeBytesOf,
  defineScheme,
  layoutOf,
  packedBytes,
  perBlock,
  perChannel,
  perRow,
  perToken,
  type Scheme,
} from '../scheme/index.js';

/** A tensor as three dimensions. */
export interface Grid {
  /** The scheme on boxes: that of the tensor, with its axis counted in three dimensions. */
  readonly scheme: Scheme;
  readonly outer: number;
  readonly depth: number;
  readonly inner: number;
  /** Values along `depth` that share a parameter. */
  readonly group: number;
  readonly elements: number;
  readonly parameters: number;
}

/** A part of a tensor whose values lie one after the other: where it begins, and how long it is. */
export interface Box {
  readonly at: readonly [outer: number, depth: number, inner: number];
  readonly size: readonly [outer: number, depth: number, inner: number];
}

/**
 * The grid of a scheme on a tensor.
 * @throws ERR_QUANTLANE_SHAPE where the scheme does not fit the shape
 */
export function gridOf(scheme: Scheme, shape: readonly number[]): Grid {
  const { elements, parameters } = layoutOf(scheme, shape);
  const { granularity } = scheme;
  if (granularity.kind === 'perTensor') {
    return { scheme, outer: 1, depth: 1, inner: elements, group: 1, elements, parameters };
  }
  if (granularity.kind === 'perBlock' && granularity.axis === null)
    return gridOf({ ...scheme, granularity: perBlock(granularity.size, 0) }, [elements]);
  const given = granularity.axis ?? 0;
  const axis = given < 0 ? given + shape.length : given;
  const depth = shape[axis]!;
  const inner = productOf(shape.slice(axis + 1));
  const outer = productOf(shape.slice(0, axis));
  const size = { outer, depth, inner, elements, parameters };
  if (granularity.kind === 'perToken') {
    const rows = inner === 1 ? perToken : perRow(1);
    return { scheme: defineScheme({ ...scheme, granularity: rows }), ...size, group: depth };
  }
  if (granularity.kind === 'perChannel') {
    return { scheme: defineScheme({ ...scheme, granularity: perChannel(1) }), ...size, group: 1 };
  }
  const group = Math.min(granularity.size, depth);
  const blocks = perBlock(granularity.size, inner === 1 ? -1 : 1);
  return { scheme: defineScheme({ ...scheme, granularity: blocks }), ...size, group };
}

/** Shape of a box of this size, as `grid.scheme` takes it. */
export function boxShape(grid: Grid, [outer, depth, inner]: Box['size']): number[] {
  const { kind } = grid.scheme.granularity;
  if (kind === 'perTensor') return [outer * depth * inner];
  if (kind !== 'perChannel' && grid.inner === 1) return [outer, depth];
  return [outer, depth, inner];
}

/** First element of a box, and how many it has. */
export function boxElements(grid: Grid, { at, size }: Box): { first: number; count: number } {
  return { first: (at[0] * grid.depth + at[1]) * grid.inner + at[2], count: productOf(size) };
}

/** First parameter of a box, and how many it has; they lie one after the other too. */
export function boxParameters(grid: Grid, { at, size }: Box): { first: number; count: number } {
  const { kind } = grid.scheme.granularity;
  if (kind === 'perTensor') return { first: 0, count: 1 };
  if (kind === 'perChannel') return { first: at[1], count: size[1] };
  const groups = Math.ceil(grid.depth / grid.group);
  return {
    first: (at[0] * groups + Math.floor(at[1] / grid.group)) * grid.inner + at[2],
    count: size[0] * Math.ceil(size[1] / grid.group) * size[2],
  };
}

/** Bytes of the codes of so many elements from the start of a row or of a block on. */
export function codeBytes({ scheme, depth }: Grid, elements: number): number {
  if (scheme.layout === 'planar') return packedBytes(scheme.dtype, elements);
  return Math.floor(elements / depth) * codeBytesOf(scheme, depth) + codeBytesOf(scheme, elements % depth);
}

/** Index along every dimension of element `index`. */
export function coordinates(shape: readonly number[], index: number): number[] {
  const found: number[] = [];
  let rest = index;
  for (const size of shape.toReversed()) {
    found.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return found;
}
