/**
 * Presets of PyTorch and torchao.
 * @module
 */
import { perChannel, perTensor } from '../granularity.js';
import type { Scheme } from '../scheme.js';
import { FIXED, type Preset } from './preset.js';

/** The smallest scale of the observers and of torchao: 2^-23, the epsilon of float32. */
const EPSILON = { on: 'scale', value: 2 ** -23 } as const;

/** What the fast kernels of PyTorch's quantized tensors have in common: uint8, with the small scales cut off. */
const CHOSEN: Partial<Scheme> = {
  granularity: perTensor,
  symmetric: false,
  divisor: 255,
  apply: 'reciprocal',
  floor: { on: 'scale-and-range', value: 6.1e-5 },
  allZero: { on: 'reciprocal', scale: 0.1, multiplier: 10 },
  nan: { code: 255, poisons: true },
};

/** What the symmetric observers have in common. */
const OBSERVED: Partial<Scheme> = {
  divisor: 127.5,
  apply: 'reciprocal',
  floor: EPSILON,
  nan: { code: 127, poisons: true },
};

/** What the affine observers have in common. */
const OBSERVED_AFFINE: Partial<Scheme> = {
  ...OBSERVED,
  granularity: perTensor,
  symmetric: false,
  divisor: 255,
  zeroPointRule: 'round-first',
};

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
      floor: EPSILON,
      nan: { code: 0, poisons: true },
    },
  },
  {
    name: 'torchao-int8-affine',
    consumer: 'torchao, Int8DynamicActivationInt8Weight, asymmetric',
    source: 'torchao 0.19.0-dev (36027d82) quantization/quant_primitives.py choose_qparams_affine, quantize_affine',
    notes: 'A row of zeros has scale 2^-23 and zero point -128.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      symmetric: false,
      divisor: 255,
      apply: 'reciprocal',
      zeroPointRule: 'round-first',
      floor: EPSILON,
      nan: { code: 0, poisons: true },
    },
  },
  {
    name: 'torch-dynamic',
    consumer: 'PyTorch, quantize_per_tensor_dynamic and quantized::linear_dynamic',
    source: 'pytorch aten/src/ATen/native/quantized/cpu/QuantUtils.h ChooseQuantizationParams',
    notes:
      'Scale in float64; the zero point may differ by 1 from that of fbgemm-dynamic. reduceRange halves the codes of scale and zero point, not those of the values.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: { ...CHOSEN, arithmetic: 'float64', zeroPointRule: 'nearest-difference', scaleDtype: 'float64' },
    reduced: { divisor: 127, zeroPointCodes: [0, 127] },
  },
  {
    name: 'fbgemm-dynamic',
    consumer: 'FBGEMM, ChooseQuantizationParams and QuantizeAvx2',
    source: 'FBGEMM 1.8.0-rc (71d6f8b2) src/QuantUtils.cc, src/QuantUtilsAvx2.cc',
    notes: 'The rules of torch-dynamic but for the precision of the scale and the sign of an error estimate.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: { ...CHOSEN, arithmetic: 'mixed', zeroPointRule: 'nearest-sum' },
  },
  {
    name: 'torch-int8-symmetric',
    consumer: 'PyTorch, MinMaxObserver, qint8, per_tensor_symmetric',
    source: 'pytorch torch/ao/quantization/observer.py _calculate_qparams; FBGEMM QuantizeAvx2',
    notes: 'Values are multiplied with 1 / scale.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: { ...OBSERVED, granularity: perTensor },
  },
  {
    name: 'torch-int8-affine',
    consumer: 'PyTorch, MinMaxObserver, qint8, per_tensor_affine',
    source: 'pytorch torch/ao/quantization/observer.py _calculate_qparams; FBGEMM QuantizeAvx2',
    notes: 'Zeros have scale 2^-23 and zero point -128.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: OBSERVED_AFFINE,
  },
  {
    name: 'torch-uint8-affine',
    consumer: 'PyTorch, MinMaxObserver, quint8, per_tensor_affine',
    source: 'pytorch torch/ao/quantization/observer.py _calculate_qparams; FBGEMM QuantizeAvx2',
    notes: 'Zeros have scale 2^-23 and zero point 0.',
    dtypes: ['uint8'],
    takes: FIXED,
    rules: { ...OBSERVED_AFFINE, nan: { code: 255, poisons: true } },
  },
  {
    name: 'torch-int8-per-channel',
    consumer: 'PyTorch, PerChannelMinMaxObserver, qint8, per_channel_symmetric',
    source: 'pytorch torch/ao/quantization/observer.py _calculate_qparams; FBGEMM Quantize',
    notes: 'Channels on axis 0 unless another is chosen.',
    dtypes: ['int8'],
    takes: { axis: true, blockSize: false },
    rules: { ...OBSERVED, granularity: perChannel(0) },
  },
  {
    name: 'torch-per-token',
    consumer: 'PyTorch, quantized_decomposed choose_qparams_per_token, quantize_per_token',
    source: 'pytorch torch/ao/quantization/fx/_decomposed.py choose_qparams_per_token, quantize_per_token',
    notes: 'amax floored at 1e-5. For bfloat16 values PyTorch computes in bfloat16; here they are widened to float32.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      apply: 'reciprocal',
      floor: { on: 'extent', value: 1e-5 },
      nan: { code: 0, poisons: true },
    },
  },
  {
    name: 'torch-per-token-affine',
    consumer: 'PyTorch, quantized_decomposed choose_qparams_per_token_asymmetric, quantize_per_token',
    source: 'pytorch torch/ao/quantization/fx/_decomposed.py choose_qparams_per_token_asymmetric, quantize_per_token',
    notes:
      'A float32 scale stored as float64, so values are scaled in float64 and the zero point is added before rounding. A row of zeros has zero point 127.',
    dtypes: ['int8'],
    takes: FIXED,
    rules: {
      symmetric: false,
      divisor: 255,
      apply: 'reciprocal',
      zeroPointRule: 'sign-test-quotient',
      zeroPointAdded: 'before-float64',
      floor: EPSILON,
      nan: { code: 0, poisons: true },
      scaleDtype: 'float64',
    },
  },
  {
    name: 'torchao-float8',
    consumer: 'torchao, Float8DynamicActivationFloat8Weight',
    source:
      'torchao 0.19.0-dev (36027d82) quantization/quant_primitives.py _choose_scale_float8, _quantize_affine_float8',
    notes: 'A scale for every row. A row of zeros has scale 0 and NaN codes: torchao has no rule for it either.',
    dtypes: ['float8e4m3fn', 'float8e5m2'],
    takes: FIXED,
    rules: { divisor: 448 },
    byDtype: { float8e5m2: { divisor: 57344 } },
  },
] as const satisfies readonly Preset[];
