/**
 * Presets of ONNX Runtime.
 * @module
 */
import { perTensor } from '../granularity.js';
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
    notes: 'Scale and zero point are given. Per tensor, with an axis per channel, with a block size per block.',
    dtypes: ['uint8', 'int8', 'uint16', 'int16'],
    takes: { axis: true, blockSize: true },
    rules: { granularity: perTensor, parameters: 'given', symmetric: false, divisor: 1 },
  },
] as const satisfies readonly Preset[];
