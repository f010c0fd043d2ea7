/**
 * Q8_K: 256 codes of 8 bits with a float32 scale and the sums of each 16 codes (ggml `quantize_row_q8_K_ref`).
 * @module
 */
import { roundHalfEven } from '../../../numbers.js';
import { type BlockTwin, peakOf } from './block.js';

const { fround } = Math;
const CODES = 4;
const SUMS = CODES + 256;

/** Q8_K. What the scaled value is where it is not finite has the code 0, as the bits of ggml's rounding say. */
export const q8_k: BlockTwin = {
  encode(values, view, at) {
    const peak = peakOf(values);
    const scale = peak === 0 ? 0 : fround(-127 / peak);
    const d = peak === 0 ? 0 : fround(1 / scale);
    if (Number.isNaN(d)) view.setUint32(at, 0x7fc00000, true);
    else view.setFloat32(at, d, true);
    for (let part = 0; part < 16; part++) {
      let sum = 0;
      for (let i = part * 16; i < part * 16 + 16; i++) {
        const v = fround(values[i]! * scale);
        const code = Number.isFinite(v) ? Math.min(127, roundHalfEven(v)) : 0;
        view.setInt8(at + CODES + i, code);
        sum += code;
      }
      view.setInt16(at + SUMS + part * 2, sum, true);
    }
  },
  decode(view, at, values) {
    const d = view.getFloat32(at, true);
    for (let i = 0; i < values.length; i++) values[i] = view.getInt8(at + CODES + i) * d;
  },
};
