/** Inputs of golden rows, each of which tells some rules apart. */
import { fromBits } from './row.js';

/** amax = 127, so that 127 steps make a scale of exactly 1: what is left is rounding. */
export const TIES = [
  ...[127, -127, 0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, -3.5],
  ...[fromBits(0x3effffff), 126.5, -126.5, 63.5, 100.4, -100.6],
];

/** amax and a value whose code tells x · (127 / amax), x · (1 / (amax / 127)) and x / (amax / 127) apart. */
export const WITNESS_A = [fromBits(0x40315815), fromBits(0x401bb320)];
/** Another one. */
export const WITNESS_B = [fromBits(0x407fc153), fromBits(0x3ff3ac19)];
/** amax / 127 of the witnesses. */
export const SCALE_A = fromBits(0x3cb2bd90);
export const SCALE_B = fromBits(0x3d00e26e);

/** A scale and a value for which x · (1 / scale) is 127.5 and x / scale is below it. */
export const SCALE_C = fromBits(0x3b0cceaa);
export const WITNESS_C = [fromBits(0x3e8c41db)];

/** A range from −1 to 2. */
export const TWO_SIDED = [-1, -0.5, 0, 0.5, 1, 2];

/** A range whose zero point is close to a tie. */
export const UNEVEN = [0.53125, 0.546875, 0.0234375, -0.01953125, 0.17578125, 0.19921875, 0.53125, 0.64453125];

/** A range that zero is not in. */
export const ONE_SIDED = [3, 4, 5, 6, 7, 8];

/** Zeros of both signs. */
export const ZEROS = [0, 0, -0, 0];

/** 32 values: one block of most formats. */
export const BLOCK = [
  ...[-3.875, -2.125, -0.375, 1.375, 3.125, 4, -1.375, 0.375, 2.125, 0.015625, -2.375, -0.625, 1.125, 2.875, -3.375],
  ...[-1.625, 0.125, 1.875, 3.625, -2.625, -0, 0.875, 2.625, -3.625, -1.875, -0.125, 1.625, 3.375, -2.875, -1.125],
  ...[0.625, 2.375],
];
