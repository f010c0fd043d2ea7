/**
 * The chance of stochastic rounding (equation 32): 24 bits of a hash of seed and index, from 0 to below 1.
 * @module
 */

/** The finalizer of MurmurHash3 (fmix32). */
function mixed(h: number): number {
  let k = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  k = Math.imul(k ^ (k >>> 13), 0xc2b2ae35);
  return (k ^ (k >>> 16)) >>> 0;
}

/** The chance of the value `index` of a tensor. */
export function chanceOf(seed: number, index: number): number {
  return (mixed((mixed(seed) + index) | 0) >>> 8) / 2 ** 24;
}
