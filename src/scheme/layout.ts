/**
 * How a scheme lies on a shape: the units of work, and the shapes and sizes of what comes out.
 * @module
 */
import { fail } from '../errors.js';
import { productOf } from '../numbers.js';
import { BLOCK_FORMATS } from './block-formats.js';
import { type CodeDtype, isPacked, packedBytes } from './code-dtypes.js';
import { Op } from './codes.js';
import { Size } from './descriptor.js';
import type { Scheme } from './scheme.js';

/** The units of work of one tensor and the sizes of its results. */
export interface Layout {
  /** Elements of the tensor. */
  readonly elements: number;
  readonly op: Op;
  /** Units of work, which may run in any order and on any lane. */
  readonly units: number;
  /** Elements of a unit; of the last one perhaps fewer. */
  readonly unitElements: number;
  /** See `Word.Length`, `Word.Group`, `Word.Count`, `Word.Parts` and `Word.Inner`. */
  readonly length: number;
  readonly group: number;
  readonly count: number;
  readonly parts: number;
  readonly inner: number;
  /** Shape of the codes: that of the tensor, but in bytes where codes share them; or `[rows, bytes per row]` of blocks. */
  readonly codeShape: readonly number[];
  /** Bytes of all codes. */
  readonly codeBytes: number;
  /** Shape of scale and zero point. */
  readonly parameterShape: readonly number[];
  /** Number of parameters. */
  readonly parameters: number;
}

type Split = Omit<Layout, 'elements' | 'codeShape' | 'codeBytes' | 'parameters'>;

const UNUSED = { length: 0, group: 0, count: 0, parts: 0, inner: 0 };

/**
 * The layout of `scheme` on a tensor of `shape`.
 * @throws ERR_QUANTLANE_SHAPE for no elements, too few dimensions, an axis that is not there, or a row that the blocks
 * of a foreign layout do not divide
 */
export function layoutOf(scheme: Scheme, shape: readonly number[]): Layout {
  const elements = productOf(shape);
  if (elements === 0) throw fail('ERR_QUANTLANE_SHAPE', `Expected at least one value, got shape [${shape.join(', ')}]`);
  const split = splitOf(scheme, shape, elements);
  const parameters = productOf(split.parameterShape);
  if (scheme.layout === 'planar') {
    const codeBytes = packedBytes(scheme.dtype, elements);
    const op = scheme.outliers === null ? split.op : Op.Outliers;
    return { ...split, op, elements, parameters, codeShape: packedShape(scheme.dtype, shape, codeBytes), codeBytes };
  }
  const { size, ragged } = blockOf(scheme);
  if (split.length % size !== 0 && !ragged) {
    throw fail(
      'ERR_QUANTLANE_SHAPE',
      `Expected rows of a multiple of ${size} values for '${scheme.name}', got rows of ${split.length}`,
    );
  }
  const rows = elements / split.length;
  const rowBytes = codeBytesOf(scheme, split.length);
  const whole = { ...split, elements, parameters, codeShape: [rows, rowBytes], codeBytes: rows * rowBytes };
  if (scheme.format === null) return whole;
  const length = partOfRow(split.length, scheme.granularity.kind === 'perBlock' ? size : split.length);
  const units = elements / length;
  const inner = codeBytesOf(scheme, length);
  return { ...whole, op: Op.Blocks, units, unitElements: length, length, count: 0, inner };
}

/**
 * Values of a unit of blocks that need nothing of their row: the row, or where it is long, the largest part of it that
 * has about the values of a tile and divides it. Blocks do not divide every row; then there is one unit a row.
 */
export function partOfRow(length: number, block: number): number {
  if (length < 2 * Size.TensorTile || length % block !== 0) return length;
  const blocks = length / block;
  let count = Math.max(1, Math.floor(Size.TensorTile / block));
  while (blocks % count !== 0) count--;
  return count * block;
}

/** Shape of codes: that of the values, the last dimension in bytes where several codes share one; flat where they do not divide. */
function packedShape(dtype: CodeDtype, shape: readonly number[], codeBytes: number): readonly number[] {
  if (!isPacked(dtype)) return shape;
  const depth = shape.at(-1) ?? 1;
  const rows = productOf(shape) / depth;
  return codeBytes === rows * packedBytes(dtype, depth) ? [...shape.slice(0, -1), codeBytes / rows] : [codeBytes];
}

/** Bytes of the codes of so many values of one row, from the start of a block on; a block that is cut off counts whole. */
export function codeBytesOf(scheme: Scheme, values: number): number {
  if (scheme.layout === 'planar') return packedBytes(scheme.dtype, values);
  return Math.ceil(values / blockOf(scheme).size) * scheme.layout.blockBytes;
}

/** Values of a block of a foreign layout, and whether the last one of a row may hold fewer. */
function blockOf({ format, granularity }: Scheme): { readonly size: number; readonly ragged: boolean } {
  if (format !== null) return BLOCK_FORMATS[format];
  return { size: granularity.kind === 'perBlock' ? granularity.size : 1, ragged: false };
}

function splitOf(scheme: Scheme, shape: readonly number[], elements: number): Split {
  const granularity = scheme.granularity;
  if (granularity.kind === 'perTensor') {
    const units = Math.ceil(elements / Size.TensorTile);
    return { ...UNUSED, op: Op.Tensor, units, unitElements: Size.TensorTile, length: elements, parameterShape: [] };
  }
  if (granularity.axis === null) {
    return splitOf({ ...scheme, granularity: { ...granularity, axis: 0 } }, [elements], elements);
  }
  const axis = axisOf(granularity.axis, shape);
  const depth = shape[axis]!;
  const inner = productOf(shape.slice(axis + 1));
  const outer = elements / depth / inner;
  if (granularity.kind === 'perChannel') return channelSplit(depth, outer, inner);
  const size = granularity.kind === 'perToken' ? depth : Math.min(granularity.size, depth);
  const groups = Math.ceil(depth / size);
  const parameterShape = shape.map((extent, index) => (index === axis ? groups : extent));
  if (inner === 1) return { ...rowSplit(outer, depth, size), parameterShape };
  return { ...columnSplit(outer, depth, size, inner), parameterShape };
}

function channelSplit(depth: number, outer: number, inner: number): Split {
  const parameterShape = [depth];
  // Channels of one value each go sixteen at a time, as columns.
  if (outer === 1 && inner > 1) return { ...rowSplit(depth, inner, inner), parameterShape };
  if (inner === 1) return { ...columnSplit(1, outer, outer, depth), parameterShape };
  const unitElements = outer * inner;
  return {
    ...UNUSED,
    op: Op.Channels,
    units: depth,
    unitElements,
    length: inner,
    count: depth,
    parts: outer,
    parameterShape,
  };
}

/** Rows of blocks. A unit is a row, or of a long row with many blocks as many of them as a tile has room for. */
function rowSplit(rows: number, length: number, group: number): Omit<Split, 'parameterShape'> {
  const span = Math.floor(Size.TensorTile / group) * group;
  if (span === 0 || length < 2 * span) {
    return { ...UNUSED, op: Op.Segments, units: rows, unitElements: length, length, group };
  }
  const units = rows * Math.ceil(length / span);
  return { ...UNUSED, op: Op.Segments, units, unitElements: span, length, group, count: span };
}

function columnSplit(outer: number, length: number, group: number, inner: number): Omit<Split, 'parameterShape'> {
  const strips = Math.ceil(inner / Size.StripColumns);
  const units = outer * Math.ceil(length / group) * strips;
  const unitElements = group * Math.min(inner, Size.StripColumns);
  return { ...UNUSED, op: Op.Columns, units, unitElements, length, group, inner };
}

/** `axis` counted from 0. */
function axisOf(axis: number, shape: readonly number[]): number {
  const index = axis < 0 ? axis + shape.length : axis;
  if (index >= 0 && index < shape.length) return index;
  throw fail('ERR_QUANTLANE_SHAPE', `Expected a shape with axis ${axis}, got [${shape.join(', ')}]`);
}
