/**
 * Presets of inference on phones.
 * @module
 */
import type { Scheme } from '../scheme.js';
import { FIXED, type Preset } from './preset.js';

/** What the kernels with a sign test for the zero point have in common. */
const QD8: Partial<Scheme> = {
  symmetric: false,
  divisor: 255,
  scaleForm: 'inverse',
  apply: 'direct',
  zeroPointRule: 'sign-test',
  allZero: { on: 'extent', scale: 1, multiplier: 1 },
  nan: { code: 127, poisons: true },
};

/** Presets of inference on phones. */
export const MOBILE = [
  {
    name: 'xnnpack-qd8',
    consumer: 'XNNPACK, qd8 dynamically quantized inputs',
    source: 'XNNPACK src/xnnpack/quantization.h xnn_f32_qd8_asymmetric_quantization_params',
    notes: 'A row of zeros has scale 1 and zero point 127.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: QD8,
  },
  {
    name: 'kleidiai-qai8dxp',
    consumer: 'KleidiAI, qai8dxp inputs (codes in rows, not in its panels)',
    source: 'KleidiAI kai/ukernels/matmul/pack/kai_lhs_quant_pack_qai8dxp_f32.c',
    notes:
      'The parameters of xnnpack-qd8, but values are rounded half away from zero. KleidiAI stores the negative zero point.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: { ...QD8, rounding: 'half-away' },
  },
  {
    name: 'tflite-int8-symmetric',
    consumer: 'TFLite (LiteRT), hybrid kernels, symmetric inputs',
    source: 'LiteRT kernels/internal/reference/portable_tensor_utils.cc PortableSymmetricQuantizeFloats',
    notes: 'Codes from -127. A row of zeros has scale 1.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      codes: [-127, 127],
      apply: 'direct',
      rounding: 'half-away',
      allZero: { on: 'extent', scale: 1, multiplier: 0 },
      nan: { code: 0, poisons: true },
    },
  },
  {
    name: 'tflite-int8-affine',
    consumer: 'TFLite (LiteRT), hybrid kernels, asymmetric inputs',
    source: 'LiteRT kernels/internal/reference/portable_tensor_utils.cc PortableAsymmetricQuantizeFloats',
    notes:
      'The portable kernels: the zero point is added before rounding. Those of NEON add it after. A row of zeros has scale 1 and zero point 0.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      symmetric: false,
      arithmetic: 'float64',
      divisor: 255,
      apply: 'reciprocal',
      rounding: 'half-away',
      zeroPointRule: 'nearest-sum',
      zeroPointRounding: 'half-away',
      zeroPointAdded: 'before',
      allZero: { on: 'extent', scale: 1, multiplier: 0, zeroPoint: 0 },
      nan: { code: 0, poisons: true },
    },
  },
] as const satisfies readonly Preset[];
