/**
 * Presets of ONNX Runtime.
 * @module
 */
import { perBlock, perTensor } from '../granularity.js';
import { FIXED, type Preset } from './preset.js';

/** Presets of ONNX Runtime. */
export const ONNX = [
  {
    name: 'onnx-dynamic',
    consumer: 'ONNX Runtime, DynamicQuantizeLinear',
    source: 'onnxruntime 1.28-dev core/util/qmath.h GetQuantizationParameter, core/mlas/lib/quantize.cpp',
    notes: 'One range for the whole tensor, so its bytes depend on the batch.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: {
      granularity: perTensor,
      symmetric: false,
      divisor: 255,
      zeroPointRule: 'round-last',
      allZero: { on: 'extent', scale: 1, multiplier: 1 },
    },
  },
  {
    name: 'onnx-static',
    consumer: 'ONNX Runtime, QuantizeLinear',
    source: 'onnxruntime 1.28-dev core/providers/cpu/quantization/quantize_linear.cc; ONNX QuantizeLinear 21',
    notes:
      'Scale and zero point are given. Per tensor, with an axis per channel, with a block size per block. Codes of 4 and ' +
      '2 bits share bytes, the first in the low bits, row after row; zero points have a byte each. Floats saturate and ' +
      'have no zero point. NaN is the positive one.',
    dtypes: [
      'uint8',
      'int8',
      'uint16',
      'int16',
      'uint4',
      'int4',
      'uint2',
      'int2',
      'float8e4m3fn',
      'float8e5m2',
      'float8e4m3fnuz',
      'float8e5m2fnuz',
      'float4e2m1',
    ],
    takes: { axis: true, blockSize: true },
    rules: { granularity: perTensor, parameters: 'given', symmetric: false, divisor: 1 },
    byDtype: {
      float8e4m3fn: { symmetric: true },
      float8e5m2: { symmetric: true },
      float8e4m3fnuz: { symmetric: true },
      float8e5m2fnuz: { symmetric: true },
      float4e2m1: { symmetric: true },
    },
  },
  {
    name: 'ort-nbits-a8',
    consumer: 'ONNX Runtime, MatMulNBits, accuracy level 4, inputs on x86',
    source: 'onnxruntime 1.28-dev core/mlas/lib/sqnbitgemm_kernel_avx2.cpp QuantizeARow_CompInt8',
    notes:
      'Blocks of 32 unless another size is chosen; the operator knows 16, 32, 64, 128 and 256. Below amax 3.8e-37 the multiplier overflows, where x86 gives other codes.',
    dtypes: ['int8'],
    takes: { axis: false, blockSize: true },
    rules: {
      granularity: perBlock(32),
      apply: 'direct',
      allZero: { on: 'extent', scale: 0, multiplier: 0 },
      nan: { code: -128, poisons: false },
    },
  },
] as const satisfies readonly Preset[];
