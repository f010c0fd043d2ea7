/**
 * Q8_0 and Q8_1: 32 codes of 8 bits with a float16 scale (ggml `quantize_row_q8_0_ref`, `quantize_row_q8_1_ref`, and
 * `quantize_row_q8_0` of its x86 path). Codes are made with the float32 scale.
 * @module
 */
import { roundHalfEven } from '../../../numbers.js';
import { roundHalfAway } from '../rounding.js';
import { amaxOf, type BlockTwin, inverseOf, readHalf, writeHalf } from './block.js';

const { fround } = Math;

function decodeAt(codesAt: number): BlockTwin['decode'] {
  return (view, at, values) => {
    const d = readHalf(view, at);
    for (let i = 0; i < values.length; i++) values[i] = view.getInt8(at + codesAt + i) * d;
  };
}

/** The nearest code, ties away from zero; beyond the codes the last one, NaN 0. */
function nearestCode(v: number): number {
  if (Number.isNaN(v)) return 0;
  return roundHalfAway(Math.min(Math.max(v, -128), 127));
}

/** Q8_0 of the reference. */
export const q8_0: BlockTwin = {
  encode(values, view, at) {
    const d = fround(amaxOf(values) / 127);
    const id = inverseOf(d);
    writeHalf(view, at, d);
    values.forEach((value, i) => {
      view.setInt8(at + 2 + i, nearestCode(fround(value * id)));
    });
  },
  decode: decodeAt(2),
};

/** Q8_0 of the x86 path: x · (127 / amax), ties to even; NaN and what no int32 holds become −128, as in its registers. */
export const q8_0x86: BlockTwin = {
  encode(values, view, at) {
    const amax = amaxOf(values);
    const id = amax === 0 ? 0 : fround(127 / amax);
    writeHalf(view, at, fround(amax / 127));
    values.forEach((value, i) => {
      const v = fround(value * id);
      const fits = Math.abs(v) < 2 ** 31;
      view.setInt8(at + 2 + i, fits ? Math.min(Math.max(roundHalfEven(v), -128), 127) : -128);
    });
  },
  decode: decodeAt(2),
};

/** Q8_1: with the sum of the codes times the scale. */
export const q8_1: BlockTwin = {
  encode(values, view, at) {
    const d = fround(amaxOf(values) / 127);
    const id = inverseOf(d);
    let sum = 0;
    values.forEach((value, i) => {
      const code = nearestCode(fround(value * id));
      view.setInt8(at + 4 + i, code);
      sum += code;
    });
    writeHalf(view, at, d);
    writeHalf(view, at + 2, fround(sum * d));
  },
  decode: decodeAt(4),
};
