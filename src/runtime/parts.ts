/**
 * The parts of a result in its one lease: codes, scales, zero points, statistics.
 * @module
 */
import { Size } from '../scheme/descriptor.js';
import {
  isPacked,
  type Layout,
  type ScaleDtype,
  type Scheme,
  type StorageDtype,
  scaleBytes,
  type ZeroPointDtype,
  zeroPointBytes,
} from '../scheme/index.js';

/** View of codes; small floats and codes that share bytes as raw bits. */
export type CodeArray = Int8Array | Uint8Array | Int16Array | Uint16Array;

/** View of zero points. */
export type ZeroPointArray = CodeArray | Int32Array | Float32Array;

/** View of scales; float16, E8M0 and E4M3FN as raw bits. */
export type ScaleArray = Float32Array | Uint16Array | Float64Array | Uint8Array;

/** Where the parts of a result lie, in bytes from its start; −1 for a part that is not there. */
export interface Parts {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly rangeLow: number;
  readonly rangeHigh: number;
  readonly statistics: number;
  /** Outlier columns, and their values, row by row. */
  readonly outliers: number;
  readonly outlierValues: number;
  /** The one scale of the whole tensor, a float32. */
  readonly tensorScale: number;
  /** Codes that will share bytes, a byte each; gone when the result is there. */
  readonly unpacked: number;
  /** Bytes of the whole. */
  readonly bytes: number;
}

const VIEWS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  float32: Float32Array,
};
const SCALES = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  float8e8m0: Uint8Array,
  float8e4m3fn: Uint8Array,
};

/** A view of `length` codes or zero points of a type. */
export function codeView<D extends ZeroPointDtype>(
  dtype: D,
  buffer: SharedArrayBuffer,
  offset: number,
  length: number,
): D extends StorageDtype ? CodeArray : ZeroPointArray {
  const View: new (buffer: SharedArrayBuffer, offset: number, length: number) => ZeroPointArray = VIEWS[dtype];
  return new View(buffer, offset, length) as CodeArray;
}

/** A view of `length` scales of a type. */
export function scaleView(dtype: ScaleDtype, buffer: SharedArrayBuffer, offset: number, length: number): ScaleArray {
  const View: new (buffer: SharedArrayBuffer, offset: number, length: number) => ScaleArray = SCALES[dtype];
  return new View(buffer, offset, length);
}

/** Where the parts of a result of this layout lie, each on 64 bytes. */
export function partsOf(scheme: Scheme, layout: Layout, hasStatistics: boolean, hasRange: boolean): Parts {
  let bytes = align(layout.codeBytes);
  const take = (needed: boolean, size: number): number => {
    if (!needed) return -1;
    const at = bytes;
    bytes = align(bytes + size);
    return at;
  };
  const isPlanar = scheme.layout === 'planar';
  const scale = take(isPlanar, layout.parameters * scaleBytes(scheme));
  const zeroPoint = take(isPlanar && !scheme.symmetric, layout.parameters * zeroPointBytes(scheme));
  const rangeLow = take(hasRange, layout.parameters * 4);
  const rangeHigh = take(hasRange, layout.parameters * 4);
  const statistics = take(hasStatistics, layout.units * Size.StatisticsDoubles * 8);
  const outliers = take(scheme.outliers !== null, layout.count * 4);
  const outlierValues = take(scheme.outliers !== null, layout.units * layout.count * 4);
  const tensorScale = take(scheme.tensorScale, 4);
  const unpacked = take(isPlanar && isPacked(scheme.dtype), layout.elements);
  const apart = { outliers, outlierValues, tensorScale, unpacked };
  return { scale, zeroPoint, rangeLow, rangeHigh, statistics, ...apart, bytes };
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
