/**
 * What the scalar twin knows of a block format: from values to the bytes of a block, and back. Every operation is one
 * of float32, as the system that owns the format does it; an integer made of NaN or of what does not fit is named there.
 * @module
 */
import { fromHalf, toHalf } from '../../../memory/index.js';

/** One block format. */
export interface BlockTwin {
  /** Values that stand alone: what ±Inf becomes under `saturate`. Absent: the largest finite magnitude of the block. */
  readonly largest?: number;
  /** Writes the block of `values` at byte `at`. */
  encode(values: Float32Array, view: DataView, at: number): void;
  /** Reads the values of the block at byte `at`. */
  decode(view: DataView, at: number, values: Float32Array): void;
}

/** The float16 at `at`. */
export function readHalf(view: DataView, at: number): number {
  return fromHalf(view.getUint16(at, true));
}

/** Writes the float16 nearest to `value`. */
export function writeHalf(view: DataView, at: number, value: number): void {
  view.setUint16(at, toHalf(value), true);
}

/** The largest magnitude; NaN where a value is NaN. */
export function amaxOf(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** The first value of the largest magnitude, with its sign; NaN where a value is NaN, and +0 where all are zero. */
export function peakOf(values: Float32Array): number {
  const amax = amaxOf(values);
  if (Number.isNaN(amax) || amax === 0) return amax;
  return values.find((value) => Math.abs(value) === amax)!;
}

/** The first of the smallest and of the largest values; both NaN where a value is NaN. */
export function endsOf(values: Float32Array): readonly [number, number] {
  let min = values[0]!;
  let max = values[0]!;
  for (const value of values) {
    if (Number.isNaN(value)) return [Number.NaN, Number.NaN];
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}

/** 1 / d, and 0 where d is. */
export function inverseOf(d: number): number {
  return d === 0 ? 0 : Math.fround(1 / d);
}
