/**
 * IQ4_NL: places in a table of 16 values (ggml `quantize_row_iq4_nl_ref`: one candidate scale, then the scale of the
 * least squares with the weights x²).
 * @module
 */
import { type BlockTwin, inverseOf, peakOf, readHalf, writeHalf } from './block.js';
import { pack, unpack } from './nibbles.js';

const { fround } = Math;

/** The table. */
export const IQ4_VALUES = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** Below this largest magnitude a block counts as zeros. */
const SMALLEST = fround(1e-15);

/** The place of the value nearest to `v`, ties up; NaN has that of zero. */
function placeOf(v: number): number {
  let place = Number.isNaN(v) ? 8 : 0;
  for (let i = 1; i < 16; i++) if (v >= (IQ4_VALUES[i - 1]! + IQ4_VALUES[i]!) / 2) place = i;
  return place;
}

/** IQ4_NL. The sums add in the order of the values. */
export const iq4_nl: BlockTwin = {
  encode(values, view, at) {
    const peak = peakOf(values);
    const isZero = Math.abs(peak) < SMALLEST;
    const id = isZero ? 0 : inverseOf(fround(peak / IQ4_VALUES[0]!));
    const places = Array.from(values, (value) => placeOf(fround(id * value)));
    let above = 0;
    let below = 0;
    values.forEach((value, i) => {
      const q = IQ4_VALUES[places[i]!]!;
      const weighted = fround(fround(value * value) * q);
      above = fround(above + fround(weighted * value));
      below = fround(below + fround(weighted * q));
    });
    writeHalf(view, at, isZero ? 0 : fround(above / below));
    pack(view, at + 2, 4, places);
  },
  decode(view, at, values) {
    const d = readHalf(view, at);
    unpack(view, at + 2, 4).forEach((place, i) => {
      values[i] = IQ4_VALUES[place]! * d;
    });
  },
};
