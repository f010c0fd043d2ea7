/**
 * Presets of inference servers.
 * @module
 */
import { FIXED, type Preset } from './preset.js';

/** Presets of inference servers. */
export const SERVERS = [
  {
    name: 'vllm-int8-per-token',
    consumer: 'vLLM, dynamic_scaled_int8_quant',
    source: 'vllm csrc/quantization/w8a8/int8/scaled_quant.cu',
    notes: 'A row of zeros has scale 0.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      apply: 'direct',
      allZero: { on: 'extent', scale: 0, multiplier: 0 },
      nan: { code: 0, poisons: false },
    },
  },
] as const satisfies readonly Preset[];
