/**
 * int8 codes of a row as a unit vector (USearch `cast_to_i8_gt`), in float64.
 * @module
 */
import type { BlockTwin } from './block.js';

/** x · 127 / norm, cut off. A row without length, or with an infinite or NaN one, has codes of 0. */
export const usearchI8: BlockTwin = {
  encode(values, view, at) {
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    values.forEach((value, i) => {
      const scaled = (value * 127) / norm;
      const code = Number.isNaN(scaled) ? 0 : Math.trunc(Math.min(Math.max(scaled, -127), 127));
      view.setInt8(at + i, code);
    });
  },
  decode(view, at, values) {
    for (let i = 0; i < values.length; i++) values[i] = view.getInt8(at + i) / 127;
  },
};
