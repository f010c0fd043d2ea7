/**
 * A histogram whose bits do not depend on the order of values: bin i holds the x with i ≤ x / 2^k < i + 1, where k
 * follows from the exponent of the largest magnitude alone. To make room, k grows and whole bins fall together, for
 * floor(floor(x / 2^k) / 2^d) = floor(x / 2^(k + d)). Every operation is exact.
 * @module
 */
import { MAX_FLOAT32 } from '../numbers.js';
import type { Fields } from './fields.js';
import type { Grid, GridOptions } from './grid.js';
import type { Bins } from './observer.js';

/** Exponent of the smallest float32; no finer bin could tell values apart. */
const LEAST_EXPONENT = -149;

/** Bins of a power of two. */
export class DyadicGrid implements Grid {
  readonly mergesInAnyOrder = true;
  readonly #signed: boolean;
  /** Bins on one side of zero; the largest magnitude falls into the upper half of them. */
  readonly #side: number;
  /** log2 of the number of bins on a side that the largest magnitude lies beyond. */
  readonly #depth: number;
  /** k: 2^k is the width. */
  #exponent = LEAST_EXPONENT;
  /** Counts from the lowest bin on; bin 0 is at `#zero`. */
  #counts: Float64Array;
  readonly #zero: number;

  /** @param options - `bins` is a power of two: at least as many reach up to the largest magnitude */
  constructor({ bins, signed }: GridOptions) {
    const side = signed ? bins / 2 : bins;
    this.#signed = signed;
    this.#depth = Math.round(Math.log2(side));
    this.#side = side * 2;
    // −2^e in bins of 2^k is the lower edge of a bin, so one bin more than the largest index is never needed.
    this.#zero = signed ? this.#side : 0;
    this.#counts = new Float64Array(this.#zero + this.#side);
  }

  add(values: Float32Array, most: number): void {
    this.#coarsen(this.#exponentFor(most));
    const counts = this.#counts;
    // A power of two from 2^-116 to 2^149: the product is exact.
    const factor = 2 ** -this.#exponent;
    const zero = this.#zero;
    if (this.#signed) {
      for (let index = 0; index < values.length; index++) counts[zero + Math.floor(values[index]! * factor)]!++;
    } else {
      for (let index = 0; index < values.length; index++) counts[Math.floor(Math.abs(values[index]!) * factor)]!++;
    }
  }

  merge(other: DyadicGrid): void {
    this.#coarsen(other.#exponent);
    const by = this.#exponent - other.#exponent;
    const zero = this.#zero;
    other.#counts.forEach((count, place) => {
      if (count > 0) this.#counts[zero + Math.floor((place - zero) / 2 ** by)]! += count;
    });
  }

  bins(): Bins {
    const [lowest, highest] = this.#reach();
    const counts = this.#counts.slice(this.#zero + lowest, this.#zero + highest);
    const width = 2 ** this.#exponent;
    const edge = (index: number): number => Math.max(-MAX_FLOAT32, Math.min((lowest + index) * width, MAX_FLOAT32));
    return { edges: Float32Array.from({ length: counts.length + 1 }, (_, index) => edge(index)), counts };
  }

  toJSON(): Readonly<Record<string, unknown>> {
    const [lowest, highest] = this.#reach();
    const counts = Array.from(this.#counts.slice(this.#zero + lowest, this.#zero + highest));
    return { exponent: this.#exponent, lowest, counts };
  }

  /** The way back of `toJSON`, for a grid that is empty. */
  load(fields: Fields): void {
    fields.only('exponent', 'lowest', 'counts');
    const exponent = fields.integer('exponent', { least: LEAST_EXPONENT, most: 127 - this.#depth });
    const lowest = fields.integer('lowest', { least: -this.#zero, most: 0 });
    const counts = fields.counts('counts', 1, this.#side - lowest);
    this.#exponent = exponent;
    this.#counts.set(counts, this.#zero + lowest);
  }

  /** First bin and the one after the last, up to the largest magnitude; about zero where signed. */
  #reach(): readonly [number, number] {
    let highest = this.#side;
    while (highest > 1 && this.#counts[this.#zero + highest - 1] === 0) highest--;
    if (!this.#signed) return [0, highest];
    let lowest = -this.#side;
    while (lowest < -1 && this.#counts[this.#zero + lowest] === 0) lowest++;
    const reach = Math.max(highest, -lowest);
    return [-reach, reach];
  }

  /** k for a largest magnitude: `depth` binary places below its exponent. */
  #exponentFor(most: number): number {
    return Math.max(exponentOf(most) - this.#depth, LEAST_EXPONENT);
  }

  /** Makes bins of width 2^exponent out of narrower ones; wider ones stay. */
  #coarsen(exponent: number): void {
    if (exponent <= this.#exponent) return;
    const counts = new Float64Array(this.#counts.length);
    const zero = this.#zero;
    const step = 2 ** (exponent - this.#exponent);
    this.#counts.forEach((count, place) => {
      if (count > 0) counts[zero + Math.floor((place - zero) / step)]! += count;
    });
    this.#counts = counts;
    this.#exponent = exponent;
  }
}

const scratch = new DataView(new ArrayBuffer(4));

/** floor(log2 x) of a float32 from 0, from its bits; −149 for 0. */
function exponentOf(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const biased = bits >>> 23;
  return biased > 0 ? biased - 127 : Math.max(31 - Math.clz32(bits), 0) + LEAST_EXPONENT;
}
