/**
 * The 16-bit floats: float16, written out from its definition (5 bits of exponent, 10 of fraction), and bfloat16.
 * @module
 */
import { roundHalfEven } from '../numbers.js';

/** The value of float16 `bits`. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The bits of the float16 nearest to `x`, ties to even; beyond the largest infinity, every NaN the canonical one. */
export function toHalf(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  if (size >= 65520) return sign | 0x7c00;
  let exponent = -14;
  while (size >= 2 ** (exponent + 1)) exponent++;
  // In steps of this exponent's last place; a carry into the next exponent is the right number too.
  const steps = roundHalfEven(size / 2 ** (exponent - 10));
  return sign | (steps + (exponent + 14) * 1024);
}

let table: Float32Array | undefined;

/** Every float16 as float32, by its bits. */
export function halves(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => fromHalf(bits));
  return table;
}

/** Raw bits of a 16-bit type as float32. */
export function widened(dtype: 'float16' | 'bfloat16', bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length);
  if (dtype === 'bfloat16') {
    // By their bits: a NaN keeps its own.
    const words = new Uint32Array(values.buffer);
    for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  } else {
    const all = halves();
    for (let i = 0; i < bits.length; i++) values[i] = all[bits[i]!]!;
  }
  return values;
}
