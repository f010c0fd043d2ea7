/**
 * Q4_0, Q4_1, Q5_0 and Q5_1: codes of 4 or 5 bits (ggml `quantize_row_q4_0_ref` and its like). Byte j holds the low bits
 * of the codes j and j + 16; the fifth bits lie together, bit i of a 32-bit number being that of code i.
 * @module
 */
import { type BlockTwin, endsOf, inverseOf, peakOf, readHalf, writeHalf } from './block.js';

const { fround } = Math;

/** Codes about the middle one, which is that of zero. */
function centred(bits: 4 | 5): BlockTwin {
  const half = 2 ** (bits - 1);
  return {
    encode(values, view, at) {
      const d = fround(peakOf(values) / -half);
      const id = inverseOf(d);
      writeHalf(view, at, d);
      const codes = Array.from(values, (value) => codeOf(fround(fround(value * id) + (half + 0.5)), bits));
      pack(view, at + 2, bits, codes);
    },
    decode(view, at, values) {
      const d = readHalf(view, at);
      unpack(view, at + 2, bits).forEach((code, i) => {
        values[i] = (code - half) * d;
      });
    },
  };
}

/** Codes from the smallest value up. */
function raised(bits: 4 | 5): BlockTwin {
  return {
    encode(values, view, at) {
      const [min, max] = endsOf(values);
      const d = fround(fround(max - min) / (2 ** bits - 1));
      const id = inverseOf(d);
      // All zeros, of any signs, have the scale +0.
      writeHalf(view, at, d === 0 ? 0 : d);
      writeHalf(view, at + 2, min);
      const codes = Array.from(values, (value) => codeOf(fround(fround(fround(value - min) * id) + 0.5), bits));
      pack(view, at + 4, bits, codes);
    },
    decode(view, at, values) {
      const d = readHalf(view, at);
      const min = readHalf(view, at + 2);
      unpack(view, at + 4, bits).forEach((code, i) => {
        values[i] = fround(code * d) + min;
      });
    },
  };
}

/** The integer below a number that is not negative, at most the largest code; what is not finite is 0. */
function codeOf(v: number, bits: 4 | 5): number {
  return Number.isFinite(v) ? Math.min(Math.floor(Math.max(v, 0)), 2 ** bits - 1) : 0;
}

/** Writes 32 codes; of 5 bits the high ones first. */
export function pack(view: DataView, at: number, bits: 4 | 5, codes: readonly number[]): void {
  if (bits === 5) {
    let high = 0;
    codes.forEach((code, i) => {
      high |= (code >> 4) << i;
    });
    view.setUint32(at, high >>> 0, true);
  }
  const low = bits === 5 ? at + 4 : at;
  for (let j = 0; j < 16; j++) view.setUint8(low + j, (codes[j]! & 15) | ((codes[j + 16]! & 15) << 4));
}

/** Reads 32 codes. */
export function unpack(view: DataView, at: number, bits: 4 | 5): number[] {
  const high = bits === 5 ? view.getUint32(at, true) : 0;
  const low = bits === 5 ? at + 4 : at;
  return Array.from({ length: 32 }, (_, i) => {
    const byte = view.getUint8(low + (i & 15));
    return (i < 16 ? byte & 15 : byte >> 4) | (((high >>> i) & 1) << 4);
  });
}

export const q4_0 = centred(4);
export const q4_1 = raised(4);
export const q5_0 = centred(5);
export const q5_1 = raised(5);
