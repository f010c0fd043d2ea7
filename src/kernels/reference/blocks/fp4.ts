/**
 * MXFP4 and NVFP4: floats of 4 bits, E2M1 (ggml `quantize_row_mxfp4_ref`, `quantize_row_nvfp4_ref`). As in ggml the
 * table holds twice the values and the scales are halved, so that all of them are integers.
 * @module
 */
import { amaxOf, type BlockTwin } from './block.js';
import { pack, unpack } from './nibbles.js';

const { fround } = Math;

/** Twice the values of the codes 0 to 7; codes from 8 on are their negatives, 8 itself is 0. */
const TWICE = [0, 1, 2, 3, 4, 6, 8, 12];

function numberOf(code: number): number {
  return code <= 8 ? TWICE[code & 7]! : -TWICE[code - 8]!;
}

/** The first code whose value has the smallest distance, in float32, from `x`. */
function codeOf(x: number, d: number): number {
  let best = 0;
  let least = Number.NaN;
  for (let code = 0; code < 16; code++) {
    const error = Math.abs(fround(fround(numberOf(code) * d) - x));
    if (code === 0 || error < least) {
      best = code;
      least = error;
    }
  }
  return best;
}

/** ⌊log2⌋ of a positive finite number. */
function exponentOf(x: number): number {
  let exponent = -149;
  while (2 ** (exponent + 1) <= x) exponent++;
  return exponent;
}

/** Half of the power of two with the exponent byte `e`. */
function halfPower(e: number): number {
  return 2 ** (e - 128);
}

/** MXFP4. The exponent of a tiny block wraps around; that of an infinite or NaN amax is 255. */
export const mxfp4: BlockTwin = {
  encode(values, view, at) {
    const amax = amaxOf(values);
    const e = amax === 0 ? 0 : Number.isFinite(amax) ? (exponentOf(amax) + 125) & 255 : 255;
    view.setUint8(at, e);
    pack(
      view,
      at + 1,
      4,
      Array.from(values, (value) => codeOf(value, halfPower(e))),
    );
  },
  decode(view, at, values) {
    const d = halfPower(view.getUint8(at));
    unpack(view, at + 1, 4).forEach((code, i) => {
      values[i] = numberOf(code) * d;
    });
  },
};

/** The unsigned E4M3 of a number: halves up; what rounds to 256 or more is 448, as in ggml. NaN is 0. */
function toE4m3(x: number): number {
  if (!(x > 0)) return 0;
  if (x >= 248) return 0x7e;
  if (x < 2 ** -6) {
    const steps = Math.min(7, Math.trunc(fround(fround(x * 512) + 0.5)));
    return steps < 1 ? 0 : steps;
  }
  const exponent = exponentOf(x);
  const steps = Math.floor(x / 2 ** (exponent - 3) + 0.5);
  return (exponent + 7) * 8 + steps - 8;
}

/** Half of the unsigned E4M3 of a byte; the NaN of the format is 0. */
function halfE4m3(byte: number): number {
  if (byte === 0 || byte === 0x7f) return 0;
  const exponent = (byte >> 3) & 15;
  const fraction = byte & 7;
  return (exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10)) / 2;
}

/** NVFP4: a scale for every 16 values, whose byte j holds the codes j and j + 8. */
export const nvfp4: BlockTwin = {
  encode(values, view, at) {
    for (let part = 0; part < 4; part++) {
      const sixteen = values.subarray(part * 16, part * 16 + 16);
      const byte = toE4m3(fround(amaxOf(sixteen) / 6));
      view.setUint8(at + part, byte);
      const codes = Array.from(sixteen, (value) => codeOf(value, halfE4m3(byte)));
      for (let j = 0; j < 8; j++) view.setUint8(at + 4 + part * 8 + j, codes[j]! | (codes[j + 8]! << 4));
    }
  },
  decode(view, at, values) {
    for (let i = 0; i < 64; i++) {
      const byte = view.getUint8(at + 4 + (i >> 4) * 8 + (i & 7));
      values[i] = numberOf(i & 8 ? byte >> 4 : byte & 15) * halfE4m3(view.getUint8(at + (i >> 4)));
    }
  },
};
