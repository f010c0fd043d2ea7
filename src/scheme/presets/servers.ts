/**
 * Presets of inference servers.
 * @module
 */
import { perBlock, perTensor } from '../granularity.js';
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
    name: 'bnb-int8',
    consumer: 'bitsandbytes, LLM.int8(): int8_vectorwise_quant',
    source: 'bitsandbytes/backends/default/ops.py, int8_vectorwise_quant and int8_vectorwise_dequant',
    notes:
      'Columns with a value of at least the threshold of 6 are kept apart, their codes are 0. The scale is the absmax of a row without such values. bitsandbytes leaves the codes of a row of zeros to the processor; here they are 0. CUDA divides approximately.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      codes: [-127, 127],
      apply: 'direct',
      nan: { code: 0, poisons: true },
      outliers: { threshold: 6 },
    },
  },
] as const satisfies readonly Preset[];
