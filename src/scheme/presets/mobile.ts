/**
 * Presets of inference on phones.
 * @module
 */
import { FIXED, type Preset } from './preset.js';

/** Presets of inference on phones. */
export const MOBILE = [
  {
    name: 'xnnpack-qd8',
    consumer: 'XNNPACK, qd8 dynamically quantized inputs',
    source: 'XNNPACK src/xnnpack/quantization.h xnn_f32_qd8_asymmetric_quantization_params',
    notes: 'A row of zeros has scale 1 and zero point 127.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      symmetric: false,
      divisor: 255,
      scaleForm: 'inverse',
      apply: 'direct',
      zeroPointRule: 'sign-test',
      allZero: { on: 'extent', scale: 1, multiplier: 1 },
      nan: { code: 127, poisons: true },
    },
  },
] as const satisfies readonly Preset[];
