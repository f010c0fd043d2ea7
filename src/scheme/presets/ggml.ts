/**
 * Presets of ggml and llama.cpp.
 * @module
 */
import { perBlock } from '../granularity.js';
import { FIXED, type Preset } from './preset.js';

/** Presets of ggml and llama.cpp. */
export const GGML = [
  {
    name: 'ggml-q8_0',
    consumer: 'ggml, llama.cpp: Q8_0 blocks',
    source: 'ggml src/ggml-quants.c quantize_row_q8_0_ref',
    notes: 'Blocks of 34 bytes: a float16 scale, 32 codes. Rows are multiples of 32.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      granularity: perBlock(32),
      apply: 'reciprocal',
      rounding: 'half-away',
      allZero: { on: 'scale', scale: 0, multiplier: 0 },
      nan: { code: 0, poisons: true },
      scaleDtype: 'float16',
      layout: { blockBytes: 34, codesAt: 2 },
    },
  },
] as const satisfies readonly Preset[];
