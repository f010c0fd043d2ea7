/**
 * F16 and BF16: each value by itself, half to even, every NaN the canonical one (ggml `ggml_fp32_to_fp16_row`,
 * `ggml_fp32_to_bf16_row_ref`).
 * @module
 */
import { type BlockTwin, readHalf, writeHalf } from './block.js';

const scratch = new DataView(new ArrayBuffer(4));

/** F16; any number of values. */
export const f16: BlockTwin = {
  largest: 65504,
  encode(values, view, at) {
    values.forEach((value, i) => {
      writeHalf(view, at + i * 2, value);
    });
  },
  decode(view, at, values) {
    for (let i = 0; i < values.length; i++) values[i] = readHalf(view, at + i * 2);
  },
};

/** BF16, the upper half of a float32; any number of values. */
export const bf16: BlockTwin = {
  largest: 2 ** 127 * (2 - 2 ** -7),
  encode(values, view, at) {
    values.forEach((value, i) => {
      scratch.setFloat32(0, value);
      const bits = scratch.getUint32(0);
      const even = (bits >>> 16) & 1;
      view.setUint16(at + i * 2, Number.isNaN(value) ? 0x7fc0 : (bits + 0x7fff + even) >>> 16, true);
    });
  },
  decode(view, at, values) {
    for (let i = 0; i < values.length; i++) {
      scratch.setUint32(0, view.getUint16(at + i * 2, true) << 16);
      values[i] = scratch.getFloat32(0);
    }
  },
};
