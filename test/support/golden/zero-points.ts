/** Golden rows that tell the rules of zero points apart: ranges on both sides of zero, on one, and of zeros. */
import { ONE_SIDED, TWO_SIDED, UNEVEN, ZEROS } from './inputs.js';
import { type GoldenRow, type GoldenTable, rowsOf } from './row.js';
import { REDUCED, TFLITE_NEON, VLLM_CPU } from './systems.js';

const { fround } = Math;
const EPSILON = 2 ** -23;

const two = rowsOf(TWO_SIDED);
const TWO_SCALE = fround(3 / 255);

const TWO_SIDED_ROWS: readonly GoldenRow[] = [
  two('onnx-dynamic', [0, 43, 85, 127, 170, 255], TWO_SCALE, 85, { from: 'run' }),
  two('torch-dynamic', [0, 43, 85, 127, 170, 255], 3 / 255, 85),
  two('fbgemm-dynamic', [0, 43, 85, 127, 170, 255], TWO_SCALE, 85),
  two('torch-dynamic', [0, 21, 42, 63, 84, 127], 3 / 127, 42, REDUCED),
  two('torch-int8-affine', [-128, -85, -43, -1, 42, 127], TWO_SCALE, -43),
  two('torchao-int8-affine', [-128, -85, -43, -1, 42, 127], TWO_SCALE, -43),
  two('torch-per-token-affine', [-128, -85, -43, -1, 42, 127], TWO_SCALE, -43),
  two('xnnpack-qd8', [-128, -85, -43, -1, 42, 127], TWO_SCALE, -43),
  two('vllm-int8-azp', [-128, -85, -43, -1, 42, 127], TWO_SCALE, -43),
  two('tflite-int8-affine', [-128, -86, -43, -1, 42, 127], TWO_SCALE, -43),
  two('kleidiai-qai8dxp', [-128, -86, -43, 0, 42, 127], TWO_SCALE, -43),
  two('tflite-int8-affine', [-128, -86, -43, 0, 42, 127], TWO_SCALE, -43, TFLITE_NEON),
  two('vllm-int8-azp', [-128, -86, -43, 0, 42, 127], TWO_SCALE, -43, VLLM_CPU),
];

const uneven = rowsOf(UNEVEN);
const UNEVEN_WIDE = (0.64453125 + 0.01953125) / 255;
const UNEVEN_SCALE = fround(UNEVEN_WIDE);

const UNEVEN_ROWS: readonly GoldenRow[] = [
  uneven('onnx-dynamic', [212, 218, 17, 0, 76, 84, 212, 255], UNEVEN_SCALE, 8, { from: 'run' }),
  uneven('torch-dynamic', [212, 218, 17, 0, 76, 84, 212, 255], UNEVEN_WIDE, 8),
  uneven('fbgemm-dynamic', [211, 217, 16, 0, 75, 83, 211, 255], UNEVEN_SCALE, 7),
  uneven('torch-int8-affine', [84, 90, -111, -128, -52, -44, 84, 127], UNEVEN_SCALE, -120),
  uneven('torchao-int8-affine', [84, 90, -111, -128, -52, -44, 84, 127], UNEVEN_SCALE, -120),
  uneven('xnnpack-qd8', [84, 90, -111, -128, -52, -44, 84, 127], UNEVEN_SCALE, -120),
  uneven('vllm-int8-azp', [84, 90, -111, -128, -52, -44, 84, 127], UNEVEN_SCALE, -120),
  uneven('vllm-int8-azp', [84, 90, -111, -128, -52, -44, 84, 127], UNEVEN_SCALE, -120, VLLM_CPU),
  uneven('torch-per-token-affine', [84, 90, -111, -127, -53, -44, 84, 127], UNEVEN_SCALE, -120),
  uneven('kleidiai-qai8dxp', [84, 90, -111, -128, -52, -43, 84, 127], UNEVEN_SCALE, -120),
  uneven('tflite-int8-affine', [83, 89, -112, -128, -54, -45, 83, 127], UNEVEN_SCALE, -121),
  uneven('tflite-int8-affine', [83, 89, -112, -128, -53, -44, 83, 127], UNEVEN_SCALE, -121, TFLITE_NEON),
];

const one = rowsOf(ONE_SIDED);
const ONE_SCALE = fround(8 / 255);

const ONE_SIDED_ROWS: readonly GoldenRow[] = [
  one('onnx-dynamic', [96, 127, 159, 191, 223, 255], ONE_SCALE, 0, { from: 'run' }),
  one('torch-dynamic', [96, 127, 159, 191, 223, 255], 8 / 255, 0),
  one('fbgemm-dynamic', [96, 127, 159, 191, 223, 255], ONE_SCALE, 0),
  one('torch-uint8-affine', [96, 127, 159, 191, 223, 255], ONE_SCALE, 0),
  one('xnnpack-qd8', [-32, 0, 31, 63, 95, 127], ONE_SCALE, -128),
  one('kleidiai-qai8dxp', [-32, 0, 31, 63, 95, 127], ONE_SCALE, -128),
  one('torch-per-token-affine', [-32, -1, 31, 63, 95, 127], ONE_SCALE, -128),
  one('tflite-int8-affine', [-32, -1, 31, 63, 95, 127], ONE_SCALE, -128),
  one('vllm-int8-azp', [-128, -77, -26, 25, 76, 127], 5 / 255, -281),
];

const zeros = rowsOf(ZEROS);

/** The same code four times. */
function all(code: number): number[] {
  return [code, code, code, code];
}

const ZEROS_ROWS: readonly GoldenRow[] = [
  zeros('onnx-dynamic', all(0), 1, 0, { from: 'run' }),
  rowsOf([-0, -0, -0, -0])('onnx-dynamic', all(0), 1, 0, { from: 'run', system: 'ONNX Runtime, every zero −0' }),
  zeros('torch-dynamic', all(0), 0.1, 0),
  zeros('fbgemm-dynamic', all(0), 0.1, 0),
  zeros('torch-int8-affine', all(-128), EPSILON, -128),
  zeros('torch-uint8-affine', all(0), EPSILON, 0),
  zeros('torchao-int8-affine', all(-128), EPSILON, -128),
  zeros('torch-per-token-affine', all(127), EPSILON, 127),
  zeros('xnnpack-qd8', all(127), 1, 127),
  zeros('kleidiai-qai8dxp', all(127), 1, 127),
  zeros('tflite-int8-symmetric', all(0), 1),
  zeros('tflite-int8-affine', all(0), 1, 0),
  zeros('torchao-int8', all(0), EPSILON),
  zeros('torch-int8-symmetric', all(0), EPSILON),
  zeros('torch-int8-per-channel', all(0), EPSILON),
  zeros('torch-per-token', all(0), fround(fround(1e-5) / 127)),
  zeros('vllm-int8-per-token', all(0), 0),
  zeros('vllm-int8-azp', all(0), 0, 0),
  zeros('vllm-int8-group', all(0), fround(fround(1e-10) / 127)),
  zeros('sglang-int8-group', all(0), fround(fround(1e-10) * fround(1 / 127))),
  zeros('ort-nbits-a8', all(0), 0),
  zeros('bnb-int8', all(0), 0),
  rowsOf(new Array(32).fill(0))('ggml-q8_0', '00'.repeat(34)),
];

/** Ranges below the smallest scale. */
const SMALL_ROWS: readonly GoldenRow[] = [
  // The zero point is that of the range before it was stretched.
  rowsOf([-1e-3, 0, 2e-3])('torch-dynamic', [69, 85, 118], fround(6.1e-5), 85),
  rowsOf([0, 2e-3])('fbgemm-dynamic', [0, 33], fround(6.1e-5), 0),
  // So small that 1 / scale is infinite.
  rowsOf([1e-37, 0, -1e-40])('torch-dynamic', [0, 0, 0], 0.1, 0),
];

/** Ranges about zero, beside it, and without extent. */
export const ZERO_POINTS: GoldenTable = {
  'two-sided': TWO_SIDED_ROWS,
  uneven: UNEVEN_ROWS,
  'one-sided': ONE_SIDED_ROWS,
  zeros: ZEROS_ROWS,
  small: SMALL_ROWS,
};
