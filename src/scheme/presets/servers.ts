/**
 * Presets of inference servers.
 * @module
 */
import { MAX_FLOAT32 } from '../../numbers.js';
import { perBlock, perTensor } from '../granularity.js';
import type { Scheme } from '../scheme.js';
import { FIXED, type Preset } from './preset.js';

/** Groups of 128 unless another size is chosen. */
const GROUPS = { axis: false, blockSize: true } as const;

/** What the floats of 8 bits have in common: M is the largest E4M3FN. */
const FLOAT8: Partial<Scheme> = { divisor: 448, nan: { code: 0x7e, poisons: false } };

/** The multiplier of Transformer Engine, whose inverse is the stored scale. */
const TRANSFORMER_ENGINE: Partial<Scheme> = {
  granularity: perTensor,
  divisor: 448,
  scaleForm: 'inverse',
  apply: 'direct',
  mostMultiplier: MAX_FLOAT32,
  allZero: { on: 'extent', scale: 1, multiplier: 1 },
};

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
  {
    name: 'vllm-int8-azp',
    consumer: 'vLLM, dynamic_scaled_int8_azp_quant',
    source: 'vllm csrc/quantization/w8a8/int8/scaled_quant.cu',
    notes:
      'The range is not extended to zero, so the int32 zero point may lie beyond the codes. vLLM has no rule for a constant row, whose scale is 0.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      symmetric: false,
      rangeIncludesZero: false,
      divisor: 255,
      apply: 'reciprocal',
      zeroPointRule: 'round-last',
      zeroPointDtype: 'int32',
      nan: { code: 0, poisons: false },
    },
  },
  {
    name: 'vllm-int8-static',
    consumer: 'vLLM, static_scaled_int8_quant',
    source: 'vllm csrc/quantization/w8a8/int8/scaled_quant.cu',
    notes: 'The scale is given. Values are divided.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: { granularity: perTensor, parameters: 'given', divisor: 1, nan: { code: 0, poisons: false } },
  },
  {
    name: 'vllm-int8-static-azp',
    consumer: 'vLLM, static_scaled_int8_azp_quant',
    source: 'vllm csrc/quantization/w8a8/int8/scaled_quant.cu',
    notes: 'Scale and int32 zero point are given. Values are multiplied with 1 / scale.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      granularity: perTensor,
      parameters: 'given',
      symmetric: false,
      divisor: 1,
      apply: 'reciprocal',
      zeroPointDtype: 'int32',
      nan: { code: 0, poisons: false },
    },
  },
  {
    name: 'vllm-int8-group',
    consumer: 'vLLM, per_token_group_quant_int8',
    source: 'vllm quantization/w8a8/fp8/per_token_group_quant.cu; int8_utils.py per_token_group_quant_int8',
    notes: 'Codes are truncated, not rounded. Groups of 128 unless another size is chosen.',
    dtypes: ['int8'],
    takes: { axis: false, blockSize: true },
    rules: {
      granularity: perBlock(128),
      rounding: 'truncate',
      floor: { on: 'extent', value: 1e-10 },
      nan: { code: 0, poisons: false },
    },
  },
  {
    name: 'sglang-int8-group',
    consumer: 'SGLang, per_token_group_quant_8bit, int8',
    source: 'sglang sgl-kernel/csrc/gemm/per_token_group_quant_8bit_v2.cu',
    notes: 'Codes are truncated, not rounded. Groups of 128 unless another size is chosen.',
    dtypes: ['int8'],
    takes: { axis: false, blockSize: true },
    rules: {
      granularity: perBlock(128),
      scaleForm: 'reciprocal',
      apply: 'direct',
      rounding: 'truncate',
      floor: { on: 'extent', value: 1e-10 },
      nan: { code: 0, poisons: false },
    },
  },
  {
    name: 'vllm-fp8-static',
    consumer: 'vLLM, static_scaled_fp8_quant',
    source: 'vllm csrc/quantization/w8a8/fp8/common.cu, common.cuh scaled_fp8_conversion',
    notes: 'The scale is given. Values are multiplied with 1 / scale. NaN becomes 448.',
    dtypes: ['float8e4m3fn'],
    takes: FIXED,
    rules: { ...FLOAT8, granularity: perTensor, parameters: 'given', divisor: 1, apply: 'reciprocal' },
  },
  {
    name: 'vllm-fp8-per-tensor',
    consumer: 'vLLM, dynamic_scaled_fp8_quant',
    source: 'vllm csrc/quantization/w8a8/fp8/common.cu, common.cuh scaled_fp8_conversion',
    notes: 'One range for the whole tensor, so its bytes depend on the batch. Zeros have scale 0 and codes of 448.',
    dtypes: ['float8e4m3fn'],
    takes: FIXED,
    rules: { ...FLOAT8, granularity: perTensor, apply: 'reciprocal' },
  },
  {
    name: 'vllm-fp8-per-token',
    consumer: 'vLLM, dynamic_per_token_scaled_fp8_quant',
    source: 'vllm csrc/quantization/w8a8/fp8/common.cu dynamic_per_token_scaled_fp8_quant_kernel',
    notes: 'Scale floored at 1 / (448 · 512). Values are divided.',
    dtypes: ['float8e4m3fn'],
    takes: FIXED,
    rules: { ...FLOAT8, floor: { on: 'scale', value: 1 / (448 * 512) } },
  },
  {
    name: 'vllm-fp8-group',
    consumer: 'vLLM, per_token_group_quant_fp8',
    source: 'vllm quantization/w8a8/fp8/per_token_group_quant.cu',
    notes:
      'Groups of 128 unless another size is chosen. Scale rule ue8m0: the next power of two, as a float32; vLLM takes a ' +
      'logarithm, which may round a scale just above a power of two down to it.',
    dtypes: ['float8e4m3fn'],
    takes: GROUPS,
    rules: { ...FLOAT8, granularity: perBlock(128), floor: { on: 'extent', value: 1e-10 } },
    scaleRules: { exact: {}, ue8m0: { powerOfTwo: 'scale-ceil', floor: { on: 'scale', value: 1e-10 } } },
  },
  {
    name: 'sglang-fp8-group',
    consumer: 'SGLang, per_token_group_quant_8bit, E4M3FN',
    source: 'sglang sgl-kernel/csrc/gemm/per_token_group_quant_8bit_v2.cu',
    notes:
      'Groups of 128 unless another size is chosen. Scale rule ue8m0: the next power of two, as an exponent byte, as for ' +
      'scales in columns; for scales in rows SGLang scales the values with the scale before it is rounded.',
    dtypes: ['float8e4m3fn'],
    takes: GROUPS,
    rules: {
      ...FLOAT8,
      granularity: perBlock(128),
      scaleForm: 'reciprocal',
      apply: 'direct',
      floor: { on: 'extent', value: 1e-10 },
    },
    scaleRules: { exact: {}, ue8m0: { powerOfTwo: 'scale-ceil', apply: 'reciprocal', scaleDtype: 'float8e8m0' } },
  },
  {
    name: 'deepseek-fp8-1x128',
    consumer: 'DeepSeek-V3, act_quant',
    source: 'DeepSeek-V3 (06231633) inference/kernel.py act_quant_kernel',
    notes: 'Groups of 128. A group of zeros has scale 0 and NaN codes: DeepSeek-V3 has no rule for it either.',
    dtypes: ['float8e4m3fn'],
    takes: GROUPS,
    rules: { granularity: perBlock(128), divisor: 448 },
  },
  {
    name: 'deepgemm-fp8-1x128',
    consumer: 'DeepGEMM, per_token_cast_to_fp8',
    source: 'DeepGEMM (38939a4c) deep_gemm/utils/math.py per_token_cast_to_fp8',
    notes: 'Groups of 128, amax floored at 1e-4. Scale rule ue8m0: the next power of two, as an exponent byte.',
    dtypes: ['float8e4m3fn'],
    takes: GROUPS,
    rules: {
      granularity: perBlock(128),
      divisor: 448,
      apply: 'reciprocal',
      floor: { on: 'extent', value: 1e-4 },
    },
    scaleRules: { exact: {}, ue8m0: { powerOfTwo: 'scale-ceil', scaleDtype: 'float8e8m0' } },
  },
  {
    name: 'te-current',
    consumer: 'Transformer Engine, current scaling',
    source: 'TransformerEngine (d0067d0d) transformer_engine/common/recipe/recipe_common.cuh',
    notes:
      'The multiplier is formed first, at most the largest float32; the scale is its inverse. An amax of 0 has scale 1. ' +
      'Scale rule ue8m0: the multiplier rounded down to a power of two. An infinite or NaN amax has scale 1 there, here NaN.',
    dtypes: ['float8e4m3fn', 'float8e5m2'],
    takes: FIXED,
    rules: TRANSFORMER_ENGINE,
    byDtype: { float8e5m2: { divisor: 57344 } },
    scaleRules: { exact: {}, ue8m0: { powerOfTwo: 'multiplier-floor' } },
  },
  {
    name: 'te-delayed',
    consumer: 'Transformer Engine, delayed scaling',
    source: 'TransformerEngine (d0067d0d) transformer_engine/common/recipe/delayed_scaling.cu',
    notes:
      'The range of earlier steps must be given: ±amax of a history, which the method `delayed` of quantlane/ranges ' +
      'keeps. Values beyond it saturate.',
    dtypes: ['float8e4m3fn', 'float8e5m2'],
    takes: FIXED,
    rules: { ...TRANSFORMER_ENGINE, parameters: 'range' },
    byDtype: { float8e5m2: { divisor: 57344 } },
  },
] as const satisfies readonly Preset[];
