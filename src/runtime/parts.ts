/**
 * The parts of a result in its one lease: codes, scales, zero points, statistics.
 * @module
 */
import { Size } from '../scheme/codes.js';
import { type CodeDtype, codeSize, type Layout, type Scheme } from '../scheme/index.js';

/** View of codes or zero points. */
export type CodeArray = Int8Array | Uint8Array | Int16Array | Uint16Array;

/** Where the parts of a result lie, in bytes from its start; −1 for a part that is not there. */
export interface Parts {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly rangeLow: number;
  readonly rangeHigh: number;
  readonly statistics: number;
  /** Bytes of the whole. */
  readonly bytes: number;
}

const VIEWS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array };

/** A view of `length` codes of a type. */
export function codeView(dtype: CodeDtype, buffer: SharedArrayBuffer, offset: number, length: number): CodeArray {
  const View: new (buffer: SharedArrayBuffer, offset: number, length: number) => CodeArray = VIEWS[dtype];
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
  const scale = take(isPlanar, layout.parameters * (scheme.scaleDtype === 'float16' ? 2 : 4));
  const zeroPoint = take(isPlanar && !scheme.symmetric, layout.parameters * codeSize(scheme.dtype));
  const rangeLow = take(hasRange, layout.parameters * 4);
  const rangeHigh = take(hasRange, layout.parameters * 4);
  const statistics = take(hasStatistics, layout.units * Size.StatisticsDoubles * 8);
  return { scale, zeroPoint, rangeLow, rangeHigh, statistics, bytes };
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
