/** Golden rows that tell roundings and the forms of the multiplier apart. */
import { SCALE_A, SCALE_B, SCALE_C, TIES, WITNESS_A, WITNESS_B, WITNESS_C } from './inputs.js';
import { type Details, type GoldenRow, type GoldenTable, givenRow, hexOf, padded, rowsOf } from './row.js';
import { FBGEMM_GIVEN, GGML_WASM, MLAS_NEON, SMOOTHQUANT, VLLM_TRITON } from './systems.js';

const { fround } = Math;

const EVEN = [127, -127, 0, 2, 2, 4, 0, -2, -2, -4, 0, 126, -126, 64, 100, -101];
const AWAY = [127, -127, 1, 2, 3, 4, -1, -2, -3, -4, 0, 127, -127, 64, 100, -101];
const TRUNCATED = [127, -127, 0, 1, 2, 3, 0, -1, -2, -3, 0, 126, -126, 63, 100, -100];
const WIDER = [127, -128, 1, 2, 3, 4, -1, -2, -3, -4, 1, 127, -127, 64, 101, -101];

/** A Q8_0 block: a float16 scale, then the codes, all zero after the given ones. */
function q8(preset: string, input: readonly number[], scale: string, codes: readonly number[], details?: Details) {
  return rowsOf(padded(input, 32))(preset, scale + hexOf(padded(codes, 32)), undefined, undefined, details);
}

const ties = rowsOf(TIES);
const a = rowsOf(WITNESS_A);
const b = rowsOf(WITNESS_B);
const shifted = EVEN.map((code) => Math.min(127, code + 1));

/** Symmetric codes with a scale of exactly 1. */
const TIES_ROWS: readonly GoldenRow[] = [
  ties('ort-nbits-a8', EVEN, 1),
  ties('vllm-int8-per-token', EVEN, 1),
  ties('torch-per-token', EVEN, 1),
  ties('torch-per-token', EVEN, 1, undefined, SMOOTHQUANT),
  ties('bnb-int8', EVEN, 127, undefined, { options: { threshold: 0 } }),
  q8('ggml-q8_0-x86', TIES, '003c', EVEN),
  givenRow('vllm-int8-static', TIES, EVEN, 1),
  givenRow('vllm-int8-static-azp', TIES, shifted, 1, 1),
  ties('tflite-int8-symmetric', AWAY, 1),
  ties('ort-nbits-a8', AWAY, 1, undefined, MLAS_NEON),
  ties('vllm-int8-per-token', AWAY, 1, undefined, VLLM_TRITON),
  q8('ggml-q8_0', TIES, '003c', AWAY),
  ties('vllm-int8-group', TRUNCATED, 1),
  ties('sglang-int8-group', TRUNCATED, fround(127 * fround(1 / 127))),
  q8('ggml-q8_0', TIES, '003c', TRUNCATED, GGML_WASM),
  ties('torchao-int8', WIDER, 127 / 127.5),
  ties('torch-int8-symmetric', WIDER, 127 / 127.5),
  ties('torch-int8-per-channel', WIDER, 127 / 127.5),
  ties('usearch-i8', hexOf([54, -54, 0, 0, 1, 1, 0, 0, -1, -1, 0, 53, -53, 27, 42, -42])),
];

/** x · (127 / amax), x · (1 / (amax / 127)) and x / (amax / 127), in this order. */
const WITNESS_A_ROWS: readonly GoldenRow[] = [
  a('ort-nbits-a8', [127, 111], SCALE_A),
  a('vllm-int8-per-token', [127, 111], SCALE_A),
  a('bnb-int8', [127, 111], WITNESS_A[0]),
  q8('ggml-q8_0-x86', WITNESS_A, '9625', [127, 111]),
  a('torch-per-token', [127, 112], SCALE_A),
  q8('ggml-q8_0', WITNESS_A, '9625', [127, 112]),
  a('torch-per-token', [127, 111], SCALE_A, undefined, SMOOTHQUANT),
  givenRow('vllm-int8-static', WITNESS_A, [127, 111], SCALE_A),
  givenRow('onnx-static', WITNESS_A, [127, 111], SCALE_A, 0, { options: { dtype: 'int8' }, from: 'run' }),
];

/** The same forms on another pair. */
const WITNESS_B_ROWS: readonly GoldenRow[] = [
  b('ort-nbits-a8', [127, 60], SCALE_B),
  b('vllm-int8-per-token', [127, 60], SCALE_B),
  b('bnb-int8', [127, 60], WITNESS_B[0]),
  q8('ggml-q8_0-x86', WITNESS_B, '0728', [127, 60]),
  b('torch-per-token', [127, 61], SCALE_B),
  q8('ggml-q8_0', WITNESS_B, '0728', [127, 61]),
  b('torch-per-token', [127, 61], SCALE_B, undefined, SMOOTHQUANT),
  givenRow('vllm-int8-static', WITNESS_B, [127, 61], SCALE_B),
  givenRow('onnx-static', WITNESS_B, [127, 61], SCALE_B, 0, { options: { dtype: 'int8' }, from: 'run' }),
];

/** x · (1 / scale) and x / scale. */
const WITNESS_C_ROWS: readonly GoldenRow[] = [
  givenRow('torch-uint8-affine', WITNESS_C, [128], SCALE_C, 0, FBGEMM_GIVEN),
  givenRow('vllm-int8-static-azp', WITNESS_C, [118], SCALE_C, -10),
  givenRow('onnx-static', WITNESS_C, [127], SCALE_C, 0, { from: 'run' }),
  givenRow('vllm-int8-static', WITNESS_C, [127], SCALE_C),
];

/** Ties, and the forms of the multiplier. */
export const ROUNDING: GoldenTable = {
  ties: TIES_ROWS,
  'reciprocal a': WITNESS_A_ROWS,
  'reciprocal b': WITNESS_B_ROWS,
  'reciprocal c': WITNESS_C_ROWS,
  // Values from 6 on are left out of the range and of the codes.
  outliers: [rowsOf([1, -2, 6, 0.5, -400])('bnb-int8', [64, -127, 0, 32, 0], 2)],
};
