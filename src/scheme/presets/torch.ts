/**
 * Presets of PyTorch and torchao.
 * @module
 */
import { FIXED, type Preset } from './preset.js';

/** Presets of PyTorch and torchao. */
export const TORCH = [
  {
    name: 'torchao-int8',
    consumer: 'torchao, Int8DynamicActivationInt8Weight',
    source: 'torchao 0.19.0-dev (36027d82) quantization/quant_primitives.py choose_qparams_affine, quantize_affine',
    notes: 'Scale floored at 2^-23.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      divisor: 127.5,
      apply: 'reciprocal',
      floor: { on: 'scale', value: 2 ** -23 },
      nan: { code: 0, poisons: true },
    },
  },
] as const satisfies readonly Preset[];
