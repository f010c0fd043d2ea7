/** Systems that have the rules of a preset with some changed, and options of presets, as details of golden rows. */
import type { Details } from './row.js';

/** Where the reference of ggml rounds half away from zero, its path for WebAssembly cuts off. */
export const GGML_WASM: Details = {
  system: 'ggml on WebAssembly',
  changes: { format: null, apply: 'reciprocal', rounding: 'truncate', scaleDtype: 'float16' },
};

export const MLAS_NEON: Details = {
  system: 'MLAS on NEON, 4-bit weights',
  changes: { apply: 'reciprocal', rounding: 'half-away' },
};

export const VLLM_TRITON: Details = {
  system: 'vLLM in Triton',
  changes: { rounding: 'half-away', floor: { on: 'extent', value: 1e-10 } },
};

export const VLLM_CPU: Details = { system: 'vLLM on a CPU', changes: { zeroPointAdded: 'before' } };

export const SMOOTHQUANT: Details = { system: 'SmoothQuant', changes: { apply: 'divide' } };

export const TFLITE_NEON: Details = { system: 'TFLite on NEON', changes: { zeroPointAdded: 'after' } };

/** What its quantized tensors do with parameters that are given. */
export const FBGEMM_GIVEN: Details = { system: 'FBGEMM with given parameters', changes: { parameters: 'given' } };

export const REDUCED: Details = { options: { reduceRange: true } };
export const UE8M0: Details = { options: { scaleRule: 'ue8m0' } };
export const E5M2: Details = { options: { dtype: 'float8e5m2' } };
